import type { Instant } from '@billstream/kernel';
import { invoicePayments, owedMinor } from '@billstream/payments-domain';
import type { DueItem } from '@billstream/postgres';
import fc from 'fast-check';
import { Crash, type MemoryPlan } from '../testing/memory-gateway';
import { type PaymentsInMemory, paymentsInMemory } from '../testing/payments-in-memory';

const start = '2026-01-01T00:00:00.000Z' as Instant;
const hour = 3_600_000;
const invoices = ['invoice-a', 'invoice-b'] as const;
const owed = { 'invoice-a': 2_000, 'invoice-b': 1_700 } as const;

type Step =
  | { readonly do: 'fault'; readonly effect: MemoryPlan['effect'] }
  /** Runs what is due; `nth` picks the order, `twice` delivers the item again, at once or beside the first. */
  | { readonly do: 'run'; readonly nth: number; readonly twice: 'no' | 'after' | 'beside' }
  | { readonly do: 'redeliver'; readonly nth: number }
  | { readonly do: 'pass'; readonly hours: number }
  | { readonly do: 'restart' }
  | { readonly do: 'settle' }
  | { readonly do: 'pay'; readonly invoice: 0 | 1 }
  /** Invoicing tells a balance: of before it heard of the payment, of after, or an old message comes late. */
  | { readonly do: 'balance'; readonly invoice: 0 | 1; readonly told: 'again' | 'news' | 'late' };

type Of<Do extends Step['do']> = Extract<Step, { readonly do: Do }>;

const effects: readonly MemoryPlan['effect'][] = [
  ...(['timeout', 'timeout-before', 'error-500', 'reset', 'reset-before', 'decline', 'pending'] as const),
  ...(['rate-limit', 'duplicate', 'crash-before', 'crash-after'] as const),
];
const which = fc.constantFrom<(0 | 1)[]>(0, 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('fault' as const), effect: fc.constantFrom(...effects) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('run' as const),
        nth: fc.nat(3),
        twice: fc.constantFrom('no', 'after', 'beside'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('redeliver' as const), nth: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), hours: fc.constantFrom(0.1, 1, 25, 200) }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'restart' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'settle' }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pay' as const), invoice: which }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('balance' as const),
        invoice: which,
        told: fc.constantFrom('again', 'news', 'late'),
      }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

/** A handler that dies takes its process along; due work is taken again later. Anything else is a bug. */
const survived = async (world: PaymentsInMemory, item: DueItem): Promise<void> => {
  try {
    await world.run(item);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    world.restart();
  }
};

/** What invoicing counts once it has heard of every success that payments told of. */
const purchasedOf = async (world: PaymentsInMemory, invoiceId: string): Promise<number> =>
  (await world.events(invoiceId)).reduce<number>(
    (sum, event) => (event.type === 'PaymentSucceeded' ? sum + event.data.amountMinor : sum),
    0,
  );

const paymentIdsOf = async (world: PaymentsInMemory, invoiceId: string): Promise<ReadonlySet<string>> =>
  new Set(
    (await world.events(invoiceId)).flatMap((event) =>
      event.type === 'PaymentRequested' ? [event.data.paymentId] : [],
    ),
  );

/** What was delivered, so that it can be delivered again. */
type Seen = {
  readonly items: DueItem[];
  readonly told: { readonly invoiceId: string; readonly purchasedMinor: number; readonly asOf: number }[];
};

const play = async (world: PaymentsInMemory, step: Step, seen: Seen): Promise<void> => {
  switch (step.do) {
    case 'fault':
      world.provider.plan({ operation: 'charge', effect: step.effect });
      return;
    case 'run':
      return runDue(world, step, seen);
    case 'redeliver': {
      const item = seen.items[step.nth % Math.max(seen.items.length, 1)];
      if (item !== undefined) await survived(world, item);
      return;
    }
    case 'pass':
      world.pass(step.hours * hour);
      return;
    case 'restart':
      world.restart();
      return;
    case 'settle':
      world.provider.settle();
      return;
    case 'pay': {
      const invoiceId = invoices[step.invoice];
      await payNow(world, invoiceId);
      return;
    }
    case 'balance':
      return tell(world, step, seen);
  }
};

const runDue = async (world: PaymentsInMemory, { nth, twice }: Of<'run'>, seen: Seen): Promise<void> => {
  const due = await world.due();
  const item = due[nth % Math.max(due.length, 1)];
  if (item === undefined) return;
  seen.items.push(item);
  if (twice === 'beside') await Promise.all([survived(world, item), survived(world, item)]);
  else await survived(world, item);
  if (twice === 'after') await survived(world, item);
};

const tell = async (world: PaymentsInMemory, step: Of<'balance'>, seen: Seen): Promise<void> => {
  const invoiceId = invoices[step.invoice];
  const first = { purchasedMinor: 0, asOf: 0 };
  const told = seen.told.filter((one) => one.invoiceId === invoiceId);
  const { purchasedMinor: known, asOf } = told.at(-1) ?? first;
  const next = { purchasedMinor: step.told === 'news' ? await purchasedOf(world, invoiceId) : known, asOf: asOf + 1 };
  if (step.told !== 'late') seen.told.push({ invoiceId, ...next });
  const { purchasedMinor, asOf: at } = step.told === 'late' ? (told[0] ?? first) : next;
  const data = { balanceMinor: owed[invoiceId] - purchasedMinor, purchasedMinor, asOf: at };
  await world.issue(invoiceId, { type: 'RecordBalance', data });
};

const payNow = async (world: PaymentsInMemory, invoiceId: string): Promise<void> => {
  const method = { paymentMethodId: 'm', pluginName: 'p', credential: world.provider.credential() };
  await world.issue(invoiceId, { type: 'PayInvoice', data: { method, amountMinor: null, now: world.now() } });
};

const count = (keys: readonly string[], wanted: string): number => keys.filter((key) => key === wanted).length;

/** The provider behaves from now on, processes live, and time goes by until nothing is planned any more. */
const comeToRest = async (world: PaymentsInMemory): Promise<void> => {
  world.provider.behave();
  world.provider.settle();
  for (let round = 0; round < 200; round += 1) {
    const [next] = [...(await world.scheduled())].sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1));
    if (next === undefined) return;
    if (next.dueAt > world.now()) world.pass(Date.parse(next.dueAt) - Date.parse(world.now()));
    await world.run(next);
  }
  throw new Error('the payments do not come to rest');
};

describe('whatever answers are lost, processes die and work is delivered again', () => {
  it('each invoice is charged at most once, and exactly once if it was not given up', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (script, keepsReferences) => {
        const world = paymentsInMemory(start, { keepsReferences });
        for (const invoiceId of invoices) await world.commit(invoiceId, owed[invoiceId]);
        const seen: Seen = { items: [], told: [] };
        for (const step of script) await play(world, step, seen);
        await comeToRest(world);

        expect(world.doubleCharges).toEqual([]);
        for (const invoiceId of invoices) {
          const events = await world.events(invoiceId);
          const ids = await paymentIdsOf(world, invoiceId);
          const charged = world.provider.rows().filter((row) => row.kind === 'charge' && ids.has(row.invoiceRef));
          const successes = events.filter(({ type }) => type === 'PaymentSucceeded');
          const state = events.reduce(invoicePayments.evolve, invoicePayments.initial);
          expect(charged.length).toBeLessThanOrEqual(1);
          expect(successes).toHaveLength(charged.length);
          expect(state.open).toBeNull();
          if (charged.length === 1) expect(owedMinor(state)).toBe(0);
          else expect(events.at(-1)).toMatchObject({ type: 'PaymentAborted' });
        }
      }),
      { numRuns: 400 },
    );
  });

  it('nothing is sent that was not recorded as sent before, and never while another attempt is open', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const world = paymentsInMemory(start);
        for (const invoiceId of invoices) await world.commit(invoiceId, owed[invoiceId]);
        const seen: Seen = { items: [], told: [] };
        for (const step of script) await play(world, step, seen);
        for (const invoiceId of invoices) {
          let open: string | null = null;
          const dispatched: string[] = [];
          for (const event of await world.events(invoiceId)) {
            if (event.type === 'PaymentRequested') {
              expect(open).toBeNull();
              open = event.data.transactionId;
            }
            if (event.type === 'PaymentDispatched') {
              expect(event.data.transactionId).toBe(open);
              dispatched.push(event.data.transactionId);
            }
            const ends =
              event.type === 'PaymentSucceeded' ||
              event.type === 'PaymentDeclined' ||
              event.type === 'PaymentNotExecuted' ||
              event.type === 'PaymentAborted';
            if (ends && event.data.transactionId === open) open = null;
          }
          for (const key of new Set(dispatched))
            expect(count(world.provider.calls(), key)).toBeLessThanOrEqual(count(dispatched, key));
        }
      }),
      { numRuns: 200 },
    );
  });
});
