import { type SystemUnderTest, startSystem } from '../../system';
import type { ScenarioCatalog } from './catalog-xml';
import { newCustomer, subscriptionOf } from './customer';

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop(), 30_000);

const shop: ScenarioCatalog = {
  plans: [{ name: 'silver-monthly', price: '20.00' }],
  changePolicy: 'IMMEDIATE',
  cancelPolicy: 'IMMEDIATE',
};

describe('cancelling at once', () => {
  it('turns the rest of a paid month into credit, which pays for what comes next', async () => {
    const customer = await newCustomer(system, { catalog: shop, start: '2018-10-06T10:01:20.000Z', pays: true });
    const subscriptionId = await customer.subscribe('silver-monthly');
    await customer.at('2018-10-20T12:00:00.000Z');
    await customer.cancel(subscriptionId);
    expect(await subscriptionOf(customer, subscriptionId)).toMatchObject({ state: 'CANCELLED' });
    expect((await customer.bills())[1]).toMatchObject({
      date: '2018-10-20',
      balance: 0,
      lines: [
        ['CBA_ADJ', '2018-10-20', '2018-10-20', 10.97],
        ['REPAIR_ADJ', '2018-10-20', '2018-11-06', -10.97],
      ],
    });
    expect(await customer.balance()).toEqual({ accountBalance: -10.97, accountCBA: 10.97 });

    await customer.subscribe('silver-monthly');
    // 17 of the 31 days until the account's bill cycle day: exactly what was given back.
    expect((await customer.bills())[2]).toMatchObject({
      balance: 0,
      lines: [
        ['CBA_ADJ', '2018-10-20', '2018-10-20', -10.97],
        ['RECURRING', '2018-10-20', '2018-11-06', 10.97],
      ],
    });
    expect(await customer.balance()).toEqual({ accountBalance: 0, accountCBA: 0 });
    expect((await customer.payments()).map(({ purchasedAmount }) => purchasedAmount)).toEqual([20]);
  }, 60_000);

  it('lowers a bill that is still unpaid to the days that were used', async () => {
    const customer = await newCustomer(system, { catalog: shop, start: '2018-10-06T10:01:20.000Z', pays: false });
    const subscriptionId = await customer.subscribe('silver-monthly');
    await customer.at('2018-10-20T12:00:00.000Z');
    await customer.cancel(subscriptionId);
    expect((await customer.bills()).map(({ balance }) => balance)).toEqual([9.03, 0]);
    expect(await customer.balance()).toEqual({ accountBalance: 9.03, accountCBA: 0 });
    await customer.at('2018-12-20T12:00:00.000Z');
    expect(await customer.bills()).toHaveLength(2);
    expect(await customer.payments()).toEqual([]);
  }, 60_000);
});
