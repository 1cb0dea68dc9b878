import { derivedId } from '@billstream/kernel';
import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Database, Sql } from '@billstream/postgres';
import { type BackfillProgress, backfillProgress, meteringReadModel } from './index';
import { planBackfill } from './backfill-plan';
import { writePlanned } from './planned-records';
import { committedBackfill, hourMs, revertedBackfill, stagedBackfill } from './testing/backfill-log';
import {
  applied,
  contents,
  defined,
  limitedTo,
  logOf,
  record,
  startMs,
  tenantId,
  usage,
  withTables,
} from './testing/metering-log';

withTables();
jest.setTimeout(120_000);

const backfill = {
  ...{ backfillId: derivedId('backfill', 'large'), mode: 'REPLACE' as const, users: null },
  ...{ fromHour: 0, toHour: 2 },
};
const direct = Array.from({ length: 30 }, (_, n) => record('u', 1, `direct ${n}`, startMs + n));
const brought = Array.from({ length: 60 }, (_, n) => record('u', 2, n < 10 ? `direct ${n}` : `new ${n}`, startMs + n));
const log = logOf([
  defined('calls', [limitedTo(100)]),
  usage(0, direct),
  ...stagedBackfill(backfill, [brought.slice(0, 25), brought.slice(25)]),
  committedBackfill(backfill, startMs + hourMs),
  revertedBackfill(backfill),
]);
const committed = log.at(-2)!;
const reverted = log.at(-1)!;
const staged = log.slice(0, -2);

const watched = (tx: Sql, before: (statement: number) => Promise<void>): Sql => {
  let statements = 0;
  return {
    ...tx,
    query: async (...asked: Parameters<Sql['query']>) => {
      statements += 1;
      await before(statements);
      return tx.query(...asked);
    },
  } as Sql;
};

/** Applies the event by a process that is killed before its n-th statement; whether it came to that. */
const killedAt = async (database: Database, event: RecordedEvent, n: number): Promise<boolean> => {
  const killed = new Error('killed');
  const apply = (tx: Sql) =>
    meteringReadModel.apply(
      watched(tx, (statement) => (statement === n ? Promise.reject(killed) : Promise.resolve())),
      [event],
    );
  return database.transaction(apply).then(
    () => false,
    (error: unknown) => {
      expect(error).toBe(killed);
      return true;
    },
  );
};

it('a commit that is stopped anywhere leaves nothing, and comes to the same when it is taken up again', async () => {
  const database = await applied(staged);
  const [before, after] = [await contents(database), await contents(await applied([...staged, committed]))];
  let deaths = 0;
  for (let n = 1; await killedAt(database, committed, n); n += 1) {
    deaths += 1;
    expect(await contents(database)).toEqual(before);
  }
  expect(deaths).toBeGreaterThan(20);
  expect(await contents(database)).toEqual(after);
});

it.each([
  ['a commit', [], committed, 80],
  ['a revert', [committed], reverted, 80],
])(
  'how far %s is can be seen while it is under way, and nothing of it before or after',
  async (_, earlier, event, of) => {
    const database = await applied([...staged, ...earlier]);
    const seen: (BackfillProgress | null)[] = [];
    const look = async (): Promise<void> => {
      seen.push(await backfillProgress(database, backfill.backfillId));
    };
    await look();
    await database.transaction((tx) => meteringReadModel.apply(watched(tx, look), [event]));
    await look();
    expect([seen[0], seen.at(-1)]).toEqual([null, null]);
    const told = [...new Set(seen.filter((one) => one !== null).map((one) => JSON.stringify(one)))].map(
      (one): unknown => JSON.parse(one),
    );
    expect(told).toEqual([
      ...['PLANNING', 'LIMITS'].map((step) => ({ step, done: 0, of: null })),
      { step: 'RECORDS', done: 0, of },
      { step: 'PERIODS', done: of, of },
    ]);
  },
);

it('records that are written a few at a time are those that are written at once', async () => {
  const written = async (most: number) => {
    const database = await applied(staged);
    const done: number[] = [];
    await database.transaction(async (tx) => {
      await planBackfill(tx, {
        tenantId,
        backfillId: backfill.backfillId,
        position: committed.position,
        isCommitted: true,
      });
      const look = async (): Promise<void> => {
        done.push((await backfillProgress(database, backfill.backfillId))?.done ?? 0);
      };
      await writePlanned(watched(tx, look), backfill.backfillId, most);
    });
    return { done: [...new Set(done)], records: (await contents(database))['usage_records'] };
  };
  const [slowly, atOnce] = [await written(9), await written(1_000)];
  expect(slowly.records).toHaveLength(80);
  expect(slowly.records).toEqual(atOnce.records);
  expect(slowly.done.length).toBeGreaterThan(5);
  expect(slowly.done).toEqual(slowly.done.toSorted((a, b) => a - b));
});
