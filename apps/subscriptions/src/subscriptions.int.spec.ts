import { instantOfMs, parseInstant, parseLocalDate } from '@billstream/kernel';
import { defaultCatalog } from '@billstream/subscriptions-domain';
import { writeCatalog } from './catalog-xml/write-catalog';
import { subscriptionsUnderTest } from './testing/subscriptions-under-test';

const at = (text: string) => parseInstant(`${text}T10:00:00Z`) ?? instantOfMs(0);
const pathOf = (location: unknown): string => new URL(String(location)).pathname;

let service: Awaited<ReturnType<typeof subscriptionsUnderTest>>;
beforeEach(async () => {
  service = await subscriptionsUnderTest(at('2026-01-10'));
  await service.usesDefaultCatalog();
});
afterEach(() => service.close());

const subscribe = async (accountId: string, more: object = {}, query = '') =>
  service.call({
    method: 'POST',
    url: `/1.0/kb/subscriptions${query}`,
    payload: { accountId, planName: 'standard-monthly', ...more },
  });

const read = async (url: string) => (await service.call({ method: 'GET', url })).json();

describe('POST /1.0/kb/subscriptions', () => {
  it('creates the plan of the walk-through and shows it where Location points', async () => {
    const accountId = await service.hasAccount();
    const query = '?renameKeyIfExistsAndUnused=true&migrated=false&callCompletion=false&callTimeoutSec=3';
    const created = await subscribe(accountId, {}, query);
    expect(created.statusCode).toBe(201);
    expect(created.body).toBe('');
    const shown = await read(pathOf(created.headers.location));
    expect(shown).toMatchObject({
      accountId,
      planName: 'standard-monthly',
      productName: 'Standard',
      productCategory: 'BASE',
      billingPeriod: 'MONTHLY',
      phaseType: 'TRIAL',
      priceList: 'DEFAULT',
      state: 'ACTIVE',
      sourceType: 'NATIVE',
      startDate: '2026-01-10T10:00:00.000Z',
      cancelledDate: null,
      chargedThroughDate: null,
      billCycleDayLocal: null,
      quantity: 1,
      priceOverrides: null,
      auditLogs: [],
    });
    expect(shown.bundleExternalKey).toBe(shown.bundleId);
    expect(
      shown.events.map(
        (event: { eventType: string; effectiveDate: string }) =>
          `${event.eventType} ${event.effectiveDate.slice(0, 10)}`,
      ),
    ).toEqual(['START_ENTITLEMENT 2026-01-10', 'START_BILLING 2026-01-10', 'PHASE 2026-02-09']);
    expect(
      shown.prices.map((price: { phaseName: string; fixedPrice: number; recurringPrice: number }) => [
        price.phaseName,
        price.fixedPrice,
        price.recurringPrice,
      ]),
    ).toEqual([
      ['standard-monthly-trial', 0, null],
      ['standard-monthly-evergreen', null, 20],
    ]);
  });

  it('publishes the whole timeline with resolved prices', async () => {
    const accountId = await service.hasAccount();
    await subscribe(accountId);
    const [event, ...others] = await service.published();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'subscriptions.billing-changed.v1',
      key: accountId,
      data: {
        accountId,
        transitions: [
          { kind: 'START' },
          { kind: 'PHASE', phase: { recurring: { price: '20', billingPeriod: 'MONTHLY' } } },
        ],
      },
    });
  });

  it('does nothing twice when an idempotency key is sent again', async () => {
    const accountId = await service.hasAccount();
    const send = () =>
      service.call({
        method: 'POST',
        url: '/1.0/kb/subscriptions',
        payload: { accountId, planName: 'standard-pro', bundleExternalKey: 'k' },
        headers: { 'idempotency-key': 'once' },
      });
    const [first, second] = [await send(), await send()];
    expect(second.statusCode).toBe(201);
    expect(second.headers.location).toBe(first.headers.location);
    expect(await read(`/1.0/kb/accounts/${accountId}/bundles`)).toHaveLength(1);
  });

  it('adds to a bundle once when an idempotency key is sent again', async () => {
    const accountId = await service.hasAccount();
    const addOn = {
      ...{ planId: 'extra', productName: 'Extra', productCategory: 'ADD_ON', currency: 'USD', amount: 1 },
      ...{ billingPeriod: 'MONTHLY', trialLength: 0, trialTimeUnit: 'UNLIMITED', availableBaseProducts: ['Base'] },
    };
    const base = { ...addOn, planId: 'base', productName: 'Base', productCategory: 'BASE', availableBaseProducts: [] };
    for (const payload of [base, addOn])
      await service.call({ method: 'POST', url: '/1.0/kb/catalog/simplePlan', payload });
    const { bundleId } = await read(pathOf((await subscribe(accountId, { planName: 'base' })).headers.location));
    const send = () =>
      service.call({
        method: 'POST',
        url: '/1.0/kb/subscriptions',
        payload: { accountId, bundleId, planName: 'extra', externalKey: 'extra' },
        headers: { 'idempotency-key': 'add-on' },
      });
    const [first, second] = [await send(), await send()];
    expect([first.statusCode, second.statusCode]).toEqual([201, 201]);
    expect(second.headers.location).toBe(first.headers.location);
  });

  it.each([
    [{ planName: 'no-such-plan' }, 400, 2021],
    [{ planName: 'standard-monthly', productName: 'Standard' }, 400, null],
    [
      {
        planName: null,
        productName: 'Standard',
        productCategory: 'BASE',
        billingPeriod: 'ANNUAL',
        priceList: 'DEFAULT',
      },
      400,
      2020,
    ],
    [{ phaseType: 'DISCOUNT' }, 400, 1011],
    [{ accountId: '11111111-1111-4111-8111-111111111111' }, 404, 3002],
  ])('refuses %j', async (more, status, code) => {
    const refused = await subscribe(await service.hasAccount(), more);
    expect([refused.statusCode, refused.json().code]).toEqual([status, code]);
  });

  it('hides everything from another tenant', async () => {
    const created = await subscribe(await service.hasAccount());
    const foreign = await service.call({
      method: 'GET',
      url: pathOf(created.headers.location),
      tenant: '22222222-2222-4222-8222-222222222222',
    });
    expect([foreign.statusCode, foreign.json().code]).toEqual([404, 1082]);
  });
});

describe('external keys', () => {
  it('belong to one living bundle, and pass on when it has ended', async () => {
    const accountId = await service.hasAccount();
    const first = await subscribe(accountId, { bundleExternalKey: 'team' });
    const taken = await subscribe(accountId, { bundleExternalKey: 'team' });
    expect([taken.statusCode, taken.json().code]).toEqual([400, 1014]);
    await service.call({
      method: 'DELETE',
      url: `${pathOf(first.headers.location)}?entitlementPolicy=IMMEDIATE&billingPolicy=IMMEDIATE`,
    });
    expect(
      (await subscribe(accountId, { bundleExternalKey: 'team' }, '?renameKeyIfExistsAndUnused=false')).statusCode,
    ).toBe(400);
    expect((await subscribe(accountId, { bundleExternalKey: 'team' })).statusCode).toBe(201);
    expect(await read('/1.0/kb/bundles?externalKey=team')).toHaveLength(1);
    const all = await read('/1.0/kb/bundles?externalKey=team&includedDeleted=true');
    expect(all.map(({ externalKey }: { externalKey: string }) => externalKey.slice(0, 4))).toEqual(['cncl', 'team']);
  });

  it('can be changed, and leave the old key to others', async () => {
    const accountId = await service.hasAccount();
    const created = await subscribe(accountId, { bundleExternalKey: 'before' });
    const { bundleId } = await read(pathOf(created.headers.location));
    const renaming = { method: 'PUT' as const, url: `/1.0/kb/bundles/${bundleId}/renameKey` };
    expect((await service.call({ ...renaming, payload: { externalKey: 'after' } })).statusCode).toBe(204);
    expect(await read('/1.0/kb/bundles?externalKey=after')).toMatchObject([{ bundleId }]);
    expect((await subscribe(accountId, { bundleExternalKey: 'before' })).statusCode).toBe(201);
    expect((await service.call({ ...renaming, payload: { externalKey: 'before' } })).statusCode).toBe(400);
  });

  it('that a refused request asked for stay free', async () => {
    const accountId = await service.hasAccount();
    await subscribe(accountId, { bundleExternalKey: 'free', planName: 'no-such-plan' });
    expect((await subscribe(accountId, { bundleExternalKey: 'free' })).statusCode).toBe(201);
    const { bundleId } = await read(pathOf((await subscribe(accountId)).headers.location));
    const second = { method: 'POST' as const, url: '/1.0/kb/subscriptions', headers: { 'idempotency-key': 'second' } };
    const payload = { accountId, planName: 'standard-monthly', externalKey: 'own' };
    expect((await service.call({ ...second, payload: { ...payload, bundleId } })).statusCode).toBe(400);
    const first = await service.call({ ...second, headers: {}, payload });
    expect(first.statusCode).toBe(201);
    const missing = await service.call({ method: 'GET', url: '/1.0/kb/bundles?externalKey=none' });
    expect([missing.statusCode, missing.json().code]).toEqual([404, 1084]);
  });
});

describe('a living subscription', () => {
  it('moves through its phases as the clock does', async () => {
    const created = await subscribe(await service.hasAccount());
    expect(await service.isNow(at('2026-02-08'))).toBe(0);
    expect(await service.isNow(at('2026-02-09'))).toBe(1);
    expect(await read(pathOf(created.headers.location))).toMatchObject({ phaseType: 'EVERGREEN', state: 'ACTIVE' });
  });

  it('changes its plan at once, or at the end of the term that was charged', async () => {
    const path = pathOf((await subscribe(await service.hasAccount())).headers.location);
    const subscriptionId = path.split('/').at(-1) ?? '';
    await service.isNow(at('2026-02-20'));
    const chargedThroughDate = parseLocalDate('2026-03-09');
    if (chargedThroughDate === null) throw new Error('not a day');
    const told = service.told('invoicing.charged-through-changed.v1', {
      accountId: '',
      subscriptions: [{ subscriptionId, chargedThroughDate }],
    });
    await service.reactions.invoicing.chargedThroughChanged({ ...told, type: 'invoicing.charged-through-changed.v1' });
    const change = await service.call({
      method: 'PUT',
      url: `${path}?billingPolicy=END_OF_TERM`,
      payload: { planName: 'standard-pro' },
    });
    expect(change.statusCode).toBe(204);
    const waiting = await read(path);
    expect(waiting).toMatchObject({ planName: 'standard-monthly', chargedThroughDate: '2026-03-09' });
    expect(waiting.events.at(-1)).toMatchObject({
      eventType: 'CHANGE',
      effectiveDate: '2026-03-09T10:00:00.000Z',
      plan: 'standard-pro',
    });
    await service.isNow(at('2026-03-09'));
    expect(await read(path)).toMatchObject({ planName: 'standard-pro', phaseType: 'EVERGREEN' });
    const undo = await service.call({ method: 'PUT', url: `${path}/undoChangePlan` });
    expect([undo.statusCode, undo.json().code]).toEqual([400, 1071]);
  });

  it('is cancelled, brought back while that is pending, and refuses to be cancelled twice', async () => {
    const path = pathOf((await subscribe(await service.hasAccount())).headers.location);
    expect(
      (
        await service.call({
          method: 'DELETE',
          url: `${path}?requestedDate=2026-01-20&useRequestedDateForBilling=true`,
        })
      ).statusCode,
    ).toBe(204);
    expect(await read(path)).toMatchObject({
      state: 'ACTIVE',
      cancelledDate: '2026-01-20T10:00:00.000Z',
      billingEndDate: '2026-01-20T10:00:00.000Z',
    });
    expect((await service.call({ method: 'PUT', url: `${path}/uncancel` })).statusCode).toBe(204);
    expect(await read(path)).toMatchObject({ cancelledDate: null, billingEndDate: null });
    expect((await service.call({ method: 'DELETE', url: path })).statusCode).toBe(204);
    expect(await read(path)).toMatchObject({ state: 'CANCELLED' });
    const again = await service.call({ method: 'DELETE', url: path });
    expect([again.statusCode, again.json().code]).toEqual([400, 1031]);
  });

  it('is paused and resumed with its bundle', async () => {
    const path = pathOf((await subscribe(await service.hasAccount())).headers.location);
    const { bundleId } = await read(path);
    expect((await service.call({ method: 'PUT', url: `/1.0/kb/bundles/${bundleId}/pause` })).statusCode).toBe(204);
    expect(await read(path)).toMatchObject({ state: 'BLOCKED' });
    const change = await service.call({ method: 'PUT', url: path, payload: { planName: 'standard-pro' } });
    expect([change.statusCode, change.json().code]).toEqual([400, 6000]);
    await service.isNow(at('2026-01-15'));
    await service.call({ method: 'PUT', url: `/1.0/kb/bundles/${bundleId}/resume` });
    expect(await read(path)).toMatchObject({ state: 'ACTIVE' });
  });
});

describe('bundles', () => {
  it('are listed page by page, found by part of their key, and created several at once', async () => {
    const accountId = await service.hasAccount();
    const created = await service.call({
      method: 'POST',
      url: '/1.0/kb/subscriptions/createSubscriptionsWithAddOns',
      payload: [
        { baseEntitlementAndAddOns: [{ accountId, planName: 'standard-monthly', bundleExternalKey: 'left' }] },
        {
          baseEntitlementAndAddOns: [
            { accountId, planName: 'standard-pro', bundleExternalKey: 'right', externalKey: 'mine' },
          ],
        },
      ],
    });
    expect(created.statusCode).toBe(201);
    const location = new URL(String(created.headers.location));
    expect(await read(`${location.pathname}${location.search}`)).toHaveLength(2);
    const page = await service.call({ method: 'GET', url: '/1.0/kb/bundles/pagination?limit=1' });
    expect(page.json()).toHaveLength(1);
    expect(page.headers).toMatchObject({
      'x-killbill-pagination-totalnbrecords': '2',
      'x-killbill-pagination-nextoffset': '1',
    });
    expect(await read('/1.0/kb/bundles/search/igh')).toHaveLength(1);
    expect(await read('/1.0/kb/subscriptions?externalKey=mine')).toMatchObject({
      planName: 'standard-pro',
      externalKey: 'mine',
    });
  });
});

describe('the catalog', () => {
  it('is the default one until versions are uploaded, and reads back what was uploaded', async () => {
    expect(await read('/1.0/kb/catalog')).toMatchObject([
      { name: 'Billstream', currencies: ['USD'], products: [{ name: 'Standard' }, { name: 'Pro' }] },
    ]);
    const version = { ...defaultCatalog, catalogName: 'Own', effectiveDate: at('2026-01-01') };
    const upload = await service.call({
      method: 'POST',
      url: '/1.0/kb/catalog/xml',
      payload: writeCatalog(version),
      headers: { 'content-type': 'text/xml' },
    });
    expect(upload.statusCode).toBe(201);
    expect(await read('/1.0/kb/catalog')).toMatchObject([{ name: 'Own' }]);
    const xml = await service.call({ method: 'GET', url: '/1.0/kb/catalog/xml' });
    expect(xml.headers['content-type']).toContain('text/xml');
    expect(xml.body).toBe(writeCatalog(version));
  });

  it('lists base plans with their final price', async () => {
    expect(await read('/1.0/kb/catalog/availableBasePlans')).toEqual([
      {
        product: 'Standard',
        plan: 'standard-monthly',
        priceList: 'DEFAULT',
        finalPhaseBillingPeriod: 'MONTHLY',
        finalPhaseRecurringPrice: [{ currency: 'USD', value: 20 }],
      },
      {
        product: 'Pro',
        plan: 'standard-pro',
        priceList: 'DEFAULT',
        finalPhaseBillingPeriod: 'MONTHLY',
        finalPhaseRecurringPrice: [{ currency: 'USD', value: 50 }],
      },
    ]);
  });

  it('refuses a broken document and names what is wrong with it', async () => {
    const broken = writeCatalog(defaultCatalog).replace('<product>Pro</product>', '<product>Nope</product>');
    const upload = await service.call({
      method: 'POST',
      url: '/1.0/kb/catalog/xml',
      payload: broken,
      headers: { 'content-type': 'text/xml' },
    });
    expect([upload.statusCode, upload.json().code]).toEqual([400, 2080]);
    expect(upload.json().message).toContain(
      "/catalog/plans/plan[@name='standard-pro']/product: product Nope is unknown",
    );
    const bomb = await service.call({
      method: 'POST',
      url: '/1.0/kb/catalog/xml',
      payload: '<!DOCTYPE catalog [<!ENTITY a "b">]><catalog/>',
      headers: { 'content-type': 'text/xml' },
    });
    expect(bomb.statusCode).toBe(400);
  });

  it('grows by simple plans', async () => {
    const plan = {
      planId: 'easy',
      productName: 'Easy',
      productCategory: 'BASE',
      currency: 'USD',
      amount: 10,
      billingPeriod: 'MONTHLY',
      trialLength: 14,
      trialTimeUnit: 'DAYS',
    };
    expect((await service.call({ method: 'POST', url: '/1.0/kb/catalog/simplePlan', payload: plan })).statusCode).toBe(
      201,
    );
    const created = await subscribe(await service.hasAccount(), { planName: 'easy' });
    expect(await read(pathOf(created.headers.location))).toMatchObject({ planName: 'easy', phaseType: 'TRIAL' });
    const other = await service.call({
      method: 'POST',
      url: '/1.0/kb/catalog/simplePlan',
      payload: { ...plan, amount: 11 },
    });
    expect([other.statusCode, other.json().code]).toEqual([400, 2060]);
  });
});
