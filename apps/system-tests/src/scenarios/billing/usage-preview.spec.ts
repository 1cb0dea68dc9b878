import { recordUsage, settled } from '../../../../../tools/day/day';
import { type SystemUnderTest, startSystem } from '../../system';
import type { ScenarioCatalog } from './catalog-xml';
import { type Customer, newCustomer } from './customer';

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop(), 30_000);

const shop: ScenarioCatalog = {
  plans: [
    {
      name: 'cloud-monthly',
      price: '10.00',
      usage: [
        { unit: 'calls', size: 100, price: '2.00' },
        { unit: 'bytes', size: 1, price: '0.013' },
      ],
    },
  ],
  changePolicy: 'IMMEDIATE',
  cancelPolicy: 'IMMEDIATE',
};

/** Two months are billed: 200 calls (4.00) and 1,001 bytes (13.01) in the first, 300 calls (6.00) in the second. */
const billed = async (properties: object = {}): Promise<Customer> => {
  const customer = await newCustomer(system, { catalog: shop, start: '2019-03-06T00:00:00.000Z', pays: false });
  const { api, account } = customer;
  for (const name of ['calls', 'bytes'])
    await api.expect(201, 'POST', '/meter/units', { body: { name, countingMethod: 'SUM', rules: [forPlan] } });
  await api.expect(201, 'POST', '/1.0/kb/tenants/uploadPerTenantConfig', {
    type: 'text/plain',
    body: JSON.stringify(properties),
  });
  await customer.at('2019-03-06T01:00:00.000Z');
  await customer.subscribe('cloud-monthly');
  const use = (unit: string, time: string, amount: number) => ({
    ...{ unit, user: account.externalKey, amount, id: `${unit} ${time}`, time: Date.parse(`${time}T00:00:00Z`) },
  });
  await customer.at('2019-03-12T12:00:00.000Z');
  await recordUsage(api, [use('calls', '2019-03-11', 200), use('bytes', '2019-03-11', 1_001)]);
  await customer.at('2019-04-12T12:00:00.000Z');
  await recordUsage(api, [use('calls', '2019-04-11', 300)]);
  await customer.at('2019-05-08T12:00:00.000Z');
  return customer;
};

const forPlan = { applyPlan: true, basePlan: 'cloud-monthly' };
const path = '/v1/usage/backfills';
const record = ({ account }: Customer, unit: string, time: string, amount: number) => ({
  ...{ unit, user: account.externalKey, amount, time: `${time}T00:00:00Z`, id: `file ${unit} ${time}`, source: 'file' },
});
const staged = async (customer: Customer, mode: 'ADD' | 'REPLACE', records: readonly object[]): Promise<string> => {
  const { api, account } = customer;
  const scope = { units: ['calls', 'bytes'], users: [account.externalKey] };
  const body = { name: 'again', reason: 'r', mode, from: '2019-03-06T00:00:00Z', to: '2019-05-01T00:00:00Z', ...scope };
  const { backfillId } = (await api.expect(201, 'POST', path, { body })).json<{ backfillId: string }>();
  await api.expect(200, 'PUT', `${path}/${backfillId}/parts/1`, { body: [...records] });
  return `${path}/${backfillId}`;
};

type Charge = {
  readonly usageName: string;
  readonly startDate: string;
  readonly outcome: string;
  readonly amount: string;
  readonly difference: string;
};
type Preview = { readonly charges: readonly Charge[]; readonly totals: readonly object[] };
const preview = async ({ api }: Customer, backfill: string): Promise<Preview> =>
  (await api.expect(200, 'GET', `${backfill}/preview`)).json<Preview>();

const amountsIn = (charges: readonly Charge[]) =>
  charges.map(({ usageName, startDate, amount }) => `${usageName} ${startDate} ${amount}`).sort();

/** Usage lines of the invoices after the first so many, by period: what the preview is measured by. */
const linesAfter = async (customer: Customer, invoices: number): Promise<readonly string[]> => {
  await settled(customer.api);
  return (await customer.invoices())
    .slice(invoices)
    .flatMap(({ items }) => items)
    .filter(({ itemType, amount }) => itemType === 'USAGE' && amount !== 0)
    .map(({ usageName, startDate, amount }) => `${String(usageName)} ${startDate} ${amount.toFixed(2)}`)
    .sort();
};

const half = (customer: Customer) => [
  record(customer, 'calls', '2019-03-11', 90),
  record(customer, 'bytes', '2019-03-12', 1_500),
  record(customer, 'calls', '2019-04-12', 750),
];

describe('the preview of a backfill', () => {
  it('says to the cent what its commit, and then its revert, is charged and given back', async () => {
    const customer = await billed();
    const invoices = (await customer.invoices()).length;
    const backfill = await staged(customer, 'REPLACE', half(customer));
    const before = await preview(customer, backfill);
    expect(amountsIn(before.charges)).toEqual([
      'cloud-monthly-bytes 2019-03-06 6.49',
      'cloud-monthly-calls 2019-03-06 -2.00',
      'cloud-monthly-calls 2019-04-06 10.00',
    ]);
    expect(before.charges[0]).toMatchObject({ outcome: 'AT_ONCE', currency: 'USD', endDate: '2019-04-06' });
    expect(before.totals).toEqual([{ currency: 'USD', charged: '16.49', credited: '2.00' }]);
    expect(await linesAfter(customer, invoices)).toEqual([]);
    await customer.api.expect(202, 'POST', `${backfill}/commit`);
    expect(await linesAfter(customer, invoices)).toEqual(amountsIn(before.charges));

    const corrected = (await customer.invoices()).length;
    const undone = await preview(customer, backfill);
    expect(undone).toMatchObject({ action: 'REVERT', totals: [{ charged: '2.00', credited: '16.49' }] });
    await customer.api.expect(202, 'POST', `${backfill}/revert`, { body: { reason: 'the wrong file' } });
    expect(await linesAfter(customer, corrected)).toEqual(amountsIn(undone.charges));
  }, 90_000);

  it('that takes usage away says the credit that the account gets', async () => {
    const customer = await billed();
    const invoices = (await customer.invoices()).length;
    const { accountBalance } = await customer.balance();
    const backfill = await staged(customer, 'REPLACE', []);
    const { charges, totals } = await preview(customer, backfill);
    expect(totals).toEqual([{ currency: 'USD', charged: '0.00', credited: '23.01' }]);
    await customer.api.expect(202, 'POST', `${backfill}/commit`);
    expect(await linesAfter(customer, invoices)).toEqual(amountsIn(charges));
    expect((await customer.balance()).accountBalance).toBeCloseTo(accountBalance - 23.01, 2);
  }, 90_000);

  it('says what comes with the next invoice, and what is absorbed, where the tenant has it so', async () => {
    const customer = await billed({
      'billstream.invoice.lateUsage': 'NEXT_INVOICE',
      'billstream.invoice.lateUsage.absorbBelow': '2.50',
    });
    const invoices = (await customer.invoices()).length;
    const backfill = await staged(customer, 'REPLACE', half(customer));
    const { charges } = await preview(customer, backfill);
    expect(charges.map(({ outcome, amount, difference }) => `${outcome} ${amount} ${difference}`).sort()).toEqual([
      'ABSORBED 0.00 -2.00',
      'NEXT_INVOICE 10.00 10.00',
      'NEXT_INVOICE 6.49 6.49',
    ]);
    await customer.api.expect(202, 'POST', `${backfill}/commit`);
    expect(await linesAfter(customer, invoices)).toEqual([]);
    await customer.at('2019-06-07T12:00:00.000Z');
    expect(await linesAfter(customer, invoices)).toEqual(
      amountsIn(charges.filter(({ outcome }) => outcome === 'NEXT_INVOICE')),
    );
  }, 90_000);
});

describe('the preview of corrections', () => {
  it('says to the cent what they are charged and given back, and records nothing', async () => {
    const customer = await billed();
    const { api } = customer;
    const invoices = (await customer.invoices()).length;
    const correction = (id: string, replacement: object | null) => ({
      ...{ action: replacement === null ? 'VOID' : 'REPLACE', id, reason: 'a test that ran wild' },
      ...(replacement === null ? {} : { replacement }),
    });
    const corrections = [
      correction('bytes 2019-03-11', null),
      correction('calls 2019-03-11', { amount: 120, time: '2019-04-20T00:00:00Z' }),
      correction('nobody knows', null),
    ];
    const path = '/v1/usage/corrections';
    const told = (await api.expect(200, 'POST', `${path}/preview`, { body: corrections })).json<Preview>();
    expect(told).toMatchObject({
      ...{ accepted: 2, duplicates: 0, rejected: [{ index: 2, code: 'unknown-record' }], moreClosedPeriods: false },
      // 300 and 120 in blocks of 100 are two more than were charged.
      totals: [{ currency: 'USD', charged: '4.00', credited: '17.01' }],
    });
    expect((await api.expect(200, 'GET', path)).json<{ corrections: readonly object[] }>().corrections).toEqual([]);
    expect(await linesAfter(customer, invoices)).toEqual([]);
    await api.expect(202, 'POST', path, { body: corrections });
    expect(await linesAfter(customer, invoices)).toEqual(amountsIn(told.charges));
  }, 90_000);
});

describe('a preview', () => {
  it('is asked for and refused as all of our own API is: nobody says who they are, and problems have its form', async () => {
    const { api } = await system.newTenant();
    const headers = { 'X-Killbill-CreatedBy': '' };
    const nothing = await api.ask('POST', '/v1/usage/corrections/preview', { body: [], headers });
    expect([nothing.status, nothing.json()]).toEqual([200, expect.objectContaining({ accepted: 0, charges: [] })]);
    for (const [method, asked, ask] of [
      ['GET', `${path}/none/preview`, {}],
      ['POST', '/v1/usage/corrections/preview', { body: 5, headers }],
    ] as const) {
      const refused = await api.ask(method, asked, ask);
      expect([refused.status, refused.headers.get('content-type')]).toEqual([
        400,
        expect.stringContaining('application/problem+json'),
      ]);
    }
  }, 60_000);
});
