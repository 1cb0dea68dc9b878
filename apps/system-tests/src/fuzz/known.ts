import type { Client } from '../../../../tools/day/client';
import { idIn } from '../../../../tools/day/client';
import { settled } from '../../../../tools/day/day';

/** What would be right in a field or parameter of that name: a list to choose from. */
export type Right = Readonly<Record<string, readonly unknown[]>>;

/** Right wherever a name is met, whatever there is in the shop. */
const words: Right = {
  kb_account_id: [],
  unit: ['host', 'analytics', 'bullets'],
  unitType: ['bullets', 'host'],
  planName: ['shotgun-monthly', 'pistol-monthly-notrial', 'pistol-weekly', 'shotgun-annual'],
  plan: ['shotgun-monthly', 'pistol-monthly'],
  planId: ['cheap-monthly'],
  productName: ['Shotgun', 'Pistol'],
  baseProductName: ['Shotgun'],
  productCategory: ['BASE', 'ADD_ON'],
  billingPeriod: ['MONTHLY', 'ANNUAL'],
  priceList: ['DEFAULT'],
  priceListName: ['DEFAULT'],
  phaseType: ['EVERGREEN', 'TRIAL'],
  phaseName: ['shotgun-monthly-evergreen'],
  currency: ['USD'],
  timeZone: ['Asia/Seoul', 'UTC'],
  locale: ['ko_KR', 'en_US'],
  billCycleDayLocal: [6, 31],
  quantity: [3],
  amount: [12.5, 3],
  purchasedAmount: [10],
  trialLength: [3],
  trialTimeUnit: ['DAYS'],
  name: ['seats', 'colour'],
  email: ['new@example.com'],
  value: ['blue'],
  countingMethod: ['SUM', 'AVG'],
  state: ['LIMITED'],
  pluginName: ['killbill-payment-test', 'killbill-paypal-express'],
  keyName: ['colour'],
  keyPrefix: ['PER_TENANT_CONFIG'],
  cb: ['https://shop.example/events'],
  service: ['shop'],
  stateName: ['PAUSED', 'CLEAR'],
  isBlockChange: [true, false],
  isBlockEntitlement: [true, false],
  isBlockBilling: [true, false],
  type: ['SUBSCRIPTION', 'ACCOUNT'],
  transactionType: ['AUTHORIZE', 'PURCHASE', 'CREDIT', 'CAPTURE', 'REFUND'],
  requestedDate: ['2026-05-24', '2026-03-15', '2026-02-01', '2026-04-01T10:00:00Z'],
  targetDate: ['2026-04-24', '2026-06-01'],
  entitlementDate: ['2026-03-01', '2026-04-01'],
  billingDate: ['2026-03-01', '2026-04-01'],
  effectiveFromDate: ['2026-05-24', '2026-03-20'],
  effectiveDate: ['2026-04-24'],
  recordDate: ['2026-03-02', '2026-03-02T10:00:00Z'],
  startDate: ['2026-03-01'],
  endDate: ['2026-04-01'],
  billingPolicy: ['IMMEDIATE', 'END_OF_TERM'],
  entitlementPolicy: ['IMMEDIATE', 'END_OF_TERM'],
  dryRunType: ['TARGET_DATE', 'SUBSCRIPTION_ACTION', 'UPCOMING_INVOICE'],
  dryRunAction: ['CHANGE', 'STOP_BILLING', 'START_BILLING'],
  referenceTime: ['2026-01-01T00:00:00.000Z'],
  return_url: ['https://shop.example'],
  cancel_return_url: ['https://shop.example'],
  periodSplitting: [null],
  freePeriod: ['DAY'],
  limitRefreshInterval: ['DAY'],
  basePlan: ['standard-pro'],
  until: ['2026-12-24T00:00:00.000Z'],
  objectType: ['ACCOUNT', 'INVOICE', 'SUBSCRIPTION'],
  searchKey: ['known', '_q=1&currency=USD'],
  username: ['clerk'],
  role: ['clerk'],
  permissions: [['account:create']],
  password: ['long-enough-password'],
  offset: [0, 3],
  limit: [2, -2, 100],
  audit: ['NONE', 'FULL', 'MINIMAL'],
  mode: ['ADD', 'REPLACE'],
  from: ['2026-03-01T00:00:00Z'],
  to: ['2026-04-01T00:00:00Z'],
  units: [['analytics'], ['host', 'analytics']],
  part: ['0001'],
  interval: ['hour', 'day', 'month'],
};

type Found = Readonly<Record<string, unknown>>;
const texts = (list: readonly Found[], field: string): readonly string[] =>
  list.flatMap((entry) => (typeof entry[field] === 'string' ? [entry[field]] : []));

/** A backfill that could be committed. */
const stagedBackfill = async (api: Client, user: string): Promise<string> => {
  const range = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z', units: ['analytics'], users: [user] };
  const body = { name: 'lost', reason: 'a test', mode: 'ADD', ...range };
  const { backfillId } = (await api.expect(201, 'POST', '/v1/usage/backfills', { body })).json<{
    backfillId: string;
  }>();
  const records = [{ unit: 'analytics', user, amount: 3, time: '2026-03-02T10:00:00Z', id: backfillId }];
  await api.expect(200, 'PUT', `/v1/usage/backfills/${backfillId}/parts/0000`, { body: records });
  return backfillId;
};

/** One customer with a paid plan, an unpaid charge, a tag and a field: objects of every kind to be senseless about. */
const customer = async (api: Client, key: string): Promise<Readonly<Record<string, readonly string[]>>> => {
  const post = async (path: string, body: unknown): Promise<string> =>
    idIn(await api.expect(201, 'POST', `/1.0/kb${path}`, { body }));
  const list = async (path: string): Promise<readonly Found[]> => (await api.ask('GET', `/1.0/kb${path}`)).json();
  const accountId = await post('/accounts', {
    externalKey: key,
    name: 'Known',
    email: 'known@example.com',
    currency: 'USD',
  });
  const method = { pluginName: 'killbill-payment-test', pluginInfo: { properties: [] } };
  const paymentMethodId = await post(`/accounts/${accountId}/paymentMethods?isDefault=true`, method);
  await settled(api);
  const subscriptionId = await post('/subscriptions', { accountId, planName: 'pistol-monthly-notrial' });
  await settled(api);
  const { bundleId } = (await api.expect(200, 'GET', `/1.0/kb/subscriptions/${subscriptionId}`)).json<{
    bundleId: string;
  }>();
  const charges = [{ accountId, amount: 10, currency: 'USD' }];
  await api.ask('POST', `/1.0/kb/invoices/charges/${accountId}`, { body: charges });
  await settled(api);
  const backfillId = await stagedBackfill(api, key);
  const invoices = await list(`/accounts/${accountId}/invoices?includeInvoiceComponents=true`);
  const payments = await list(`/accounts/${accountId}/payments`);
  const items = invoices.flatMap(({ items: all }) => all as readonly Found[]);
  const transactions = payments.flatMap(({ transactions: all }) => all as readonly Found[]);
  return {
    accountId: [accountId],
    subscriptionId: [subscriptionId],
    bundleId: [bundleId],
    paymentMethodId: [paymentMethodId],
    backfillId: [backfillId],
    externalKey: [key],
    invoiceId: texts(invoices, 'invoiceId'),
    invoiceNumber: texts(invoices, 'invoiceNumber'),
    invoiceItemId: texts(items, 'invoiceItemId'),
    paymentId: texts(payments, 'paymentId'),
    transactionId: texts(transactions, 'transactionId'),
    transactionExternalKey: texts(transactions, 'transactionExternalKey'),
  };
};

/** Names that mean the same thing. */
const alsoCalled: Readonly<Record<string, readonly string[]>> = {
  accountId: ['kb_account_id', 'parentAccountId', 'childAccountId', 'blockedId', 'objectId'],
  invoiceId: ['targetInvoiceId', 'groupId'],
  invoiceItemId: ['itemId', 'creditId', 'linkedInvoiceItemId'],
  transactionId: ['paymentTransactionId'],
  externalKey: ['user', 'bundleExternalKey', 'paymentExternalKey'],
};

/** The unit `host`; an earlier request may have done away with it. */
const hostUnit = async (api: Client): Promise<string> => {
  const find = () => api.ask('GET', '/meter/units/search/findByName?name=host');
  if ((await find()).status === 404)
    await api.ask('POST', '/meter/units', { body: { name: 'host', countingMethod: 'AVG' } });
  return (await find()).json<{ id: string }>().id;
};

/** A few new customers, and what would be right to say of them. Earlier ones may be closed, refunded, worn out. */
export const newKnown = async (api: Client, keys: readonly string[]): Promise<Right> => {
  const merged: Record<string, unknown[]> = {};
  for (const key of keys)
    for (const [name, found] of Object.entries(await customer(api, key)))
      for (const called of [name, ...(alsoCalled[name] ?? [])]) merged[called] = [...(merged[called] ?? []), ...found];
  const definitions = (await api.expect(200, 'GET', '/1.0/kb/tagDefinitions')).json<readonly Found[]>();
  const id = await hostUnit(api);
  const tagIds = texts(definitions, 'id');
  return { ...words, ...merged, tagDef: tagIds, tagDefinitionId: tagIds, tagDefinitions: tagIds, id: [id, ...tagIds] };
};
