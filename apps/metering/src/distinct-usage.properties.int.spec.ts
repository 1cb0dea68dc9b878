import { AppendOutcomeUnknown, type EventStore, memoryEventStore } from '@billstream/event-sourcing';
import { type Instant, fixedClock, newId } from '@billstream/kernel';
import { meteringReadModel, usageReport } from '@billstream/metering-read-models';
import { silentLogger } from '@billstream/observability';
import { type Database, openDatabase, runProjections, runtimeDdl } from '@billstream/postgres';
import { type TestDatabase, testDatabase } from '@billstream/testing';
import fc from 'fast-check';
import { setImmediate as tick, setTimeout as sleep } from 'node:timers/promises';
import { createIngest } from './ingest/ingest';
import { usageWriter } from './ingest/usage-writer';
import { type Changing, changing, changesOf } from './testing/changed-usage';
import { countedByLog } from './testing/counted-by-log';

let place: TestDatabase;
beforeAll(async () => {
  place = await testDatabase();
}, 30_000);
afterAll(() => place.drop());

const clock = fixedClock('2024-05-10T12:00:00.000Z' as Instant);
const [fromAt, toAt] = ['2024-05-10T00:00:00.000Z' as Instant, '2024-05-11T00:00:00.000Z' as Instant];
const runs = Number(process.env['HISTORIES'] ?? 30);

const users = ['a', 'b', 'c'] as const;
const drawnRecord = fc.record({
  user: fc.constantFrom(...users),
  hour: fc.nat(3),
  amount: fc.nat(40),
  /** Null: its name comes from the request's key and its place. */
  id: fc.oneof({ weight: 3, arbitrary: fc.nat(10) }, { weight: 1, arbitrary: fc.constant(null) }),
});
/** What becomes of an append: its answer is lost before or after it was written, or its process dies then. */
const fault = fc.constantFrom('NONE', 'REFUSED', 'ANSWER_LOST', 'KILLED_BEFORE', 'KILLED_AFTER');
const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('SEND' as const),
      batch: fc.array(drawnRecord, { minLength: 1, maxLength: 4 }),
      /** Processes that get it, at once. */
      to: fc.array(fc.nat(1), { minLength: 1, maxLength: 3 }),
      faults: fc.array(fault, { maxLength: 3 }),
      delays: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
      isAwaited: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('KILL' as const), process: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('KILL_PROJECTION' as const),
      isCommitted: fc.boolean(),
      pageSize: fc.integer({ min: 1, max: 5 }),
    }),
  },
);
type Taking = typeof act extends fc.Arbitrary<infer One> ? One : never;
type Act = Taking | Changing;
type Send = Extract<Taking, { readonly kind: 'SEND' }>;

/** A process that takes usage; what it knows is gone once it dies, and it writes nothing more. */
const takingProcess = (store: EventStore, next: { faults: string[]; delays: number[] }) => {
  const process = { isDead: false };
  const die = (): never => {
    process.isDead = true;
    throw new Error('killed');
  };
  const append: EventStore['append'] = async (stream, expected, events) => {
    const delay = next.delays.shift() ?? 0;
    for (let n = 0; n < delay; n += 1) await tick();
    const own = process.isDead ? 'KILLED_BEFORE' : (next.faults.shift() ?? 'NONE');
    if (own === 'REFUSED') throw new Error('no room');
    if (own === 'KILLED_BEFORE') return die();
    const written = await store.append(stream, expected, events);
    if (own === 'ANSWER_LOST') throw new AppendOutcomeUnknown(stream);
    return own === 'KILLED_AFTER' ? die() : written;
  };
  const writer = usageWriter({ store: { ...store, append }, clock });
  const ingest = createIngest({ writer, clock, methodsOf: () => Promise.resolve(new Map()) });
  return { process, ingest };
};

/** The projection as it runs in a service, over a database whose transactions can be cut off by the death of the process. */
const projecting = (store: EventStore, database: Database, pageSize: number) => {
  const ending = new AbortController();
  const killing: { at: 'BEFORE_COMMIT' | 'AFTER_COMMIT' | null } = { at: null };
  const cut: Database = {
    ...database,
    transaction: async (work) => {
      const done = await database.transaction(async (tx) => {
        const result = await work(tx);
        if (killing.at === 'BEFORE_COMMIT') {
          ending.abort();
          throw new Error('killed');
        }
        return result;
      });
      if (killing.at === 'AFTER_COMMIT') ending.abort();
      return done;
    },
  };
  const projections = runProjections({
    ...{ service: `metering ${newId()}`, store, database: cut, pageSize },
    readModels: [meteringReadModel],
    prefixes: meteringReadModel.prefixes,
    signal: ending.signal,
    logger: silentLogger(),
  });
  projections.ready.catch(() => undefined);
  return {
    ready: projections.ready,
    visible: (position: bigint, withinMs: number) => projections.visible(position, withinMs),
    /** In or after its next transaction, or soon where there is none. */
    kill: async (at: 'BEFORE_COMMIT' | 'AFTER_COMMIT'): Promise<void> => {
      killing.at = at;
      for (let waited = 0; waited < 20 && !ending.signal.aborted; waited += 1) await sleep(1);
      ending.abort();
      await projections.done.catch(() => undefined);
    },
  };
};

const played = async (store: EventStore, database: Database, tenantId: string, acts: readonly Act[]) => {
  const next = { faults: [] as string[], delays: [] as number[] };
  const processes = [takingProcess(store, next), takingProcess(store, next)];
  let projection = projecting(store, database, 3);
  const change = changesOf(store, tenantId);
  /** A sender sends until it is answered that its batch is taken. */
  const send = async ({ batch }: Send, requestKey: string, to: number): Promise<void> => {
    const records = batch.map(({ user, hour, amount, id }) => ({
      ...{ unit: 'calls', user, amount, source: 's', time: `2024-05-10T0${hour}:30:00Z` },
      ...(id === null ? {} : { id: String(id) }),
    }));
    for (;;) {
      if (processes[to]!.process.isDead) processes[to] = takingProcess(store, next);
      try {
        const answer = await processes[to]!.ingest({ tenantId, batch: records, requestKey });
        expect(answer).toMatchObject({ rejected: [], deduplicated: true });
        return;
      } catch (error) {
        if (!/killed|no room/.test(String(error))) throw error;
      }
    }
  };
  const sending: Promise<unknown>[] = [];
  for (const [n, one] of acts.entries()) {
    if (one.kind === 'SEND') {
      next.faults.push(...one.faults);
      next.delays.push(...one.delays);
      const sent = Promise.all(one.to.map((to) => send(one, `r${n}`, to)));
      sending.push(sent);
      if (one.isAwaited) await sent;
    } else if (one.kind === 'KILL') processes[one.process]!.process.isDead = true;
    else if (one.kind !== 'KILL_PROJECTION') await change(one);
    else {
      await projection.kill(one.isCommitted ? 'AFTER_COMMIT' : 'BEFORE_COMMIT');
      projection = projecting(store, database, one.pageSize);
    }
    await tick();
  }
  await Promise.all(sending);
  await projection.ready;
  expect(await projection.visible(await store.head(), 20_000)).toBe(true);
  await projection.kill('AFTER_COMMIT');
};

const reportedTotals = async (database: Database, tenantId: string) => {
  const rows = await usageReport(database, {
    ...{ tenantId, fromAt, toAt, interval: 'hour', timeZone: 'UTC', units: [], users: [], dimensions: {} },
    ...{
      groupBy: ['user'],
      owners: { series: [], fromMs: [], toMs: [], subscriptionIds: [] },
      limit: 100,
      after: null,
    },
  });
  const totals = rows.map(
    ({ at, groups, sum }) => [`${groups[0]} ${new Date(at!).getUTCHours()}`, Number(sum)] as const,
  );
  return Object.fromEntries([...totals].sort());
};

/** What was sent and accepted, however often: names that came with a record, and places in requests of those without. */
const sentNames = (acts: readonly Act[]): number => {
  const sent = acts.flatMap((one, n) =>
    one.kind !== 'SEND' ? [] : one.batch.map(({ id }, index) => (id === null ? `r${n} ${index}` : String(id))),
  );
  return new Set(sent).size;
};

const history = fc.array(fc.oneof({ weight: 3, arbitrary: act }, { weight: 2, arbitrary: changing }), {
  minLength: 1,
  maxLength: 20,
});

it(
  'totals are what the log means, whatever is sent twice, delayed, corrected, backfilled, or cut off on its way and in the projection',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, async (acts) => {
        const schema = `s_${newId().replaceAll('-', '')}`;
        const database = openDatabase({ url: place.url, schema, applicationName: 'distinct usage', poolSize: 4 });
        try {
          await database.query(`create schema ${schema}`);
          await database.query(runtimeDdl);
          const store = memoryEventStore();
          const tenantId = newId();
          await played(store, database, tenantId, acts);
          const { names, sums } = await countedByLog(store, tenantId);
          expect(names.size).toBe(sentNames(acts));
          expect(await reportedTotals(database, tenantId)).toEqual(sums);
        } finally {
          await database.query(`drop schema ${schema} cascade`);
          await database.close();
        }
      }),
      { numRuns: runs, ...(process.env['HISTORIES'] === undefined ? { seed: 20_241_122 } : {}) },
    );
  },
  60_000 + runs * 4_000,
);
