import type { Currency, Instant } from '@billstream/kernel';
import type { PaymentCommand, Transaction } from '@billstream/payments-domain';
import { type PaymentsInMemory, paymentsInMemory } from '../testing/payments-in-memory';

const start = '2026-01-01T00:00:00.000Z' as Instant;
const hour = 3_600_000;
const paymentId = 'payment-1';

const request = (world: PaymentsInMemory, type: 'PURCHASE' | 'REFUND', amountMinor: number): PaymentCommand => {
  const opening = {
    ...{ paymentId, accountId: 'account-1', invoiceId: null, externalKey: paymentId, currency: 'USD' as Currency },
    ...{ paidBy: world.method()!, purchases: [] },
  };
  const id = `${type}-${String(amountMinor)}`;
  const asked = { transactionId: id, externalKey: id, transactionType: type, amountMinor, currency: null };
  const how = { isRecordOnly: false, isAdjusted: false, itemAdjustments: [], now: world.now() };
  return { type: 'RequestTransaction', data: { opening, ...asked, ...how } };
};
const transactionsOf = async (world: PaymentsInMemory): Promise<readonly Transaction[]> =>
  (await world.ask(paymentId, { type: 'Look' })).transactions;
const statesOf = async (world: PaymentsInMemory): Promise<readonly string[]> =>
  (await transactionsOf(world)).map(({ state }) => state);
/** Whatever is due, in order, until nothing is. Processes that die are followed by others. */
const runAll = async (world: PaymentsInMemory): Promise<void> => {
  for (let round = 0; round < 20; round += 1) {
    const [next] = [...(await world.scheduled())].sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1));
    if (next === undefined) return;
    if (next.dueAt > world.now()) world.pass(Date.parse(next.dueAt) - Date.parse(world.now()));
    await world
      .process()
      .run(next)
      .catch(() => undefined);
  }
  throw new Error('the transactions do not come to rest');
};
const purchased = async (): Promise<PaymentsInMemory> => {
  const world = paymentsInMemory(start);
  await world.ask(paymentId, request(world, 'PURCHASE', 2_000));
  await runAll(world);
  return world;
};
const ledger = (world: PaymentsInMemory, kind: 'charge' | 'refund') =>
  world.provider.rows().filter((row) => row.kind === kind);

describe('a transaction that somebody asked for', () => {
  it('is made once, however many processes take it up', async () => {
    const world = paymentsInMemory(start);
    await world.ask(paymentId, request(world, 'PURCHASE', 2_000));
    const [item] = await world.scheduled();
    await Promise.all([world.process().run(item!), world.process().run(item!), world.process().run(item!)]);
    expect(world.provider.calls()).toEqual(['PURCHASE-2000']);
    expect(await statesOf(world)).toEqual(['SUCCESS']);
    expect(await world.scheduled()).toEqual([]);
  });

  it.each(['crash-before', 'crash-after', 'timeout', 'timeout-before', 'reset'] as const)(
    'charges once when %s comes between',
    async (effect) => {
      const world = paymentsInMemory(start);
      world.provider.plan({ operation: 'charge', effect });
      await world.ask(paymentId, request(world, 'PURCHASE', 2_000));
      await runAll(world);
      expect(await statesOf(world)).toEqual(['SUCCESS']);
      expect(ledger(world, 'charge')).toHaveLength(1);
    },
  );

  it.each(['crash-before', 'crash-after', 'timeout', 'timeout-before', 'reset'] as const)(
    'refunds once when %s comes between',
    async (effect) => {
      const world = await purchased();
      world.provider.plan({ operation: 'refund', effect });
      await world.ask(paymentId, request(world, 'REFUND', 500));
      await runAll(world);
      expect(await statesOf(world)).toEqual(['SUCCESS', 'SUCCESS']);
      expect(ledger(world, 'refund').map(({ money }) => money.minor)).toEqual([500]);
    },
  );

  it('is not repeated when the provider may have forgotten its key', async () => {
    const world = await purchased();
    world.provider.plan({ operation: 'refund', effect: 'timeout' });
    await world.ask(paymentId, request(world, 'REFUND', 500));
    const [first] = await world.scheduled();
    await world.process().run(first!);
    world.pass(25 * hour);
    const [look] = await world.scheduled();
    await world.process().run(look!);
    expect(ledger(world, 'refund')).toHaveLength(1);
    expect(await statesOf(world)).toEqual(['SUCCESS', 'UNKNOWN']);
  });

  it('is left alone while another process may be waiting for the answer', async () => {
    const world = await purchased();
    world.provider.plan({ operation: 'refund', effect: 'crash-before' });
    await world.ask(paymentId, request(world, 'REFUND', 500));
    const [first] = await world.scheduled();
    await world
      .process()
      .run(first!)
      .catch(() => undefined);
    const [look] = await world.scheduled();
    world.pass(64_000);
    await world.process().run(look!);
    expect(await statesOf(world)).toEqual(['SUCCESS', 'DISPATCHED']);
    world.pass(1_000);
    await world.process().run(look!);
    expect(await statesOf(world)).toEqual(['SUCCESS', 'SUCCESS']);
  });

  it('that the plugin declines is over', async () => {
    const world = paymentsInMemory(start);
    world.provider.plan({ operation: 'charge', effect: 'decline' });
    await world.ask(paymentId, request(world, 'PURCHASE', 2_000));
    await runAll(world);
    expect(await statesOf(world)).toEqual(['PAYMENT_FAILURE']);
  });
});
