import { settled } from '../../../../../tools/day/day';
import { type SystemUnderTest, startSystem } from '../../system';
import type { ScenarioCatalog } from './catalog-xml';
import { type Customer, type PaymentJson, chargesFor, newCustomer } from './customer';

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
const customerFrom = (start: string): Promise<Customer> => newCustomer(system, { catalog: shop, start, pays: true });

const charge = 'DoReferenceTransaction';
const plan = (fault: object) =>
  system.as().expect(201, 'POST', `${system.emulatorUrl}/control/faults`, { body: { operation: charge, ...fault } });
afterEach(() => system.as().expect(200, 'DELETE', `${system.emulatorUrl}/control/faults`));

const only = (payments: readonly PaymentJson[]): PaymentJson => {
  expect(payments).toHaveLength(1);
  return payments[0]!;
};
const attempts = ({ transactions }: PaymentJson) =>
  transactions.map(({ effectiveDate, status }) => [effectiveDate.slice(0, 10), status]);
const booksAreInOrder = async (): Promise<void> =>
  expect((await system.as().expect(200, 'GET', `${system.emulatorUrl}/control/invariants`)).json()).toEqual({
    ok: true,
    violations: [],
  });

describe('a payment that is declined', () => {
  it('is tried again after eight days, and after eight more, until it is paid', async () => {
    await plan({ effect: 'decline', code: '10417', times: 2 });
    const customer = await customerFrom('2019-03-06T10:00:00.000Z');
    await customer.subscribe('silver-monthly');
    expect(await customer.balance()).toMatchObject({ accountBalance: 20 });
    await customer.at('2019-03-13T12:00:00.000Z');
    expect(attempts(only(await customer.payments()))).toEqual([['2019-03-06', 'PAYMENT_FAILURE']]);
    await customer.at('2019-03-14T12:00:00.000Z');
    expect(await customer.balance()).toMatchObject({ accountBalance: 20 });
    await customer.at('2019-03-22T12:00:00.000Z');
    const payment = only(await customer.payments());
    expect(attempts(payment)).toEqual([
      ['2019-03-06', 'PAYMENT_FAILURE'],
      ['2019-03-14', 'PAYMENT_FAILURE'],
      ['2019-03-22', 'SUCCESS'],
    ]);
    expect(await customer.balance()).toEqual({ accountBalance: 0, accountCBA: 0 });
    expect(await chargesFor(system, payment)).toEqual(['20.00']);
    await booksAreInOrder();
  }, 90_000);

  it('is given up after three tries more, and what is owed stays', async () => {
    await plan({ effect: 'decline', code: '10417', times: 50 });
    const customer = await customerFrom('2019-03-06T10:00:00.000Z');
    await customer.subscribe('silver-monthly');
    for (const day of ['2019-03-14', '2019-03-22', '2019-03-30', '2019-04-05'])
      await customer.at(`${day}T12:00:00.000Z`);
    expect(attempts(only(await customer.payments()))).toEqual([
      ['2019-03-06', 'PAYMENT_FAILURE'],
      ['2019-03-14', 'PAYMENT_FAILURE'],
      ['2019-03-22', 'PAYMENT_FAILURE'],
      ['2019-03-30', 'PAYMENT_FAILURE'],
    ]);
    expect(await customer.balance()).toMatchObject({ accountBalance: 20 });
  }, 90_000);
});

describe('a payment whose answer is lost', () => {
  it.each(['reset', 'error-500', 'timeout'])(
    'after the money moved (%s) is found at the gateway, and charged once',
    async (effect) => {
      await plan({ effect, times: 1, ...(effect === 'timeout' ? { delayMs: 500 } : {}) });
      const customer = await customerFrom('2019-03-06T10:00:00.000Z');
      await customer.subscribe('silver-monthly');
      await customer.at('2019-03-08T12:00:00.000Z');
      await settled(customer.api);
      const payment = only(await customer.payments());
      expect(payment).toMatchObject({ purchasedAmount: 20 });
      expect(payment.transactions.at(-1)).toMatchObject({ status: 'SUCCESS', amount: 20 });
      expect(await chargesFor(system, payment)).toEqual(['20.00']);
      expect(await customer.balance()).toEqual({ accountBalance: 0, accountCBA: 0 });
      await booksAreInOrder();
    },
    90_000,
  );

  it('before any money moved is proven not to have happened, and charged once', async () => {
    await plan({ effect: 'reset-before', times: 1 });
    const customer = await customerFrom('2019-03-06T10:00:00.000Z');
    await customer.subscribe('silver-monthly');
    await customer.at('2019-03-10T12:00:00.000Z');
    const payment = only(await customer.payments());
    expect(await chargesFor(system, payment)).toEqual(['20.00']);
    expect(await customer.balance()).toEqual({ accountBalance: 0, accountCBA: 0 });
    await booksAreInOrder();
  }, 90_000);
});
