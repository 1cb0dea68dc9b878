import { setTimeout as sleep } from 'node:timers/promises';
import { type Instant, instantOfMs } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { eventually, testDatabase, type TestDatabase } from '@billstream/testing';
import { runtimeDdl } from './checkpoints';
import { type Database, openDatabase } from './database';
import { dueBefore, failingWork } from './due-state';
import { type DueWorker, type DueWorkerParts, runDueWork, takeSql } from './due-worker';
import { type DueItem, dueWorkDdl, schedule, unschedule } from './due-work';
import { tenantClockDdl, tenantClocks } from './tenant-clocks';

let test: TestDatabase;
let database: Database;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  test = await testDatabase();
  database = openDatabase({ url: test.url, schema: 'due', applicationName: 'test' });
  await database.query('create schema due');
  await database.query(runtimeDdl + tenantClockDdl + dueWorkDdl);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await database.query('truncate due_work, due_lease, tenant_clock');
});
afterAll(async () => {
  await database.close();
  await test.drop();
});

const start = (
  work: (item: DueItem) => Promise<void>,
  options: Partial<Pick<DueWorkerParts, 'leaseSeconds' | 'concurrency' | 'tenantConcurrency'>> = {},
): DueWorker => {
  const controller = new AbortController();
  const worker = runDueWork({
    service: 'due',
    database,
    handlers: { bill: work },
    signal: controller.signal,
    logger: silentLogger(),
    pollMs: 30,
    ...options,
  });
  stops.push(async () => {
    controller.abort();
    await worker.done;
  });
  return worker;
};
const item = (key: string, dueInMs: number, payload: object = {}): DueItem => ({
  tenantId: 'one',
  kind: 'bill',
  key,
  dueAt: instantOfMs(Date.now() + dueInMs),
  payload,
});
const hour = 3_600_000;
const finish = (due: DueItem): Promise<void> => unschedule(database, [due]);

describe('due work', () => {
  it('is taken over soon after its worker has died, and not while its worker only takes long', async () => {
    const begun: string[] = [];
    let finishSlow: () => void = () => undefined;
    await schedule(database, [item('slow', -1)]);
    await database.query(
      `insert into due_lease (kind, key, due_at, attempts, leased_until)
       select 'bill', 'orphaned', $1::timestamptz, 1, clock_timestamp() + interval '300 milliseconds'`,
      [instantOfMs(Date.now() - hour)],
    );
    const work = async (due: DueItem): Promise<void> => {
      begun.push(due.key);
      if (due.key === 'slow') await new Promise<void>((resolve) => (finishSlow = resolve));
      await finish(due);
    };
    start(work, { leaseSeconds: 0.4 });
    start(work, { leaseSeconds: 0.4 });
    await eventually(() => begun.includes('slow'));
    const [{ due_at: dueAt }] = (await database.query<{ due_at: ReturnType<typeof instantOfMs> }>(
      `select due_at from due_lease where key = 'orphaned'`,
    )) as [{ due_at: ReturnType<typeof instantOfMs> }];
    await schedule(database, [{ ...item('orphaned', 0), dueAt }]);
    const leased = Date.now();
    await eventually(() => begun.includes('orphaned'), 3_000);
    await eventually(() => Date.now() - leased > 1_500);
    finishSlow();
    await eventually(async () => (await database.query('select from due_work')).length === 0);
    expect(begun).toEqual(['slow', 'orphaned']);
  });

  it('is done once its time has come, in order within an account', async () => {
    const done: string[] = [];
    const account = { accountId: 'a' };
    await schedule(database, [
      item('third', -1, account),
      item('first', -300, account),
      item('second', -200, account),
      item('later', hour),
    ]);
    start(async (due) => {
      await new Promise((resolve) => setTimeout(resolve, due.key === 'first' ? 30 : 1));
      done.push(due.key);
      await finish(due);
    });
    await eventually(async () => (await database.query('select from due_work')).length === 1);
    expect(done).toEqual(['first', 'second', 'third']);
    await eventually(async () => (await database.query('select key from due_work')).length === 1);
    expect(await database.query('select key from due_work')).toEqual([{ key: 'later' }]);
  });

  it('follows the clock of its tenant', async () => {
    const done: string[] = [];
    await schedule(database, [item('mine', hour), { ...item('theirs', hour), tenantId: 'two' }]);
    const worker = start(async (due) => {
      done.push(due.key);
      await finish(due);
    });
    const clocks = tenantClocks(database);
    await clocks.move(database, 'one', { distanceMs: 2 * hour });
    worker.wake();
    await eventually(() => done.length > 0);
    expect(done).toEqual(['mine']);
    expect(Date.parse(clocks.clock.now('one')) - Date.parse(clocks.clock.now('two'))).toBeGreaterThan(hour);
  });

  it('waits where the clock of its tenant holds it back, unless it follows at the clock’s new time', async () => {
    const done: string[] = [];
    await schedule(database, [item('first', hour), item('second', 2 * hour), item('follows', 3 * hour)]);
    const worker = start(async (due) => {
      done.push(due.key);
      await finish(due);
    });
    const clocks = tenantClocks(database);
    const after = (ms: number): Instant => instantOfMs(Date.now() + ms);
    const distanceMs = 4 * hour;
    await clocks.move(database, 'one', { distanceMs, heldBack: { after: after(0), until: after(2.5 * hour) } });
    worker.wake();
    await eventually(() => done.length > 0);
    expect(done).toEqual(['follows']);
    await eventually(async () => (await database.query('select from due_work')).length === 2);
    const [first] = await database.query<{ due_at: Instant }>("select due_at from due_work where key = 'first'");
    expect(await dueBefore(database, 'one', after(0))).toEqual({ dueNow: 0, nextDueAt: first?.due_at });
    await clocks.move(database, 'one', { distanceMs });
    worker.wake();
    await eventually(() => done.length === 3);
    expect(done).toEqual(['follows', 'first', 'second']);
  });

  it('comes again after a failure, and does not hold up others', async () => {
    const done: string[] = [];
    let failures = 0;
    await schedule(database, [item('bad', -500), item('good', -1)]);
    start(async (due) => {
      if (due.key === 'bad' && failures === 0) {
        failures += 1;
        throw new Error('not yet');
      }
      done.push(due.key);
      await finish(due);
    });
    const failed = async (): Promise<unknown[]> => {
      const rows = await database.query('select key, attempts, last_error from due_lease where last_error is not null');
      return [...rows];
    };
    await eventually(async () => done.length === 1 && (await failed()).length === 1);
    expect(await failed()).toEqual([{ key: 'bad', attempts: 1, last_error: 'not yet' }]);
    await eventually(() => done.length === 2);
    expect(done).toEqual(['good', 'bad']);
  });

  it('of a tenant whose work never ends leaves room for that of others', async () => {
    const done: string[] = [];
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const hanging = Array.from({ length: 40 }, (_, nth) => item(`hanging-${String(nth)}`, -hour));
    await schedule(database, [...hanging, { ...item('of another', -1), tenantId: 'two' }]);
    const begun: string[] = [];
    const work = async (due: DueItem): Promise<void> => {
      begun.push(due.key);
      if (due.tenantId === 'one') await released;
      await finish(due);
      done.push(due.key);
    };
    start(work, { concurrency: 16, tenantConcurrency: 4 });
    await eventually(() => done.includes('of another'), 3_000);
    expect(done).toEqual(['of another']);
    expect(begun.length - 1).toBeLessThan(8);
    release();
    await eventually(() => done.length === 41);
  });

  it('is shared by several workers without being done twice', async () => {
    const done: string[] = [];
    await schedule(
      database,
      Array.from({ length: 60 }, (_, n) => item(`k${String(n)}`, -100)),
    );
    const work = async (due: DueItem): Promise<void> => {
      done.push(due.key);
      await finish(due);
    };
    start(work);
    start(work);
    await eventually(async () => (await database.query('select 1 from due_work')).length === 0);
    expect(new Set(done).size).toBe(60);
    expect(done).toHaveLength(60);
  });

  it('is a new item when it was moved to another date', async () => {
    const seen: string[] = [];
    const first = item('moving', -100);
    await schedule(database, [first]);
    start(async (due) => {
      seen.push(due.dueAt);
      if (seen.length === 1) await schedule(database, [{ ...due, dueAt: instantOfMs(Date.parse(due.dueAt) + 50) }]);
      else await finish(due);
    });
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([first.dueAt, instantOfMs(Date.parse(first.dueAt) + 50)]);
  });

  it('is not waited for when it keeps failing, which is told with the reason', async () => {
    const broken = item('broken', -1_000);
    const next = item('next', hour);
    await schedule(database, [broken, next]);
    let isOver = false;
    start(async (due) => {
      if (due.key === 'broken' && !isOver) throw new Error('no such plan');
      await finish(due);
    });
    const until = instantOfMs(Date.now() + 2 * hour);
    const tried = async (times: number) => {
      await database.query(`update due_lease set leased_until = 'epoch', attempts = $1 where key = 'broken'`, [
        times - 1,
      ]);
      await eventually(
        async () =>
          (await database.query(`select 1 from due_lease where attempts = $1 and last_error is not null`, [times]))
            .length === 1,
      );
    };
    await eventually(
      async () => (await database.query('select 1 from due_lease where last_error is not null')).length === 1,
    );
    await tried(4);
    expect(await dueBefore(database, 'one', until)).toEqual({ dueNow: 1, nextDueAt: broken.dueAt });
    expect(await failingWork(database, 'one')).toEqual([]);
    await tried(5);
    expect(await dueBefore(database, 'one', until)).toEqual({ dueNow: 0, nextDueAt: next.dueAt });
    const { kind, key, dueAt } = broken;
    expect(await failingWork(database, 'one')).toEqual([{ kind, key, dueAt, attempts: 5, error: 'no such plan' }]);
    expect(await failingWork(database, 'two')).toEqual([]);
    isOver = true;
    await database.query(`update due_lease set leased_until = 'epoch'`);
    await eventually(async () => (await database.query('select 1 from due_work')).length === 1);
    expect(await failingWork(database, 'one')).toEqual([]);
  });

  it('is taken by the quarter where hardly anything more may be begun', async () => {
    const looks = jest.spyOn(database, 'query');
    await schedule(
      database,
      Array.from({ length: 60 }, (_, index) => item(`k${index}`, -hour)),
    );
    let done = 0;
    // One after the other ends, as they would where each waits for the same thing.
    let ends = Promise.resolve();
    start(
      (due) =>
        (ends = ends.then(async () => {
          await sleep(5);
          await finish(due);
          done += 1;
        })),
      { concurrency: 16 },
    );
    await eventually(() => done === 60);
    const free = looks.mock.calls.flatMap(([, values, name]) => (name === 'due-take' ? [Number(values?.[1])] : []));
    looks.mockRestore();
    expect(free[0]).toBe(16);
    expect(free.filter((room) => room < 4)).toEqual([]);
  });

  it('is taken from the beginning of what is due, whatever a plan that is kept was made for', () =>
    database.transaction(async (tx) => {
      await tx.query('set local plan_cache_mode = force_generic_plan');
      await tx.query(`prepare look (timestamptz, int, float8, text[], text[]) as ${takeSql}`);
      const planned = async (): Promise<string> => {
        const look = `explain (costs off) execute look (now(), 20, 12, array['bill', 'call'], '{}')`;
        return (await tx.query<{ 'QUERY PLAN': string }>(look)).map((row) => row['QUERY PLAN']).join('\n');
      };
      const plan = await planned();
      expect(plan).toContain('Index Scan using due_work_due on due_work work');
      expect(plan).not.toContain('Sort Key: work.due_at');
      await tx.query('deallocate look');
    }));

  it('says what is due and when the next thing will be', async () => {
    const until = instantOfMs(Date.now() + 3 * hour);
    expect(await dueBefore(database, 'one', until)).toEqual({ dueNow: 0, nextDueAt: null });
    const next = item('next', hour);
    await schedule(database, [next, item('after', 2 * hour), item('far', 9 * hour)]);
    expect(await dueBefore(database, 'one', until)).toEqual({ dueNow: 0, nextDueAt: next.dueAt });
    // Half a second short of the second one: what is due in a moment is not left to chance.
    await tenantClocks(database).move(database, 'one', { distanceMs: 2 * hour - 500 });
    expect((await dueBefore(database, 'one', until)).dueNow).toBe(2);
    expect((await dueBefore(database, 'two', until)).dueNow).toBe(0);
  });
});
