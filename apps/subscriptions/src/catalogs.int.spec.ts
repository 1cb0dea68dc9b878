import { instantOfMs, newId, parseInstant } from '@billstream/kernel';
import {
  type CatalogVersion,
  type StartSubscriptions,
  type SubscriptionSpec,
  bundleStream,
  defaultCatalog,
} from '@billstream/subscriptions-domain';
import { writeCatalog } from './catalog-xml/write-catalog';
import { writeCatalogDocument } from './documents/catalog-document';
import { subscriberOf, subscriptionsOn } from './subscriptions';
import { subscriptionsUnderTest } from './testing/subscriptions-under-test';

const at = (text: string) => parseInstant(`${text}T10:00:00Z`) ?? instantOfMs(0);

let service: Awaited<ReturnType<typeof subscriptionsUnderTest>>;
beforeEach(async () => {
  service = await subscriptionsUnderTest(at('2026-01-10'));
  await service.usesDefaultCatalog();
});
afterEach(() => service.close());

const get = async (url: string) => (await service.call({ method: 'GET', url })).json();
const send = (method: 'POST' | 'PUT' | 'DELETE', url: string, payload?: object | string, type?: string) =>
  service.call({
    method,
    url,
    ...(payload === undefined ? {} : { payload }),
    ...(type === undefined ? {} : { headers: { 'content-type': type } }),
  });

const subscribe = async (planName = 'standard-monthly'): Promise<string> => {
  const accountId = await service.hasAccount();
  const created = await send('POST', '/1.0/kb/subscriptions', { accountId, planName });
  expect(created.statusCode).toBe(201);
  return String(created.headers.location).split('/').at(-1) ?? '';
};

/** The default catalog from a date on, with another monthly price of `standard-monthly`. */
const version = (effectiveDate: string, price: string, existing: string | null): CatalogVersion => {
  const text = JSON.stringify(defaultCatalog).replace('"prices":{"USD":"20"}', `"prices":{"USD":"${price}"}`);
  const changed = JSON.parse(text) as CatalogVersion;
  return {
    ...changed,
    effectiveDate: at(effectiveDate),
    plans: changed.plans.map((plan) =>
      plan.name === 'standard-monthly'
        ? { ...plan, effectiveDateForExistingSubscriptions: existing === null ? null : at(existing) }
        : plan,
    ),
  };
};
const upload = async (one: CatalogVersion) => {
  const answer = await send('POST', '/1.0/kb/catalog/xml', writeCatalog(one), 'text/xml');
  expect([answer.statusCode, answer.body]).toEqual([201, '']);
};

const pricesOf = async (subscriptionId: string) => {
  const events = await service.published();
  const last = events
    .filter(({ type }) => type === 'subscriptions.billing-changed.v1')
    .map(({ data }) => data as { subscriptionId: string; transitions: readonly Transition[] })
    .findLast((data) => data.subscriptionId === subscriptionId);
  return last?.transitions.map(
    ({ kind, effectiveAt, phase }) => `${kind} ${effectiveAt.slice(0, 10)} ${phase?.recurring?.price ?? '-'}`,
  );
};
type Transition = {
  readonly kind: string;
  readonly effectiveAt: string;
  readonly phase: { readonly recurring: { readonly price: string } | null } | null;
};

describe('a catalog version that concerns existing subscriptions', () => {
  beforeEach(() => upload(version('2026-01-01', '20', null)));

  it('reaches each of them, page by page, and then no more is due', async () => {
    const [first, second, other] = [await subscribe(), await subscribe(), await subscribe('standard-pro')];
    await upload(version('2026-03-01', '30', '2026-04-01'));
    expect(await service.isNow(at('2026-01-11'))).toBe(1);
    const moved = ['START 2026-01-10 -', 'PHASE 2026-02-09 20', 'CHANGE 2026-04-01 30'];
    expect([await pricesOf(first), await pricesOf(second)]).toEqual([moved, moved]);
    expect(await pricesOf(other)).toEqual(['START 2026-01-10 -', 'PHASE 2026-02-09 50']);
    expect(await service.isNow(at('2026-01-12'))).toBe(0);
  });

  it('reaches one that was chosen from the catalog of before, too', async () => {
    const subscriptions = subscriptionsOn(service.runtime);
    const { tenantId } = service;
    const facts = await subscriptions.accountOf(tenantId, await service.hasAccount());
    if (facts === null) throw new Error('the account is not known');
    const before = await subscriptions.catalogOf(tenantId);
    await upload(version('2026-03-01', '30', '2026-04-01'));
    const now = at('2026-01-10');
    const spec: SubscriptionSpec = {
      ...{ subscriptionId: newId(), externalKey: null, plan: { planName: 'standard-monthly' }, startIn: null },
      ...{ quantity: 1, billCycleDayLocal: null, priceOverrides: [] },
    };
    const data: StartSubscriptions = {
      ...{ bundleId: newId(), externalKey: null, account: subscriberOf(facts), catalog: before, now },
      ...{ entitlementAt: null, billingAt: null, migrated: false, subscriptions: [spec] },
    };
    const context = { commandId: newId(), tenantId, actor: { createdBy: 'test' }, at: now, correlationId: newId() };
    await subscriptions.bundle(bundleStream(data.bundleId), { type: 'StartSubscriptions', data }, context);
    expect(await pricesOf(spec.subscriptionId)).toContain('CHANGE 2026-04-01 30');
  });

  it('waits for the next bill date where the tenant says so, before or after the upload', async () => {
    const subscriptionId = await subscribe();
    await upload(version('2026-03-01', '30', '2026-04-01'));
    await service.isNow(at('2026-01-11'));
    const key = 'org.killbill.subscription.align.effectiveDateForExistingSubscriptions';
    await service.reactions.accounts.settingsChanged({
      ...service.told('accounts.tenant-settings-changed.v1', {
        tenantId: service.tenantId,
        settings: { [key]: 'true' },
      }),
      type: 'accounts.tenant-settings-changed.v1',
    });
    await service.isNow(at('2026-01-12'));
    expect(await pricesOf(subscriptionId)).toContain('CHANGE 2026-04-09 30');
    expect(await pricesOf(await subscribe())).toContain('CHANGE 2026-04-11 30');
  });

  it('shows what the subscription is on at a date', async () => {
    await upload(version('2026-03-01', '30', '2026-04-01'));
    const subscriptionId = await subscribe();
    const asked = (what: string, date: string) =>
      get(`/1.0/kb/catalog/${what}?subscriptionId=${subscriptionId}&requestedDate=${date}`);
    expect(await asked('plan', '2026-03-15')).toMatchObject({
      name: 'standard-monthly',
      phases: [{ type: 'TRIAL' }, { prices: [{ currency: 'USD', value: 20 }] }],
    });
    expect(await asked('phase', '2026-01-15')).toMatchObject({ type: 'TRIAL', prices: [] });
    expect(await asked('phase', '2026-04-15')).toMatchObject({ prices: [{ currency: 'USD', value: 30 }] });
    expect(await asked('product', '2026-04-15')).toMatchObject({ type: 'BASE', name: 'Standard' });
    expect(await asked('priceList', '2026-04-15')).toEqual({
      name: 'DEFAULT',
      plans: ['standard-monthly', 'standard-pro'],
    });
    const refused = await service.call({ method: 'GET', url: '/1.0/kb/catalog/plan' });
    expect([refused.statusCode, refused.json().message]).toEqual([400, 'subscriptionId: must be given']);
  });
});

describe('/v1/catalog', () => {
  const document = () => writeCatalogDocument(version('2026-01-01', '25', null)) as Record<string, unknown>;

  it('takes a JSON document and shows it again, as JSON and as XML', async () => {
    const created = await send('POST', '/v1/catalog', document());
    expect([created.statusCode, created.json()]).toEqual([
      201,
      { catalogName: 'Billstream', effectiveDate: '2026-01-01T10:00:00.000Z' },
    ]);
    expect(await get(new URL(String(created.headers.location)).pathname)).toEqual({ versions: [document()] });
    const xml = await service.call({ method: 'GET', url: '/1.0/kb/catalog/xml' });
    expect(xml.body).toBe(writeCatalog(version('2026-01-01', '25', null)));
  });

  it('names every field that is unknown, missing or wrong, and keeps nothing', async () => {
    const { currencies, ...others } = document();
    const [plan, pro] = others['plans'] as readonly object[];
    const odd = { ...others, colour: 'red', plans: [{ ...plan, plansAllowedInBundle: 1.5 }, pro] };
    const answer = await send('POST', '/v1/catalog', odd);
    expect(currencies).toBeDefined();
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 'invalid-catalog',
      errors: [{ pointer: '/colour' }, { pointer: '/currencies' }, { pointer: '/plans/0/plansAllowedInBundle' }],
    });
    const unknown = { ...document(), plans: [{ ...plan, product: 'Nope' }, pro] };
    expect((await send('POST', '/v1/catalog', unknown)).json().errors).toEqual([
      { pointer: '/plans/0/product', code: 'invalid-catalog', message: 'product Nope is unknown' },
    ]);
    expect((await send('POST', '/v1/catalog/validate', unknown)).json()).toEqual({
      errors: [{ pointer: '/plans/0/product', message: 'product Nope is unknown' }],
    });
  });

  it('turns XML into JSON and JSON into XML', async () => {
    const xml = writeCatalog(version('2026-01-01', '25', null));
    const json = await send('POST', '/v1/catalog/convert', xml, 'text/xml');
    expect(json.json()).toEqual(document());
    const back = await send('POST', '/v1/catalog/convert', document());
    expect([back.headers['content-type'], back.body]).toEqual(['text/xml; charset=utf-8', xml]);
  });
});

describe('/v1/billing-rules', () => {
  const rules = {
    billingAlignment: [
      { productCategory: 'ADD_ON', billingAlignment: 'BUNDLE' },
      { productCategory: '', billingPeriod: '', phaseType: '', billingAlignment: 'SUBSCRIPTION' },
    ],
    cancelPolicy: [{ phaseType: 'TRIAL', billingActionPolicy: 'IMMEDIATE' }, { billingActionPolicy: 'END_OF_TERM' }],
    changePolicy: [{ toBillingPeriod: 'MONTHLY', billingActionPolicy: 'ILLEGAL' }],
  };

  it('hold for what is decided from then on, and leave the other lists to the catalog', async () => {
    const before = await subscribe();
    const set = await send('PUT', '/v1/billing-rules', rules);
    expect(set.statusCode).toBe(200);
    expect(await get('/v1/billing-rules')).toEqual({
      ...rules,
      billingAlignment: [rules.billingAlignment[0], { billingAlignment: 'SUBSCRIPTION' }],
    });
    const change = await send('PUT', `/1.0/kb/subscriptions/${before}`, { planName: 'standard-pro' });
    expect([change.statusCode, change.json().code]).toEqual([400, 2001]);
    const after = await get(`/1.0/kb/subscriptions/${await subscribe()}`);
    expect(after.billCycleDayLocal).toBe(9);
    await send('DELETE', '/v1/billing-rules/changePolicy');
    const again = await send('PUT', `/1.0/kb/subscriptions/${before}`, { planName: 'standard-pro' });
    expect(again.statusCode).toBe(204);
    const { revisions } = await get('/v1/billing-rules/revisions');
    expect(
      revisions.map(({ revision, rules: set }: { revision: number; rules: object }) => [
        revision,
        Object.keys(set).sort(),
      ]),
    ).toEqual([
      [1, ['billingAlignment', 'cancelPolicy', 'changePolicy']],
      [2, ['billingAlignment', 'cancelPolicy']],
    ]);
  });

  it.each([
    ['/billingAlignment', [{ billingAlignment: 'BUNDLE' }], '/0/billingAlignment'],
    ['/changeAlignment', [{ planAlignmentChange: 'CHANGE_OF_PRICELIST' }], '/0/planAlignmentChange'],
    ['/createAlignment', [{ productCategory: 'BASE', planAlignmentCreate: 'START_OF_BUNDLE' }], '/0/productCategory'],
    ['/cancelPolicy', [{ billingActionPolicy: 'START_OF_TERM' }], '/0/billingActionPolicy'],
    ['/cancelPolicy', [{ billingPeriod: 'FORTNIGHTLY', billingActionPolicy: 'IMMEDIATE' }], '/0/billingPeriod'],
    ['/changePolicy', [{ billingActionPolicy: 'IMMEDIATE' }, { billingActionPolicy: 'ILLEGAL' }], '/1'],
    ['', { pricing: [] }, '/pricing'],
    ['', { cancelPolicy: 'IMMEDIATE' }, '/cancelPolicy'],
  ])('refuse %s %j and name the place', async (list, body, pointer) => {
    const answer = await send('PUT', `/v1/billing-rules${list}`, body);
    expect([answer.statusCode, answer.json().errors?.[0]?.pointer]).toEqual([400, pointer]);
    expect(await get('/v1/billing-rules')).toEqual({});
  });

  it('know no other list', async () => {
    expect((await send('PUT', '/v1/billing-rules/pricing', [])).statusCode).toBe(404);
  });
});
