import { type SystemUnderTest, startSystem } from '../../system';
import type { ScenarioCatalog } from './catalog-xml';
import { newCustomer, subscriptionOf } from './customer';

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop(), 30_000);

const shop: ScenarioCatalog = {
  plans: [
    { name: 'silver-monthly', price: '20.00' },
    { name: 'gold-monthly', price: '50.00' },
    { name: 'bronze-monthly', price: '10.00', trialDays: 30 },
  ],
  changePolicy: 'IMMEDIATE',
  cancelPolicy: 'IMMEDIATE',
};

/** Kill Bill's own worked example: USD, 20 a month, bill cycle day 6, subscribed on 6 October 2018. */
describe('a change of plan', () => {
  it('at once gives back the rest of the old plan and charges the rest of the new one', async () => {
    const customer = await newCustomer(system, { catalog: shop, start: '2018-10-06T10:01:20.000Z', pays: true });
    const subscriptionId = await customer.subscribe('silver-monthly');
    await customer.at('2018-10-20T12:00:00.000Z');
    await customer.change(subscriptionId, 'gold-monthly');
    expect(await customer.bills()).toEqual([
      { date: '2018-10-06', amount: 20, balance: 0, lines: [['RECURRING', '2018-10-06', '2018-11-06', 20]] },
      {
        date: '2018-10-20',
        amount: 16.45,
        balance: 0,
        lines: [
          ['RECURRING', '2018-10-20', '2018-11-06', 27.42],
          ['REPAIR_ADJ', '2018-10-20', '2018-11-06', -10.97],
        ],
      },
    ]);
    expect((await customer.payments()).map(({ purchasedAmount }) => purchasedAmount)).toEqual([20, 16.45]);
    await customer.at('2018-11-06T12:00:00.000Z');
    expect((await customer.bills()).at(-1)).toEqual({
      date: '2018-11-06',
      amount: 50,
      balance: 0,
      lines: [['RECURRING', '2018-11-06', '2018-12-06', 50]],
    });
    expect(await customer.balance()).toEqual({ accountBalance: 0, accountCBA: 0 });
  }, 60_000);

  it('at the end of the term charges nothing before, and the new plan from then on', async () => {
    const catalog: ScenarioCatalog = { ...shop, changePolicy: 'END_OF_TERM' };
    const customer = await newCustomer(system, { catalog, start: '2018-10-06T10:01:20.000Z', pays: true });
    const subscriptionId = await customer.subscribe('gold-monthly');
    await customer.at('2018-10-20T12:00:00.000Z');
    await customer.change(subscriptionId, 'silver-monthly');
    expect(await subscriptionOf(customer, subscriptionId)).toMatchObject({
      planName: 'gold-monthly',
      chargedThroughDate: '2018-11-06',
    });
    expect(await customer.bills()).toHaveLength(1);
    await customer.at('2018-11-06T12:00:00.000Z');
    expect(await subscriptionOf(customer, subscriptionId)).toMatchObject({ planName: 'silver-monthly' });
    expect((await customer.bills()).map(({ amount, lines }) => [amount, lines])).toEqual([
      [50, [['RECURRING', '2018-10-06', '2018-11-06', 50]]],
      [20, [['RECURRING', '2018-11-06', '2018-12-06', 20]]],
    ]);
  }, 60_000);
});

describe('a trial', () => {
  it('costs nothing and turns into the plan, billed from its last day on for months of their own length', async () => {
    const customer = await newCustomer(system, { catalog: shop, start: '2019-01-01T10:00:00.000Z', pays: true });
    const subscriptionId = await customer.subscribe('bronze-monthly');
    expect(await subscriptionOf(customer, subscriptionId)).toMatchObject({ phaseType: 'TRIAL' });
    await customer.at('2019-01-31T12:00:00.000Z');
    expect(await subscriptionOf(customer, subscriptionId)).toMatchObject({ phaseType: 'EVERGREEN', state: 'ACTIVE' });
    for (const day of ['2019-02-28', '2019-03-31', '2019-04-30']) await customer.at(`${day}T12:00:00.000Z`);
    expect(await customer.bills()).toEqual([
      { date: '2019-01-01', amount: 0, balance: 0, lines: [['FIXED', '2019-01-01', '2019-01-31', 0]] },
      { date: '2019-01-31', amount: 10, balance: 0, lines: [['RECURRING', '2019-01-31', '2019-02-28', 10]] },
      { date: '2019-02-28', amount: 10, balance: 0, lines: [['RECURRING', '2019-02-28', '2019-03-31', 10]] },
      { date: '2019-03-31', amount: 10, balance: 0, lines: [['RECURRING', '2019-03-31', '2019-04-30', 10]] },
      { date: '2019-04-30', amount: 10, balance: 0, lines: [['RECURRING', '2019-04-30', '2019-05-31', 10]] },
    ]);
    expect((await customer.payments()).map(({ transactions }) => transactions.map(({ status }) => status))).toEqual([
      ['SUCCESS'],
      ['SUCCESS'],
      ['SUCCESS'],
      ['SUCCESS'],
    ]);
  }, 60_000);
});
