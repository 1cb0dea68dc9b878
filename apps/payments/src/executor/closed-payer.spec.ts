import type { Instant } from '@billstream/kernel';
import type { Outcome, PaymentGateway } from '@billstream/payments-gateways';
import { type PaymentsInMemory, paymentsInMemory } from '../testing/payments-in-memory';

const start = '2026-01-01T00:00:00.000Z' as Instant;
const day = 24 * 3_600_000;
const invoiceId = 'invoice-a';
const declined: Outcome = { kind: 'Declined', hardness: 'soft', code: '10539', evidence: {} };

const typesOf = async (world: PaymentsInMemory): Promise<readonly string[]> =>
  (await world.events(invoiceId)).map(({ type }) => type);
/** Charges what is due; `meanwhile` happens while the provider is being called. */
const charge = async (world: PaymentsInMemory, meanwhile: () => void): Promise<void> => {
  const gateway: PaymentGateway = {
    ...world.provider.gateway,
    charge: () => {
      meanwhile();
      return Promise.resolve(declined);
    },
  };
  const [item] = await world.due();
  if (item === undefined) throw new Error('nothing is due');
  await world.process({ gatewayOf: () => Promise.resolve(gateway) }).run(item);
};

describe('an account that is closed, and whose payments are not to be tried again,', () => {
  it('has a payment that was under way and is declined tried no more', async () => {
    const world = paymentsInMemory(start);
    await world.commit(invoiceId, 2_000);
    await charge(world, () => world.endRetries());
    expect((await typesOf(world)).slice(-2)).toEqual(['PaymentDeclined', 'PaymentAborted']);
    expect((await world.state(invoiceId)).retryAt).toBeNull();
  });
  it('has a retry that was planned at that moment dropped when it is due', async () => {
    const world = paymentsInMemory(start);
    await world.commit(invoiceId, 2_000);
    await charge(world, () => undefined);
    world.endRetries();
    world.pass(8 * day);
    const [item] = await world.due();
    await world.run(item!);
    expect((await world.events(invoiceId)).at(-1)).toMatchObject({
      type: 'PaymentAborted',
      data: { reason: 'cancelled', transactionId: null },
    });
  });
});
