import { type Answer, type Client } from '../../../../tools/day/client';
import { openAccount, settled, subscribe } from '../../../../tools/day/day';
import { type SystemUnderTest, type Tenant, eventsAfter, startSystem } from '../system';

/**
 * What a client may get wrong. Each mistake is told with its own status and the name of what is wrong; none of them is
 * a server error, and none leaves an event in the log.
 */
let system: SystemUnderTest;
let api: Client;
let tenant: Tenant;
let accountId = '';
let subscriptionId = '';
beforeAll(async () => {
  system = await startSystem();
  ({ api, tenant } = await system.newTenant());
  const account = await openAccount(api, 'known@example.com');
  ({ accountId } = account);
  subscriptionId = await subscribe(api, account, 'standard-monthly');
  await settled(api);
}, 60_000);
afterAll(() => system.stop(), 30_000);

type Mistake = {
  readonly what: string;
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly status: number;
  /** Somewhere in the answer: the field, header or value that is wrong. */
  readonly names?: RegExp;
};

const send = async ({
  method = 'POST',
  path,
  body,
  type = 'application/json',
  headers = {},
}: Mistake): Promise<Answer> => {
  const all: Record<string, string | null> = {
    Authorization: `Basic ${Buffer.from('admin:password').toString('base64')}`,
    'X-Killbill-ApiKey': tenant.apiKey,
    'X-Killbill-ApiSecret': tenant.apiSecret,
    'X-Killbill-CreatedBy': 'tester',
    'Content-Type': body === undefined ? null : type,
    ...headers,
  };
  const path2 = path.replace('ACCOUNT', accountId).replace('SUBSCRIPTION', subscriptionId);
  const text =
    body === undefined || typeof body === 'string' ? body : JSON.stringify(body).replaceAll('ACCOUNT', accountId);
  const response = await fetch(`${system.url}${path2}`, {
    method,
    redirect: 'manual',
    headers: Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)),
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, text: answer, json: <T>() => JSON.parse(answer) as T };
};

const unknownId = '00000000-0000-4000-8000-000000000000';
const long = (length: number): string => 'x'.repeat(length);

/** One account field at a time, the rest as it should be. */
const account = (field: object, names: RegExp, what = Object.keys(field).join()): Mistake => ({
  what: `an account with a wrong ${what}: ${JSON.stringify(field).slice(0, 60)}`,
  path: '/1.0/kb/accounts',
  body: { name: 'n', currency: 'USD', ...field },
  status: 400,
  names,
});

const bodies: readonly Mistake[] = [
  { what: 'malformed JSON', path: '/1.0/kb/accounts', body: '{"name": ', status: 400, names: /JSON/ },
  { what: 'malformed JSON for metering', path: '/meter/record/json', body: '[{', status: 400, names: /JSON/ },
  { what: 'a list where an object belongs', path: '/1.0/kb/accounts', body: [], status: 400 },
  { what: 'a text where an object belongs', path: '/1.0/kb/accounts', body: '"x"', status: 400 },
  { what: 'an object where a list belongs', path: '/meter/record/json', body: {}, status: 400, names: /array/ },
  { what: 'no body where one belongs', path: '/1.0/kb/subscriptions', status: 400 },
  { what: 'no body at the units', path: '/meter/units', status: 400 },
  {
    what: 'a body nested too deeply',
    path: '/1.0/kb/accounts',
    body: '{"name":'.repeat(60) + '1' + '}'.repeat(60),
    status: 400,
  },
  { what: 'a text that no database keeps', path: '/1.0/kb/accounts', body: '{"name":"a\\u0000b"}', status: 400 },
  { what: 'half of a surrogate pair', path: '/1.0/kb/accounts', body: '{"name":"\\ud800"}', status: 400 },
  {
    what: 'a key that would reach into prototypes',
    path: '/1.0/kb/accounts',
    body: '{"__proto__":{"name":"x"}}',
    status: 400,
  },
  {
    what: 'a body of a type nobody reads',
    path: '/1.0/kb/accounts',
    body: '<a/>',
    type: 'application/pdf',
    status: 415,
  },
  { what: 'a form', path: '/1.0/kb/accounts', body: 'name=x', type: 'application/x-www-form-urlencoded', status: 415 },
  { what: 'a text where JSON belongs', path: '/1.0/kb/accounts', body: 'name', type: 'text/plain', status: 400 },
  { what: 'a body that is too large', path: '/1.0/kb/accounts', body: { notes: long(1_200_000) }, status: 413 },
  { what: 'usage that is too large', path: '/meter/record/json', body: [{ unit: long(5_400_000) }], status: 413 },
  { what: 'a body that is far too large', path: '/meter/record/json', body: long(9_000_000), status: 413 },
  {
    what: 'a field that /v1 does not know',
    method: 'PUT',
    path: '/v1/usage/limits/host',
    body: { user: 'u', state: 'LIMITED', extra: 1 },
    status: 400,
    names: /extra/,
  },
];

const fields: readonly Mistake[] = [
  account({ currency: 'XYZ' }, /currency/),
  account({ currency: 5 }, /currency/),
  account({ timeZone: 'Mars/Olympus' }, /timeZone/),
  account({ referenceTime: 'yesterday' }, /referenceTime/),
  account({ referenceTime: '2026-02-30T00:00:00.000Z' }, /referenceTime/),
  account({ billCycleDayLocal: 32 }, /[bB]illCycleDay/),
  account({ billCycleDayLocal: -1 }, /[bB]illCycleDay/),
  account({ billCycleDayLocal: 1.5 }, /[bB]illCycleDay/),
  account({ billCycleDayLocal: '6' }, /[bB]illCycleDay/),
  account({ externalKey: long(256) }, /[eE]xternal ?[kK]ey/),
  account({ name: long(101) }, /name/),
  account({ name: { first: 'a' } }, /name/),
  account({ email: long(129) }, /email/),
  account({ locale: 'en_US_POSIX' }, /locale/),
  account({ isMigrated: 'yes' }, /isMigrated/),
  account({ firstNameLength: 1e300 }, /firstNameLength/),
  account({ parentAccountId: 'not-an-id' }, /parentAccountId/),
  { ...account({ parentAccountId: unknownId }, new RegExp(unknownId)), status: 404 },
  {
    what: 'a subscription without a plan',
    path: '/1.0/kb/subscriptions',
    body: { accountId: 'ACCOUNT' },
    status: 400,
    names: /planName|productName/,
  },
  {
    what: 'an unknown plan',
    path: '/1.0/kb/subscriptions',
    body: { accountId: 'ACCOUNT', planName: 'gold' },
    status: 400,
    names: /gold/,
  },
  {
    what: 'a subscription of nobody',
    path: '/1.0/kb/subscriptions',
    body: { planName: 'standard-monthly' },
    status: 400,
    names: /accountId/,
  },
  {
    what: 'a subscription of an unknown account',
    path: '/1.0/kb/subscriptions',
    body: { accountId: unknownId, planName: 'standard-monthly' },
    status: 404,
    names: new RegExp(unknownId),
  },
  {
    what: 'an accountId that is none',
    path: '/1.0/kb/subscriptions',
    body: { accountId: 'me', planName: 'standard-monthly' },
    status: 400,
    names: /accountId/,
  },
  {
    what: 'a negative quantity',
    path: '/1.0/kb/subscriptions',
    body: { accountId: 'ACCOUNT', planName: 'standard-monthly', quantity: -1 },
    status: 400,
    names: /quantity/,
  },
  {
    what: 'an absurd quantity',
    path: '/1.0/kb/subscriptions',
    body: { accountId: 'ACCOUNT', planName: 'standard-monthly', quantity: 1e308 },
    status: 400,
    names: /quantity/,
  },
  {
    what: 'a date that is none',
    path: '/1.0/kb/subscriptions?entitlementDate=2026-13-45',
    body: { accountId: 'ACCOUNT', planName: 'standard-monthly' },
    status: 400,
    names: /entitlementDate/,
  },
  {
    what: 'a change to an unknown plan',
    method: 'PUT',
    path: '/1.0/kb/subscriptions/SUBSCRIPTION',
    body: { planName: 'gold' },
    status: 400,
    names: /gold/,
  },
  {
    what: 'a change of an unknown subscription',
    method: 'PUT',
    path: `/1.0/kb/subscriptions/${unknownId}`,
    body: { planName: 'standard-pro' },
    status: 404,
    names: new RegExp(unknownId),
  },
  {
    what: 'an unknown policy',
    method: 'PUT',
    path: '/1.0/kb/subscriptions/SUBSCRIPTION?billingPolicy=SOMEDAY',
    body: { planName: 'standard-pro' },
    status: 400,
    names: /billingPolicy/,
  },
  {
    what: 'a policy that refuses',
    method: 'DELETE',
    path: '/1.0/kb/subscriptions/SUBSCRIPTION?billingPolicy=ILLEGAL',
    status: 400,
    names: /ILLEGAL/,
  },
  {
    what: 'a wrong bill cycle day',
    method: 'PUT',
    path: '/1.0/kb/subscriptions/SUBSCRIPTION/bcd',
    body: { billCycleDayLocal: 0 },
    status: 400,
    names: /billCycleDayLocal/,
  },
  {
    what: 'a catalog that is none',
    path: '/1.0/kb/catalog/xml',
    type: 'text/xml',
    body: '<catalog><unfinished',
    status: 400,
  },
  {
    what: 'a catalog with an entity bomb',
    path: '/1.0/kb/catalog/xml',
    type: 'text/xml',
    body: '<!DOCTYPE c [<!ENTITY a "x">]><catalog>&a;</catalog>',
    status: 400,
  },
  {
    what: 'an invoice too far ahead',
    path: '/1.0/kb/invoices?accountId=ACCOUNT&targetDate=2126-01-01',
    status: 400,
    names: /targetDate|future|months/,
  },
  { what: 'an invoice of an unknown account', path: `/1.0/kb/invoices?accountId=${unknownId}`, status: 404 },
  {
    what: 'an invoice for a date that is none',
    path: '/1.0/kb/invoices?accountId=ACCOUNT&targetDate=soon',
    status: 400,
    names: /targetDate/,
  },
  {
    what: 'a payment method of an unknown plugin',
    path: '/1.0/kb/accounts/ACCOUNT/paymentMethods',
    body: { pluginName: 'cash' },
    status: 400,
    names: /cash/,
  },
  {
    what: 'a payment method without a plugin',
    path: '/1.0/kb/accounts/ACCOUNT/paymentMethods',
    body: {},
    status: 400,
    names: /pluginName/,
  },
  {
    what: 'a token nobody gave',
    path: '/1.0/kb/accounts/ACCOUNT/paymentMethods',
    body: { pluginName: 'killbill-paypal-express', pluginInfo: { properties: [{ key: 'token', value: 'EC-0' }] } },
    status: 400,
  },
  {
    what: 'a checkout of an unknown account',
    path: '/plugins/killbill-paypal-express/1.0/setup-checkout',
    body: { kb_account_id: unknownId },
    status: 404,
    names: new RegExp(unknownId),
  },
  {
    what: 'a checkout in no currency',
    path: '/plugins/killbill-paypal-express/1.0/setup-checkout',
    body: { kb_account_id: 'ACCOUNT', currency: 'EVERGREEN' },
    status: 400,
    names: /currency/,
  },
  {
    what: 'a checkout that returns to a script',
    path: '/plugins/killbill-paypal-express/1.0/setup-checkout',
    body: { kb_account_id: 'ACCOUNT', options: { return_url: 'javascript:alert(1)' } },
    status: 400,
    names: /return_url/,
  },
  { what: 'a unit without a name', path: '/meter/units', body: { countingMethod: 'SUM' }, status: 400, names: /name/ },
  {
    what: 'a unit that counts in its own way',
    path: '/meter/units',
    body: { name: 'x', countingMethod: 'MEDIAN' },
    status: 400,
    names: /countingMethod/,
  },
  {
    what: 'two default rules',
    path: '/meter/units',
    body: { name: 'x', countingMethod: 'SUM', rules: [{}, {}] },
    status: 400,
    names: /rule/,
  },
  {
    what: 'a rule for a plan without the plan',
    path: '/meter/units',
    body: { name: 'x', countingMethod: 'SUM', rules: [{ applyPlan: true }] },
    status: 400,
    names: /basePlan/,
  },
  {
    what: 'a free amount below zero',
    path: '/meter/units',
    body: { name: 'x', countingMethod: 'SUM', rules: [{ freeAmount: -1, freePeriod: 'DAY' }] },
    status: 400,
    names: /freeAmount/,
  },
  { what: 'a limit check without a user', method: 'GET', path: '/meter/limit/check/host', status: 400, names: /user/ },
  {
    what: 'a limit check of an unknown unit',
    method: 'GET',
    path: '/meter/limit/check/nothing?user=u',
    status: 404,
    names: /nothing/,
  },
  {
    what: 'a reset below zero',
    method: 'PUT',
    path: '/meter/limit/reset/analytics?user=u&amount=-5',
    status: 400,
    names: /amount/,
  },
  {
    what: 'a reset to nonsense',
    method: 'PUT',
    path: '/meter/limit/reset/analytics?user=u&amount=lots',
    status: 400,
    names: /amount/,
  },
  { what: 'a series without a range', method: 'GET', path: '/meter/record/series', status: 400, names: /start/ },
  {
    what: 'a series of a thousand years',
    method: 'GET',
    path: '/meter/record/series?start=1000-01-01%2000&end=2026-01-01%2000',
    status: 400,
  },
  {
    what: 'a series that ends before it starts',
    method: 'GET',
    path: '/meter/record/series?start=2026-02-01%2000&end=2026-01-01%2000',
    status: 400,
  },
  {
    what: 'usage of an unknown subscription',
    path: '/1.0/kb/usages',
    body: {
      subscriptionId: unknownId,
      unitUsageRecords: [{ unitType: 'host', usageRecords: [{ recordDate: '2026-01-01', amount: 1 }] }],
    },
    status: 404,
  },
  {
    what: 'a tenant without a secret',
    path: '/1.0/kb/tenants',
    body: { apiKey: 'k' },
    status: 400,
    names: /apiSecret/,
  },
  {
    what: 'a clock moved to nonsense',
    path: '/1.0/kb/test/clock?requestedDate=soon',
    status: 400,
    names: /requestedDate/,
  },
];

const who: readonly Mistake[] = [
  {
    what: 'no CreatedBy',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { 'X-Killbill-CreatedBy': null },
    status: 400,
    names: /X-Killbill-CreatedBy/,
  },
  {
    what: 'an empty CreatedBy',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { 'X-Killbill-CreatedBy': ' ' },
    status: 400,
    names: /X-Killbill-CreatedBy/,
  },
  {
    what: 'no credentials',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { Authorization: null },
    status: 401,
  },
  {
    what: 'a wrong password',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { Authorization: `Basic ${Buffer.from('admin:guess').toString('base64')}` },
    status: 401,
  },
  {
    what: 'an unknown user',
    method: 'GET',
    path: '/1.0/kb/accounts?externalKey=a',
    headers: { Authorization: `Basic ${Buffer.from('root:password').toString('base64')}` },
    status: 401,
  },
  {
    what: 'credentials that are none',
    method: 'GET',
    path: '/1.0/kb/accounts?externalKey=a',
    headers: { Authorization: 'Bearer abc' },
    status: 401,
  },
  {
    what: 'an unknown tenant',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { 'X-Killbill-ApiKey': 'nobody' },
    status: 401,
  },
  {
    what: 'a wrong tenant secret',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { 'X-Killbill-ApiSecret': 'guess' },
    status: 401,
  },
  {
    what: 'no tenant',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { 'X-Killbill-ApiKey': null, 'X-Killbill-ApiSecret': null },
    status: 401,
  },
  {
    what: 'the inner headers of a liar',
    path: '/1.0/kb/accounts',
    body: { name: 'x' },
    headers: { 'X-Killbill-ApiKey': null, 'X-Killbill-ApiSecret': null, 'X-Billstream-Tenant': accountId || unknownId },
    status: 401,
  },
];

const paths: readonly Mistake[] = [
  { what: 'an unknown path', method: 'GET', path: '/1.0/kb/unicorns', status: 404 },
  { what: 'a path beside all services', method: 'GET', path: '/admin', status: 404 },
  { what: 'an inner path', path: '/internal/fence', status: 404 },
  { what: 'an inner path behind dots', path: '/meter/../internal/fence', status: 404 },
  { what: 'an inner path behind coded dots', path: '/meter/%2e%2e/internal/fence', status: 404 },
  { what: 'a method that a path does not have', method: 'DELETE', path: '/1.0/kb/catalog/xml', status: 404 },
  { what: 'a method that nobody has', method: 'PROPFIND', path: '/1.0/kb/accounts', status: 405 },
  {
    what: 'an unknown account',
    method: 'GET',
    path: `/1.0/kb/accounts/${unknownId}`,
    status: 404,
    names: new RegExp(unknownId),
  },
  { what: 'an account id that is none', method: 'GET', path: '/1.0/kb/accounts/me', status: 404 },
  { what: 'a path that is no UTF-8', method: 'GET', path: '/1.0/kb/accounts/%ff%fe', status: 400 },
  { what: 'a huge URL', method: 'GET', path: `/1.0/kb/accounts?externalKey=${long(9_000)}`, status: 414 },
  {
    what: 'a URL that is larger than all headers may be',
    method: 'GET',
    path: `/1.0/kb/accounts?externalKey=${long(40_000)}`,
    status: 431,
  },
  {
    what: 'an offset below zero',
    method: 'GET',
    path: '/1.0/kb/accounts/pagination?offset=-5',
    status: 400,
    names: /offset/,
  },
  {
    what: 'a limit that is a word',
    method: 'GET',
    path: '/1.0/kb/accounts/pagination?limit=many',
    status: 400,
    names: /limit/,
  },
];

const check = async (mistake: Mistake): Promise<void> => {
  const before = await system.store.head();
  const answer = await send(mistake);
  expect([answer.status, answer.text.slice(0, 300)]).toEqual([mistake.status, expect.anything()]);
  if (mistake.names !== undefined) expect(answer.text).toMatch(mistake.names);
  if (mistake.status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  expect(await eventsAfter(system, before)).toEqual([]);
};

describe('a body that is not what it should be', () => it.each(bodies)('is refused: $what', check));
describe('a value that is not what it should be', () => it.each(fields)('is refused: $what', check));
describe('a caller who is not who it should be', () => it.each(who)('is refused: $what', check));
describe('a place that is not there', () => it.each(paths)('is refused: $what', check));

describe('what a client may say beyond what is known', () => {
  it('is ignored under /1.0/kb', async () => {
    const answer = await send({ what: '', path: '/1.0/kb/accounts', body: { name: 'x', shoeSize: 44 }, status: 201 });
    expect(answer.status).toBe(201);
  });
  it('is ignored in usage, and one bad record does not take the others with it', async () => {
    const body = [
      { unit: 'analytics', user: 'u', amount: 1, shoeSize: 44 },
      { unit: 'analytics', user: 'u', amount: 'many' },
      { unit: 'host', user: 'u', amount: -1 },
      { unit: 'host', user: 'u', amount: 1, time: 'noon' },
      { user: 'u', amount: 1 },
    ];
    const answer = await send({ what: '', path: '/meter/record/json', body, status: 202 });
    expect([answer.status, answer.json()]).toEqual([
      202,
      expect.objectContaining({
        accepted: 1,
        rejected: [
          expect.objectContaining({ index: 1, field: 'amount' }),
          expect.objectContaining({ index: 2, field: 'amount' }),
          expect.objectContaining({ index: 3, field: 'time' }),
          expect.objectContaining({ index: 4, field: 'unit' }),
        ],
      }),
    ]);
  });
});
