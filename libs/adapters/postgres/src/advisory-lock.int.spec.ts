import { once } from 'node:events';
import { eventually, testDatabase, type TestDatabase } from '@billstream/testing';
import { openDatabase, type Database } from './index';

let server: TestDatabase;
let databases: Database[];
const errors: Error[] = [];

const database = (index: number): Database => {
  const found = databases[index];
  if (!found) throw new Error(`No database ${String(index)}`);
  return found;
};

const cutHolders = async (): Promise<number> => {
  const rows = await database(0).query(
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and granted
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.length;
};

const untilAborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};

beforeAll(async () => {
  server = await testDatabase();
  databases = [0, 1, 2].map(() =>
    openDatabase({
      url: server.url,
      schema: 'public',
      applicationName: 'locks',
      poolSize: 2,
      onError: (error) => errors.push(error),
    }),
  );
});

afterAll(async () => {
  await Promise.all(databases.map((each) => each.close()));
  await server.drop();
});

const never = new AbortController().signal;

describe('exclusively', () => {
  it('never lets two holders overlap', async () => {
    let inside = 0;
    let rounds = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      expect(inside).toBe(1);
      await database(0).query('select pg_sleep(0.01)');
      rounds += 1;
      inside -= 1;
    };
    const contend = async (each: Database): Promise<void> => {
      for (let round = 0; round < 5; round += 1) await each.exclusively('turn', never, work);
    };
    await Promise.all(databases.map(contend));
    expect(rounds).toBe(15);
  });

  it('keeps locks of other names and of other schemas apart', async () => {
    const other = database(0).withSchema('elsewhere');
    let reached = false;
    await database(0).exclusively('a', never, () =>
      database(0).exclusively('b', never, () =>
        other.exclusively('a', never, () => {
          reached = true;
          return Promise.resolve();
        }),
      ),
    );
    expect(reached).toBe(true);
  });

  it('aborts the work when the connection is cut, and lets the next one in', async () => {
    let holding = false;
    const first = database(0).exclusively('cut', never, async (signal) => {
      holding = true;
      await untilAborted(signal);
    });
    await eventually(() => holding);
    const order: string[] = [];
    const second = database(1).exclusively('cut', never, () => {
      order.push('second');
      return Promise.resolve();
    });
    expect(await cutHolders()).toBe(1);
    await first;
    await second;
    expect(order).toEqual(['second']);
  });

  it('resolves after a loss even when the work throws, and reports what it threw', async () => {
    errors.length = 0;
    let holding = false;
    const first = database(0).exclusively('loud', never, async (signal) => {
      holding = true;
      await untilAborted(signal);
      throw new Error('thrown after the loss');
    });
    await eventually(() => holding);
    await cutHolders();
    await first;
    expect(errors.map(({ message }) => message)).toContain('thrown after the loss');
  });

  it('passes on what the work throws while it holds the lock, and frees the lock', async () => {
    const failing = database(0).exclusively('fails', never, () => Promise.reject(new Error('work failed')));
    await expect(failing).rejects.toThrow('work failed');
    await database(1).exclusively('fails', never, () => Promise.resolve());
  });

  it('stops waiting when told to', async () => {
    const stop = new AbortController();
    let ran = false;
    await database(0).exclusively('taken', never, async () => {
      const waiting = database(1).exclusively('taken', stop.signal, () => {
        ran = true;
        return Promise.resolve();
      });
      stop.abort();
      await waiting;
    });
    expect(ran).toBe(false);
  });

  it('tells the work to stop when its caller does', async () => {
    const stop = new AbortController();
    const held = database(0).exclusively('stopped', stop.signal, untilAborted);
    stop.abort();
    await held;
  });
});
