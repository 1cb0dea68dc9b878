import { newId } from '@billstream/kernel';
import fc from 'fast-check';
import { closingUsage, phase, transition } from './testing/closing-usage';
import { settleLateUsage } from './testing/late-usage-due';
import { meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const now = '2024-06-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(now);
  await unit('calls', 'SUM', [{ freeAmount: 7, freePeriod: 'DAY' }]);
  const gauge = { periodSplitting: 'HOUR', putEmptyPeriod: true, freeAmount: 3, freePeriod: 'HOUR' };
  await unit('load', 'AVG', [gauge]);
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const { holder, close } = closingUsage(() => system, now);
const runs = Number(process.env['HISTORIES'] ?? 25);

/** Hours around the month that is billed: some lie before it, and some after. */
const firstMs = Date.parse('2024-04-30T12:00:00Z');
const timeOf = (hour: number): string => new Date(firstMs + hour * 3_600_000).toISOString();
const hours = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 720, max: 790 }));
const amounts = fc.integer({ min: 0, max: 20 });
const ids = fc.integer({ min: 0, max: 5 });
const act = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('SEND' as const), id: ids, hour: hours, amount: amounts }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('REPLACE' as const), id: ids, hour: hours, amount: amounts }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('VOID' as const), id: ids }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'CLOSE' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'SETTLE' as const }) },
);
type Act = typeof act extends fc.Arbitrary<infer One> ? One : never;
type Counting = { readonly hour: number; readonly amount: number };

const quantityOf = async (subscriptionId: string): Promise<string | undefined> => {
  await system.runtime.caughtUp();
  const sql = 'select quantity from usage_closings where subscription_id = $1';
  return (await system.database.query<{ quantity: string }>(sql, [subscriptionId]))[0]?.quantity;
};

/** Plays the acts for a user of its own; gives what was billed in the end, and what counts in the end. */
const played = async (name: string, acts: readonly Act[]) => {
  const user = newId();
  const held = await holder(user, [transition('2024-04-01T00:00:00.000Z', phase('standard-monthly', [name]))]);
  const counting = new Map<number, Counting | null>();
  const correct = (id: number, correction: object) =>
    json('POST', '/v1/usage/corrections', { source: user, id: String(id), reason: 'test', ...correction });
  for (const one of [{ kind: 'CLOSE' as const }, ...acts])
    if (one.kind === 'CLOSE') await close(user, held, name);
    else if (one.kind === 'SETTLE') await settleLateUsage(system);
    else if (one.kind === 'SEND') {
      const { id, hour, amount } = one;
      await record([{ unit: name, user, amount, id: String(id), source: user, time: timeOf(hour) }]);
      if (!counting.has(id)) counting.set(id, { hour, amount });
    } else if (counting.has(one.id)) {
      const replacement = one.kind === 'VOID' ? null : { hour: one.hour, amount: one.amount };
      await correct(
        one.id,
        replacement === null
          ? { action: 'VOID' }
          : { action: 'REPLACE', replacement: { amount: replacement.amount, time: timeOf(replacement.hour) } },
      );
      counting.set(one.id, replacement);
    }
  await settleLateUsage(system);
  return { billed: await quantityOf(held.subscriptionId), counting };
};

/** What a user is billed of whom all that is known in the first place. */
const billedOnTime = async (name: string, counting: ReadonlyMap<number, Counting | null>) => {
  const user = newId();
  const held = await holder(user, [transition('2024-04-01T00:00:00.000Z', phase('standard-monthly', [name]))]);
  const records = [...counting].flatMap(([id, one]) =>
    one === null
      ? []
      : [{ unit: name, user, amount: one.amount, id: String(id), source: user, time: timeOf(one.hour) }],
  );
  if (records.length > 0) await record(records);
  await close(user, held, name);
  return quantityOf(held.subscriptionId);
};

it.each(['calls', 'load'])(
  'whatever comes late, twice, is corrected or taken back, around whichever closing: in the end %s are billed as if all had been known in time',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 14 }), async (acts) => {
        const { billed, counting } = await played(name, acts);
        expect(billed).toBe(await billedOnTime(name, counting));
      }),
      { numRuns: runs, ...(process.env['HISTORIES'] === undefined ? { seed: 20_241_122 } : {}) },
    );
  },
  60_000 + runs * 4_000,
);
