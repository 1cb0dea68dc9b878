import { moveClock, recordUsage } from '../../../../../tools/day/day';
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
        { unit: 'hosts', size: 1, price: '0.01' },
        { unit: 'sparse', size: 1, price: '0.01' },
        { unit: 'calls', size: 100, price: '2.00' },
        { unit: 'seats', size: 1, price: '1.00' },
      ],
    },
  ],
  changePolicy: 'IMMEDIATE',
  cancelPolicy: 'IMMEDIATE',
};

const forPlan = { applyPlan: true, basePlan: 'cloud-monthly' };
const units = [
  { name: 'hosts', countingMethod: 'AVG', rules: [{ ...forPlan, periodSplitting: 'HOUR', putEmptyPeriod: true }] },
  { name: 'sparse', countingMethod: 'AVG', rules: [{ ...forPlan, periodSplitting: 'HOUR', putEmptyPeriod: false }] },
  { name: 'calls', countingMethod: 'SUM', rules: [{ ...forPlan, freeAmount: 10, freePeriod: 'DAY' }] },
  { name: 'seats', countingMethod: 'PEAK', rules: [{ ...forPlan, periodSplitting: 'DAY' }] },
];

const metered = async (): Promise<Customer> => {
  const customer = await newCustomer(system, { catalog: shop, start: '2019-03-06T00:00:00.000Z', pays: true });
  for (const body of units) await customer.api.expect(201, 'POST', '/meter/units', { body });
  await moveClock(customer.api, new Date('2019-03-06T01:00:00.000Z'));
  await customer.subscribe('cloud-monthly');
  return customer;
};

const use = ({ api, account }: Customer, records: readonly (readonly [unit: string, time: string, amount: number])[]) =>
  recordUsage(
    api,
    records.map(([unit, time, amount]) => ({
      unit,
      user: account.externalKey,
      amount,
      time: Date.parse(`${time}Z`),
      id: `${unit} ${time}`,
    })),
  );

const usageLines = async (customer: Customer, date: string) =>
  Object.fromEntries(
    (await customer.invoices())
      .filter(({ invoiceDate }) => invoiceDate === date)
      .flatMap(({ items }) => items)
      .filter(({ itemType, amount }) => itemType === 'USAGE' && amount !== 0)
      .map(({ usageName, startDate, endDate, amount }) => [
        String(usageName),
        `${startDate} to ${String(endDate)}: ${String(amount)}`,
      ]),
  );

/** What the usage lines of an invoice were made of, by their names. */
const usageBehind = async (customer: Customer, date: string) => {
  const items = (await customer.invoices())
    .filter(({ invoiceDate }) => invoiceDate === date)
    .flatMap(({ invoiceId, items: own }) => own.map((item) => ({ ...item, invoiceId })))
    .filter(({ itemType }) => itemType === 'USAGE');
  const lines: Record<string, unknown> = {};
  for (const { invoiceId, invoiceItemId, usageName } of items) {
    const path = `/v1/invoices/${invoiceId}/items/${invoiceItemId}/usage`;
    const body = (await customer.api.expect(200, 'GET', path)).json<{ usages: unknown[] }>();
    expect(body).toMatchObject({ invoiceId, invoiceItemId, usageName });
    expect(body.usages).toHaveLength(1);
    lines[String(usageName)] = body.usages[0];
  }
  return lines;
};

describe('usage of a month', () => {
  it('is counted by mean, sum and peak, with gaps filled and free amounts left out, and billed at its end', async () => {
    const customer = await metered();
    await customer.at('2019-03-12T12:00:00.000Z');
    const gauge = (unit: string) =>
      [
        [unit, '2019-03-10T08:10:00', 10],
        [unit, '2019-03-10T08:40:00', 20],
        [unit, '2019-03-10T09:30:00', 30],
        [unit, '2019-03-10T12:00:00', 50],
      ] as const;
    const taken = await use(customer, [
      ...gauge('hosts'),
      ...gauge('sparse'),
      ['calls', '2019-03-10T23:59:59', 105],
      ['calls', '2019-03-11T00:00:00', 100],
      ['seats', '2019-03-10T09:00:00', 5],
      ['seats', '2019-03-10T10:00:00', 9],
      ['seats', '2019-03-10T11:00:00', 7],
      ['seats', '2019-03-11T09:00:00', 4],
    ]);
    expect(taken).toMatchObject({ accepted: 14, duplicates: 0, rejected: [] });
    expect(await use(customer, [['calls', '2019-03-11T00:00:00', 100]])).toMatchObject({ accepted: 0, duplicates: 1 });

    await customer.at('2019-04-06T12:00:00.000Z');
    expect(await usageLines(customer, '2019-04-06')).toEqual({
      // 15 + 30 + 40 + 40 + 50 unit-hours: the two hours without a sample get the mean of 30 and 50.
      'cloud-monthly-hosts': '2019-03-06 to 2019-04-06: 1.75',
      // 15 + 30 + 50: not filled.
      'cloud-monthly-sparse': '2019-03-06 to 2019-04-06: 0.95',
      // (105 - 10) + (100 - 10) = 185, in blocks of 100.
      'cloud-monthly-calls': '2019-03-06 to 2019-04-06: 4',
      // The highest of each day: 9 + 4.
      'cloud-monthly-seats': '2019-03-06 to 2019-04-06: 13',
    });
    expect((await customer.bills()).map(({ amount, balance }) => [amount, balance])).toEqual([
      [10, 0],
      [29.7, 0],
    ]);
    const behind = await usageBehind(customer, '2019-04-06');
    expect(behind['cloud-monthly-hosts']).toMatchObject({
      ...{ quantity: '175', metered: '175', free: '0', recordCount: 4 },
      records: [{ amount: '10' }, { amount: '20' }, { amount: '30' }, { amount: '50' }],
      stretches: [
        {
          rule: { countingMethod: 'AVG', basePlan: 'cloud-monthly', putEmptyPeriod: true },
          synthetic: [
            { at: '2019-03-10T10:00:00.000Z', value: '40' },
            { at: '2019-03-10T11:00:00.000Z', value: '40' },
          ],
        },
      ],
    });
    expect(behind['cloud-monthly-sparse']).toMatchObject({ quantity: '95', stretches: [{ synthetic: [] }] });
    expect(behind['cloud-monthly-calls']).toMatchObject({
      ...{ quantity: '185', metered: '205', free: '20', next: null },
      records: [{ amount: '105', index: expect.any(Number), revision: expect.any(String) }, { amount: '100' }],
      stretches: [
        {
          freeAmounts: [
            { date: '2019-03-10', usage: '105', free: '10' },
            { date: '2019-03-11', usage: '100', free: '10' },
          ],
        },
      ],
    });
    expect((await customer.payments()).map(({ purchasedAmount }) => purchasedAmount)).toEqual([10, 29.7]);
  }, 90_000);

  it('that comes after the bill is billed for the month it belongs to, and what is taken back is given back', async () => {
    const customer = await metered();
    await customer.at('2019-03-12T12:00:00.000Z');
    await use(customer, [['calls', '2019-03-11T00:00:00', 195]]);
    await customer.at('2019-04-06T12:00:00.000Z');
    expect(await usageLines(customer, '2019-04-06')).toEqual({
      'cloud-monthly-calls': '2019-03-06 to 2019-04-06: 4',
    });
    await use(customer, [['calls', '2019-03-20T00:00:00', 35]]);
    await customer.at('2019-04-11T12:00:00.000Z');
    // 185 + 25 are three blocks; two of them are paid.
    const charged = async () =>
      (await customer.invoices())
        .flatMap(({ items }) => items)
        .filter(({ itemType, amount }) => itemType === 'USAGE' && amount !== 0)
        .map(({ usageName, startDate, amount }) => [usageName, startDate, amount]);
    expect(await charged()).toEqual([
      ['cloud-monthly-calls', '2019-03-06', 4],
      ['cloud-monthly-calls', '2019-03-06', 2],
    ]);
    expect(await customer.balance()).toEqual({ accountBalance: 0, accountCBA: 0 });
    await customer.api.expect(202, 'POST', '/v1/usage/corrections', {
      body: [{ action: 'VOID', id: 'calls 2019-03-11T00:00:00', reason: 'a test that ran wild' }],
    });
    await customer.at('2019-04-12T12:00:00.000Z');
    // 25 are one block.
    expect((await charged()).at(-1)).toEqual(['cloud-monthly-calls', '2019-03-06', -4]);
    expect(await customer.balance()).toEqual({ accountBalance: -4, accountCBA: 4 });
    await customer.at('2019-05-07T12:00:00.000Z');
    expect(await charged()).toHaveLength(3);
  }, 90_000);

  it('that is brought again by a backfill is billed as if it had come so, and by a revert as if it never had', async () => {
    const customer = await metered();
    const { api, account } = customer;
    await customer.at('2019-03-12T12:00:00.000Z');
    await use(customer, [['calls', '2019-03-11T00:00:00', 195]]);
    await customer.at('2019-04-06T12:00:00.000Z');
    const user = account.externalKey;
    const range = { from: '2019-03-06T00:00:00Z', to: '2019-04-01T00:00:00Z', units: ['calls'], users: [user] };
    const body = { name: 'March', reason: 'half of it was lost', mode: 'REPLACE', ...range };
    const path = '/v1/usage/backfills';
    const { backfillId } = (await api.expect(201, 'POST', path, { body })).json<{ backfillId: string }>();
    const record = (day: number, amount: number) => ({
      ...{ unit: 'calls', user, amount, time: `2019-03-${day}T00:00:00Z`, id: `calls ${day}`, source: 'file' },
    });
    const part = [record(11, 195), record(12, 310), record(13, 45)];
    await api.expect(200, 'PUT', `${path}/${backfillId}/parts/1`, { body: part });
    const charged = async () =>
      (await customer.invoices())
        .flatMap(({ items }) => items)
        .filter(({ itemType, amount }) => itemType === 'USAGE' && amount !== 0)
        .map(({ startDate, amount }) => [startDate, amount]);
    expect(await charged()).toEqual([['2019-03-06', 4]]);
    const preview = (await api.expect(200, 'GET', `${path}/${backfillId}/preview`)).json<object>();
    // 185 + 300 + 35 less what is free.
    expect(preview).toMatchObject({
      records: { counted: 3, replaced: 1 },
      closedPeriods: [{ unit: 'calls', quantity: { before: '185', after: '520', difference: '335' } }],
    });
    await api.expect(202, 'POST', `${path}/${backfillId}/commit`);
    await customer.at('2019-04-08T12:00:00.000Z');
    // Six blocks, of which two are paid.
    expect(await charged()).toEqual([
      ['2019-03-06', 4],
      ['2019-03-06', 8],
    ]);
    expect(await customer.balance()).toEqual({ accountBalance: 0, accountCBA: 0 });
    await api.expect(202, 'POST', `${path}/${backfillId}/revert`, { body: { reason: 'the wrong file' } });
    await customer.at('2019-04-09T12:00:00.000Z');
    expect((await charged()).at(-1)).toEqual(['2019-03-06', -8]);
    expect(await customer.balance()).toEqual({ accountBalance: -8, accountCBA: 8 });
  }, 90_000);
});
