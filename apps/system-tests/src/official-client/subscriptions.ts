import type { Subscription } from 'killbill';
import { refusal } from './client';
import { type Shop, by, uuid } from './shop';

const plan = (planName: string, more: Partial<Subscription> = {}): Subscription =>
  ({ planName, ...more }) as Subscription;

/** Seed 001's second table: everything a subscription can go through. */
export const subscriptions = (shop: () => Shop): void => {
  it('starts a subscription, by plan or by product', async () => {
    const { kb, customer, subscribe } = shop();
    const one = await customer();
    const made = await subscribe(one, 'shotgun-monthly', { externalKey: `${one.externalKey}-s` });
    expect(made).toMatchObject({
      ...{ accountId: one.accountId, subscriptionId: uuid, bundleId: uuid, state: 'ACTIVE', phaseType: 'TRIAL' },
      ...{ productName: 'Shotgun', productCategory: 'BASE', billingPeriod: 'MONTHLY', priceList: 'DEFAULT' },
    });
    expect((await kb.subscription.getSubscriptionByKey(`${one.externalKey}-s`)).data.subscriptionId).toBe(
      made.subscriptionId,
    );
    const described = {
      productName: 'Pistol',
      productCategory: 'BASE',
      billingPeriod: 'MONTHLY',
      priceList: 'notrial',
    };
    const { data } = await kb.subscription.createSubscription(
      { accountId: one.accountId, ...described } as Subscription,
      ...([by, '2026-03-01', '2026-03-01', true, false, false, true, 20] as const),
    );
    // The trial of the first subscription ends on the 31st, so that day is the account's billing day.
    expect(data).toMatchObject({ ...described, planName: 'pistol-monthly-notrial', chargedThroughDate: '2026-03-31' });
    expect(
      await refusal(kb.subscription.createSubscription(plan('no-such', { accountId: one.accountId }), by)),
    ).toEqual([400, 2021]);
    expect(await refusal(kb.subscription.getSubscriptionByKey('nothing'))).toEqual([404, 1083]);
  });

  it('starts a bundle with its add-ons, and several bundles at once', async () => {
    const { kb, customer, rest } = shop();
    const { accountId, externalKey } = await customer();
    const bundle = (key: string): Subscription[] => [
      plan('shotgun-monthly', { accountId, bundleExternalKey: key }),
      plan('telescopic-scope-monthly', { accountId }),
    ];
    const one = await kb.subscription.createSubscriptionWithAddOns(bundle(`${externalKey}-1`), by);
    expect(one.status).toBe(201);
    await rest();
    const many = await kb.subscription.createSubscriptionsWithAddOns(
      [
        { baseEntitlementAndAddOns: bundle(`${externalKey}-2`) },
        { baseEntitlementAndAddOns: bundle(`${externalKey}-3`) },
      ],
      by,
    );
    expect(many.status).toBe(201);
    await rest();
    const { data } = await kb.account.getAccountBundles(accountId);
    expect(data.map(({ subscriptions = [] }) => subscriptions.length)).toEqual([2, 2, 2]);
  });

  it('answers a client of the older dialect as that expects', async () => {
    const { kb, customer, subscribe, system, tenant } = shop();
    const { subscriptionId = '', bundleId = '' } = await subscribe(await customer(), 'pistol-monthly-notrial');
    const ask = async (method: string, path: string, body: object | null = null) => {
      const headers = {
        ...{ Authorization: `Basic ${btoa('admin:password')}`, 'X-Killbill-CreatedBy': by },
        ...{ 'X-Killbill-ApiKey': tenant.apiKey, 'X-Killbill-ApiSecret': tenant.apiSecret },
        ...{ 'X-Killbill-Api-Version': '0.18', 'Content-Type': 'application/json' },
      };
      const sent = { method, headers, ...(body === null ? {} : { body: JSON.stringify(body) }) };
      const answer = await fetch(`${system.url}/1.0/kb/${path}`, sent);
      return { status: answer.status, text: await answer.text() };
    };
    const changed = await ask('PUT', `subscriptions/${subscriptionId}`, { planName: 'shotgun-monthly' });
    expect([changed.status, JSON.parse(changed.text)]).toEqual([200, expect.objectContaining({ subscriptionId })]);
    const day = { billCycleDayLocal: 9 };
    expect(await ask('PUT', `subscriptions/${subscriptionId}/bcd`, day)).toEqual({ status: 200, text: '' });
    const state = { stateName: 'HOLD', service: 'shop', blockChange: false };
    expect(await ask('PUT', `bundles/${bundleId}/block`, state)).toEqual({ status: 200, text: '' });
    expect(await ask('PUT', `bundles/${bundleId}/pause`)).toEqual({ status: 200, text: '' });
    expect(await ask('PUT', `bundles/${bundleId}/resume`)).toEqual({ status: 200, text: '' });
    expect(await ask('DELETE', `subscriptions/${subscriptionId}`)).toEqual({ status: 200, text: '' });
    expect((await kb.subscription.getSubscription(subscriptionId)).data.state).toBe('CANCELLED');
  });

  it('changes the plan, takes a planned change back, and cancels and uncancels', async () => {
    const { kb, customer, subscribe, rest } = shop();
    const { subscriptionId = '' } = await subscribe(await customer(), 'pistol-monthly-notrial');
    const read = async () => (await kb.subscription.getSubscription(subscriptionId)).data;
    expect((await kb.subscription.changeSubscriptionPlan(plan('shotgun-monthly'), subscriptionId, by)).status).toBe(
      204,
    );
    await rest();
    expect((await read()).planName).toBe('shotgun-monthly');
    await kb.subscription.changeSubscriptionPlan(plan('pistol-monthly'), subscriptionId, by, '2026-05-01');
    expect((await read()).events?.map(({ plan: to }) => to)).toContain('pistol-monthly');
    expect((await kb.subscription.undoChangeSubscriptionPlan(subscriptionId, by)).status).toBe(204);
    expect((await read()).events?.map(({ plan: to }) => to)).not.toContain('pistol-monthly');
    const ending = [undefined, true, 20, 'END_OF_TERM', 'END_OF_TERM'] as const;
    expect((await kb.subscription.cancelSubscriptionPlan(subscriptionId, by, ...ending)).status).toBe(204);
    expect((await read()).billingEndDate).not.toBeNull();
    expect((await kb.subscription.uncancelSubscriptionPlan(subscriptionId, by)).status).toBe(204);
    expect(await read()).toMatchObject({ billingEndDate: null, cancelledDate: null });
  });

  it('moves the billing day, changes the quantity, blocks', async () => {
    const { kb, customer, subscribe, rest } = shop();
    const one = await customer();
    const { subscriptionId = '' } = await subscribe(one, 'pistol-monthly-notrial');
    const read = async () => (await kb.subscription.getSubscription(subscriptionId)).data;
    const day = (billCycleDayLocal: number) =>
      kb.subscription.updateSubscriptionBCD({ billCycleDayLocal } as Subscription, subscriptionId, by);
    expect((await day(9)).status).toBe(204);
    expect((await refusal(day(45)))[0]).toBe(400);
    await kb.subscription.updateSubscriptionQuantity({ quantity: 3 } as Subscription, subscriptionId, by);
    await rest();
    // The billing day becomes the 9th on the next 9th.
    expect(await read()).toMatchObject({ billCycleDayLocal: 1, quantity: 3 });
    const state = { stateName: 'STOPPED', service: 'shop', isBlockEntitlement: true };
    await kb.subscription.addSubscriptionBlockingState(state, subscriptionId, by);
    await rest();
    expect((await read()).state).toBe('BLOCKED');
    const blocking = (await kb.account.getBlockingStates(one.accountId, ['SUBSCRIPTION'], ['shop'])).data;
    expect(blocking).toEqual([expect.objectContaining({ stateName: 'STOPPED', blockedId: subscriptionId })]);
  });

  it('records usage and reads it back', async () => {
    const { kb, customer, subscribe, rest } = shop();
    const one = await customer();
    const base = await subscribe(one, 'shotgun-monthly');
    const bundle = base.bundleId === undefined ? {} : { bundleId: base.bundleId };
    const { subscriptionId = '' } = await subscribe(one, 'bullets-usage-in-arrear', bundle);
    const usageRecords = [{ recordDate: '2026-03-01T12:00:00Z', amount: 7 }];
    const record = { subscriptionId, trackingId: 'day-1', unitUsageRecords: [{ unitType: 'bullets', usageRecords }] };
    await kb.usage.recordUsage(record, by);
    await rest();
    const units = [{ unitType: 'bullets', amount: 7 }];
    const span = ['2026-03-01', '2026-03-31'] as const;
    const used = [
      await kb.usage.getAllUsage(subscriptionId, ...span),
      await kb.usage.getUsage(subscriptionId, 'bullets', ...span),
    ];
    expect(used.map(({ data }) => data.rolledUpUnits)).toEqual([units, units]);
    expect(await refusal(kb.usage.recordUsage(record, by))).toEqual([400, 50000]);
  });
};

/** Seed 001's first table. */
export const bundles = (shop: () => Shop): void => {
  it('finds bundles by id, key, list and search', async () => {
    const { kb, customer, subscribe } = shop();
    const one = await customer();
    const key = `${one.externalKey}-bundle`;
    const { bundleId = '' } = await subscribe(one, 'pistol-monthly-notrial', { bundleExternalKey: key });
    const { data: bundle } = await kb.bundle.getBundle(bundleId);
    expect(bundle).toMatchObject({ accountId: one.accountId, bundleId, externalKey: key });
    expect(bundle.subscriptions).toHaveLength(1);
    expect(bundle.timeline?.events?.map(({ eventType }) => eventType)).toEqual(['START_ENTITLEMENT', 'START_BILLING']);
    const ids = (found: { data: unknown }) => (found.data as { bundleId: string }[]).map((one) => one.bundleId);
    expect(ids(await kb.bundle.getBundleByKey(key, true))).toEqual([bundleId]);
    expect(ids(await kb.bundle.searchBundles(key))).toEqual([bundleId]);
    expect(ids(await kb.bundle.getBundles(0, 1))).toHaveLength(1);
    expect(ids(await kb.account.getAccountBundlesPaginated(one.accountId, 0, 10))).toEqual([bundleId]);
    expect(await refusal(kb.bundle.getBundleByKey('nothing'))).toEqual([404, 1084]);
  });

  it('pauses, resumes, blocks and renames', async () => {
    const { kb, customer, subscribe, rest } = shop();
    const one = await customer();
    const { bundleId = '', subscriptionId = '' } = await subscribe(one, 'pistol-monthly-notrial');
    const state = async () => (await kb.subscription.getSubscription(subscriptionId)).data.state;
    expect((await kb.bundle.pauseBundle(bundleId, by)).status).toBe(204);
    await rest();
    expect(await state()).toBe('BLOCKED');
    expect(await refusal(kb.subscription.changeSubscriptionPlan(plan('pistol-monthly'), subscriptionId, by))).toEqual([
      400, 6000,
    ]);
    expect((await kb.bundle.resumeBundle(bundleId, by)).status).toBe(204);
    await rest();
    expect(await state()).toBe('ACTIVE');
    const blocked = { stateName: 'HELD', service: 'shop', isBlockChange: true };
    expect((await kb.bundle.addBundleBlockingState(blocked, bundleId, by)).status).toBe(201);
    const { accountId } = one;
    await kb.bundle.renameExternalKey({ accountId, externalKey: `${one.externalKey}-renamed` }, bundleId, by);
    expect((await kb.bundle.getBundle(bundleId)).data.externalKey).toBe(`${one.externalKey}-renamed`);
  });

  it('moves to another account', async () => {
    const { kb, customer, subscribe, rest } = shop();
    const [from, to] = [await customer(), await customer()];
    const { bundleId = '' } = await subscribe(from, 'pistol-monthly-notrial');
    const { data, status } = await kb.bundle.transferBundle({ accountId: to.accountId }, bundleId, by);
    await rest();
    expect([status, data]).toEqual([201, expect.objectContaining({ accountId: to.accountId })]);
    expect(data.bundleId).not.toBe(bundleId);
  });
};
