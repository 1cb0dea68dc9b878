import { type Decimal, derivedId, zero } from '@billstream/kernel';
import {
  type LoggedRecord,
  backfilledUsage,
  usageClosingSchema,
  usageClosingStream,
  usageCorrectionSchema,
  usageCorrectionStream,
} from '@billstream/metering-domain';
import fc from 'fast-check';
import type { Database } from '@billstream/postgres';
import { usageQuarters, usageQuartersAsOf } from './index';
import {
  type DrawnBackfill,
  committedBackfill,
  hourMs,
  revertedBackfill,
  scopeOf,
  stagedBackfill,
} from './testing/backfill-log';
import {
  type Told,
  applied,
  contents,
  logOf,
  startMs,
  tenantId,
  usage,
  wholeDay,
  withTables,
} from './testing/metering-log';

withTables();
jest.setTimeout(300_000);

const users = ['a', 'b'] as const;
type User = (typeof users)[number];
type Drawn = { readonly id: number; readonly user: User; readonly hour: number; readonly amount: number };
type Entry =
  | ({ readonly kind: 'record' } & Drawn)
  | { readonly kind: 'void'; readonly id: number; readonly name: number }
  | ({ readonly kind: 'replace'; readonly name: number } & Drawn)
  | { readonly kind: 'commit' | 'revert'; readonly backfill: number };

const backfillIds = [0, 1, 2].map((n) => derivedId('backfill', String(n)));
const drawn = {
  id: fc.integer({ min: 0, max: 5 }),
  user: fc.constantFrom(...users),
  hour: fc.integer({ min: 0, max: 2 }),
  amount: fc.integer({ min: 1, max: 50 }),
};
const name = fc.integer({ min: 0, max: 9 });
const entry: fc.Arbitrary<Entry> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('record' as const), ...drawn }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('void' as const), id: drawn.id, name }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('replace' as const), name, ...drawn }), weight: 2 },
  {
    arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'revert' as const), backfill: fc.nat(2) }),
    weight: 4,
  },
);
const scope = fc.record({
  mode: fc.constantFrom('ADD' as const, 'REPLACE' as const),
  users: fc.constantFrom(null, ['a'], ['b']),
  fromHour: fc.integer({ min: 0, max: 1 }),
  length: fc.integer({ min: 1, max: 3 }),
});
const backfill = fc.record({ scope, staged: fc.array(fc.record(drawn), { maxLength: 6 }) });

type Backfill = { readonly drawn: DrawnBackfill; readonly staged: readonly Drawn[] };
const recordOf = ({ user, hour, amount, id }: Drawn): LoggedRecord => [
  'calls',
  user,
  startMs + hour * hourMs,
  String(amount) as Decimal,
  's',
  String(id),
];
const isIn = ({ users: some, fromHour, toHour }: DrawnBackfill, { user, hour }: Drawn): boolean =>
  (some === null || some.includes(user)) && hour >= fromHour && hour < toHour;

/** Entries that the stream of backfills takes. */
const taken = (entries: readonly Entry[], backfills: readonly Backfill[]): readonly Entry[] => {
  let state = backfilledUsage.initial;
  return entries.filter((one) => {
    if (one.kind !== 'commit' && one.kind !== 'revert') return true;
    const { drawn: own } = backfills[one.backfill]!;
    const { backfillId, mode } = own;
    const decision = backfilledUsage.decide(
      one.kind === 'commit'
        ? { type: 'Commit', committed: { backfillId, mode, ...scopeOf(own) } }
        : { type: 'Revert', backfillId, reason: 'r' },
      state,
    );
    const events = 'events' in decision ? decision.events : [];
    state = events.reduce(backfilledUsage.evolve, state);
    return events.length > 0;
  });
};

const toldOf = (one: Entry, backfills: readonly Backfill[]): Told => {
  switch (one.kind) {
    case 'record':
      return usage(one.user === 'a' ? 0 : 1, [recordOf(one)]);
    case 'commit':
      return committedBackfill(backfills[one.backfill]!.drawn);
    case 'revert':
      return revertedBackfill(backfills[one.backfill]!.drawn);
    case 'void':
    case 'replace': {
      const [unit, user, atMs, amount] = recordOf(
        one.kind === 'void' ? { ...one, user: 'a', hour: 0, amount: 0 } : one,
      );
      const replacement = one.kind === 'void' ? null : { unit, user, atMs, amount };
      const correction = { correctionId: String(one.name), source: 's', id: String(one.id), reason: 'r', replacement };
      return {
        stream: usageCorrectionStream(tenantId),
        ...usageCorrectionSchema.encode({ type: 'UsageCorrected', data: { corrections: [correction] } }),
      };
    }
  }
};

type Counted = { readonly origin: 'direct' | number; readonly counts: Drawn | null; readonly isReplaced: boolean };

type Records = Map<number, Counted>;

const commit = (records: Records, index: number, { drawn: own, staged }: Backfill): void => {
  const gone = new Set<number>();
  if (own.mode === 'REPLACE')
    for (const [id, { origin, counts, isReplaced }] of records)
      if (origin === 'direct' && !isReplaced && counts !== null && isIn(own, counts)) gone.add(id);
  for (const id of gone) records.set(id, { ...records.get(id)!, isReplaced: true });
  for (const record of staged)
    if (!records.has(record.id) || gone.delete(record.id))
      records.set(record.id, { origin: index, counts: record, isReplaced: false });
};

/** The log without the backfills that were reverted in it, read entry by entry. */
const oracle = (entries: readonly Entry[], backfills: readonly Backfill[]): Readonly<Record<User, number>> => {
  const reverted = new Set(entries.flatMap((one) => (one.kind === 'revert' ? [one.backfill] : [])));
  const records: Records = new Map();
  const names = new Set<number>();
  const correct = (id: number, name: number, counts: Drawn | null): void => {
    const known = records.get(id);
    if (known && !names.has(name)) records.set(id, { ...known, counts });
    names.add(name);
  };
  for (const one of entries) {
    if (one.kind === 'record') {
      if (!records.has(one.id)) records.set(one.id, { origin: 'direct', counts: one, isReplaced: false });
    } else if (one.kind === 'void') correct(one.id, one.name, null);
    else if (one.kind === 'replace') correct(one.id, one.name, one);
    else if (one.kind === 'commit' && !reverted.has(one.backfill))
      commit(records, one.backfill, backfills[one.backfill]!);
  }
  const sums = { a: 0, b: 0 };
  for (const { counts, isReplaced } of records.values())
    if (counts !== null && !isReplaced) sums[counts.user] += counts.amount;
  return sums;
};

const totals = async (database: Database, countedTo?: bigint): Promise<Readonly<Record<User, number>>> => {
  const sums = { a: 0, b: 0 };
  for (const user of users) {
    const asked = { tenantId, user, unit: 'calls' };
    const quarters =
      countedTo === undefined
        ? await usageQuarters(database, asked, wholeDay)
        : (await usageQuartersAsOf(database, [{ ...asked, ...wholeDay, countedTo }])).flat();
    for (const { sum } of quarters) sums[user] += Number(sum);
  }
  return sums;
};

const pages = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
const history = fc
  .tuple(fc.array(entry, { maxLength: 30 }), fc.tuple(backfill, backfill, backfill))
  .map(([raw, some]) => {
    const backfills = some.map(({ scope: { length, ...rest }, staged }, index): Backfill => {
      const own = { backfillId: backfillIds[index]!, ...rest, toHour: rest.fromHour + length };
      return { drawn: own, staged: staged.filter((record) => isIn(own, record)) };
    });
    return { backfills, entries: taken(raw, backfills) };
  });
type History = { readonly backfills: readonly Backfill[]; readonly entries: readonly Entry[] };

const toldBy = ({ backfills, entries }: History): readonly Told[] => [
  ...backfills.flatMap((one) =>
    stagedBackfill(
      one.drawn,
      [one.staged.slice(0, 2), one.staged.slice(2)].map((part) => part.map(recordOf)),
    ),
  ),
  ...entries.map((one) => toldOf(one, backfills)),
];
const eventsOf = (drawnHistory: History) => logOf(toldBy(drawnHistory));

it('usage is what the log without reverted backfills means, in whatever pages it comes', async () => {
  await fc.assert(
    fc.asyncProperty(history, pages, async (drawnHistory, sizes) => {
      const events = eventsOf(drawnHistory);
      const database = await applied(events, sizes);
      expect(await totals(database)).toEqual(oracle(drawnHistory.entries, drawnHistory.backfills));
      expect(await contents(database)).toEqual(await contents(await applied(events)));
    }),
    { numRuns: 12 },
  );
});

it('what counted at a position of the log can be told for ever, whatever was committed and reverted since', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.nat(), async (drawnHistory, cut) => {
      const events = eventsOf(drawnHistory);
      const until = cut % events.length;
      const [then, now] = [await applied(events.slice(0, until + 1)), await applied(events)];
      expect(await totals(now, events[until]!.position)).toEqual(await totals(then));
    }),
    { numRuns: 12 },
  );
});

/** The day closed for a user at a place of the log, counted up to some events before it. */
type Closing = { readonly user: User; readonly place: number; readonly lag: number };
const closing: fc.Arbitrary<Closing> = fc.record({
  user: fc.constantFrom(...users),
  place: fc.nat(),
  lag: fc.nat(4),
});
const positionOf = (index: number): string => String(Math.max(0, index) * 7);

const withClosings = (told: readonly Told[], closings: readonly Closing[]): readonly Told[] => {
  const places = closings.map(({ place }) => place % (told.length + 1));
  const all: (Told | Closing)[] = [];
  for (let index = 0; index <= told.length; index += 1) {
    all.push(...closings.filter((_, which) => places[which] === index));
    const one = told[index];
    if (one !== undefined) all.push(one);
  }
  return all.map((one, index) => {
    if (!('lag' in one)) return one;
    const subscriptionId = `s${index}`;
    const usages = [
      {
        ...{ unit: 'calls', usageName: 'u', ...wholeDay, quantity: zero, metered: zero, free: zero, records: 0 },
        ...{ syntheticBuckets: 0, rule: null, countedTo: positionOf(index - 1 - one.lag) },
      },
    ];
    const asked = { user: one.user, planName: 'p', timeZone: 'UTC' };
    const data = { requestId: subscriptionId, accountId: 'a', subscriptionId, usages, asked };
    return {
      stream: usageClosingStream(subscriptionId),
      ...usageClosingSchema.encode({ type: 'UsageClosed', data }),
    };
  });
};

it('a closed period is late whenever it would come to something else now', async () => {
  const closings = fc.array(closing, { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(history, closings, pages, async (drawnHistory, closed, sizes) => {
      const events = logOf(withClosings(toldBy(drawnHistory), closed));
      const database = await applied(events, sizes);
      type Row = { readonly user: User; readonly countedTo: bigint; readonly lateTo: bigint | null };
      const rows = await database.query<Row>(
        'select user_name as "user", counted_to as "countedTo", late_to as "lateTo" from usage_closings',
      );
      expect(rows).toHaveLength(closed.length);
      const now = await totals(database);
      for (const { user, countedTo, lateTo } of rows)
        if (lateTo === null) expect((await totals(database, countedTo))[user]).toBe(now[user]);
      expect(await contents(database)).toEqual(await contents(await applied(events)));
    }),
    { numRuns: 12 },
  );
});
