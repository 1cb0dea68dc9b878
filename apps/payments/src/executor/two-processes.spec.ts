import type { Instant } from '@billstream/kernel';
import type { Outcome, PaymentGateway } from '@billstream/payments-gateways';
import { type PaymentsInMemory, paymentsInMemory } from '../testing/payments-in-memory';

const start = '2026-01-01T00:00:00.000Z' as Instant;
const second = 1_000;
const invoiceId = 'invoice-a';

/** A promise that is kept when somebody says so. */
const gate = <T>() => {
  let open: (value: T) => void = () => undefined;
  const passed = new Promise<T>((resolve) => (open = resolve));
  return { passed, open };
};

const typesOf = async (world: PaymentsInMemory): Promise<readonly string[]> =>
  (await world.events(invoiceId)).map(({ type }) => type);
const taskOf = async (world: PaymentsInMemory) => {
  const [item] = await world.scheduled();
  if (item === undefined) throw new Error('nothing is scheduled');
  return item;
};

/** A call that goes on until the test lets it end; `begun` resolves when the provider has been called. */
const slowCall = (world: PaymentsInMemory) => {
  const begun = gate<undefined>();
  const answer = gate<Outcome>();
  const gateway: PaymentGateway = {
    ...world.provider.gateway,
    charge: async () => {
      begun.open(undefined);
      return answer.passed;
    },
  };
  return { gateway, begun: begun.passed, answer: answer.open };
};
const paid: Outcome = { kind: 'Succeeded', gatewayRef: 'T-1', money: { minor: 2_000, currency: 'USD' }, at: start };

describe('two processes on one log', () => {
  it('keep apart: one that cannot reach the provider does not end the attempt that the other is charging', async () => {
    const world = paymentsInMemory(start);
    await world.commit(invoiceId, 2_000);
    const item = await taskOf(world);
    const slow = slowCall(world);
    const looked = gate<undefined>();
    const other = world.process({
      // Between its look at the attempt and its finding, the first process is granted the right and calls.
      gatewayOf: async () => {
        looked.open(undefined);
        await slow.begun;
        return { problem: 'The tenant has no configuration' };
      },
    });
    const first = world.process({ gatewayOf: () => looked.passed.then(() => slow.gateway) });
    const both = [first.run(item), other.run(item)];
    await both[1];
    expect(await typesOf(world)).toEqual(['InvoiceRecorded', 'PaymentRequested', 'PaymentDispatched']);
    slow.answer(paid);
    await Promise.all(both);
    expect((await typesOf(world)).at(-1)).toBe('PaymentSucceeded');
  });

  it('keep apart: an attempt that may be being charged elsewhere is not looked up', async () => {
    const world = paymentsInMemory(start);
    await world.commit(invoiceId, 2_000);
    const slow = slowCall(world);
    const charging = world.process({ gatewayOf: () => Promise.resolve(slow.gateway) }).run(await taskOf(world));
    await slow.begun;
    const resolving = world.process();
    const resolve = await taskOf(world);
    expect(resolve.kind).toBe('resolve-payment');
    world.pass(64 * second);
    await resolving.run(resolve);
    expect((await typesOf(world)).at(-1)).toBe('PaymentDispatched');
    // No call takes that long: whoever sent it is dead or will not be believed.
    world.pass(1 * second);
    await resolving.run(resolve);
    expect((await typesOf(world)).at(-1)).toBe('PaymentUnknown');
    slow.answer(paid);
    await charging;
    expect((await typesOf(world)).at(-1)).toBe('PaymentSucceeded');
  });

  it('send once when both have proof that the last call moved nothing', async () => {
    const world = paymentsInMemory(start);
    await world.commit(invoiceId, 2_000);
    world.provider.plan({ operation: 'charge', effect: 'crash-before' });
    await world
      .process()
      .run(await taskOf(world))
      .catch(() => undefined);
    world.pass(2 * 3_600 * second);
    const resolve = await taskOf(world);
    await Promise.all([world.process().run(resolve), world.process().run(resolve)]);
    expect(world.provider.calls()).toHaveLength(2);
    expect(await typesOf(world)).toEqual([
      ...['InvoiceRecorded', 'PaymentRequested', 'PaymentDispatched', 'PaymentDispatched', 'PaymentSucceeded'],
    ]);
  });

  it('do not believe a late refusal of a call that was given up and repeated', async () => {
    const world = paymentsInMemory(start);
    await world.commit(invoiceId, 2_000);
    const late = slowCall(world);
    const first = world.process({ gatewayOf: () => Promise.resolve(late.gateway) }).run(await taskOf(world));
    await late.begun;
    world.pass(2 * 3_600 * second);
    const again = slowCall(world);
    const repeating = world.process({ gatewayOf: () => Promise.resolve(again.gateway) }).run(await taskOf(world));
    await again.begun;
    late.answer({ kind: 'NotExecuted', why: 'rateLimited', evidence: {} });
    await first;
    expect((await typesOf(world)).at(-1)).toBe('PaymentDispatched');
    again.answer(paid);
    await repeating;
    expect((await typesOf(world)).at(-1)).toBe('PaymentSucceeded');
  });
});
