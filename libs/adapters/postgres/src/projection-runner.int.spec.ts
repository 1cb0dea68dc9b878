import { type EventStore, memoryEventStore } from '@billstream/event-sourcing';
import { sampleEvent } from '@billstream/event-sourcing/testing';
import { silentLogger } from '@billstream/observability';
import { eventually, testDatabase, type TestDatabase } from '@billstream/testing';
import { runtimeDdl } from './checkpoints';
import { type Database, openDatabase } from './database';
import { type Projections, runProjections } from './projection-runner';
import type { ReadModel } from './read-model';
import { compareReadModel, rebuildReadModel } from './rebuild';
import { amountOf, balances } from './testing/balances';

let test: TestDatabase;
let database: Database;
let store: EventStore;
let schema = 0;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  test = await testDatabase();
});
beforeEach(async () => {
  schema += 1;
  store = memoryEventStore();
  database = openDatabase({ url: test.url, schema: `wallets${String(schema)}`, applicationName: 'test' });
  await database.query(`create schema wallets${String(schema)}`);
  await database.query(runtimeDdl);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await database.close();
});
afterAll(() => test.drop());

const start = (readModels: readonly ReadModel[], pageSize = 100): Projections & { stop(): Promise<void> } => {
  const controller = new AbortController();
  const projections = runProjections({
    service: 'wallets',
    store,
    database,
    readModels,
    prefixes: ['wallet-', 'fence-'],
    signal: controller.signal,
    logger: silentLogger(),
    pageSize,
  });
  const stop = async (): Promise<void> => {
    controller.abort();
    await projections.done;
  };
  stops.push(stop);
  return { ...projections, stop };
};

const deposit = async (wallet: number, amounts: readonly number[]): Promise<bigint> => {
  const stream = `wallet-${String(wallet)}`;
  const revision = (await store.read(stream)).at(-1)?.revision ?? 'none';
  const { position } = await store.append(
    stream,
    revision,
    amounts.map((amount) => sampleEvent({ amount })),
  );
  return position;
};
const totals = () =>
  database.query<{ amount: string; events: bigint }>(
    'select sum(amount)::text as amount, sum(events)::bigint as events from balances',
  );

describe('projections', () => {
  it('apply every event once, from history into live, and tell who waits', async () => {
    await deposit(1, [1, 2, 3]);
    const projections = start([balances]);
    await projections.ready;
    const position = await deposit(2, [4]);
    expect(await projections.visible(position, 5_000)).toBe(true);
    expect(await totals()).toEqual([{ amount: '10', events: 4n }]);
    expect(await projections.visible(position + 1n, 20)).toBe(false);
  });

  it('tell what was applied once it is committed, and before they say how far they are', async () => {
    const heard: unknown[] = [];
    let failures = 1;
    const failing: ReadModel = {
      ...balances,
      apply: async (tx, events) => {
        const told = await balances.apply(tx, events);
        if (failures-- > 0) throw new Error('the page is rolled back');
        return told;
      },
    };
    const projections = start([failing]);
    projections.listen({ applied: ({ told }) => heard.push(told), missed: () => heard.push('missed') });
    expect(await projections.visible(await deposit(1, [1]), 5_000)).toBe(true);
    expect(heard).toEqual(['missed', ['wallet-1']]);
    await projections.stop();
    expect(heard).toEqual(['missed', ['wallet-1'], 'missed']);
  });

  it('apply every event once although the process is replaced again and again in the middle of its batches', async () => {
    for (let wallet = 0; wallet < 20; wallet += 1)
      await deposit(
        wallet,
        Array.from({ length: 25 }, () => 1),
      );
    for (let life = 0; life < 8; life += 1) {
      let batches = 0;
      let reachMiddle: () => void = () => undefined;
      const middle = new Promise<void>((resolve) => (reachMiddle = resolve));
      const interrupted: ReadModel = {
        ...balances,
        apply: async (tx, events) => {
          await balances.apply(tx, events);
          batches += 1;
          if (batches === 3) reachMiddle();
        },
      };
      const projections = start([interrupted], 7);
      await middle;
      await projections.stop();
    }
    const last = start([balances], 7);
    expect(await last.visible(await store.head(), 10_000)).toBe(true);
    expect(await totals()).toEqual([{ amount: '500', events: 500n }]);
  });

  it('keep rows and checkpoint together when a batch fails half way, and name the event', async () => {
    await deposit(1, [1, 1, 1, 1, 1]);
    let failures = 0;
    const fragile: ReadModel = {
      ...balances,
      apply: async (tx, events) => {
        await balances.apply(tx, events);
        if (events.some(({ revision }) => revision === 3n) && failures < 3) {
          failures += 1;
          throw new Error('a bug that goes away');
        }
      },
    };
    const projections = start([fragile]);
    expect(await projections.visible(await store.head(), 10_000)).toBe(true);
    expect(failures).toBe(3);
    expect(await totals()).toEqual([{ amount: '5', events: 5n }]);
  });

  it('build a new read model, and one whose tables have changed, from the beginning of the log', async () => {
    await deposit(1, [1, 2]);
    const before = start([balances]);
    await before.visible(await store.head(), 5_000);
    await before.stop();
    const changed = { ...balances, ddl: `${balances.ddl} create index balances_amount on balances (amount);` };
    const count: ReadModel = {
      name: 'event-count',
      tables: ['event_count'],
      ddl: 'create table event_count (id int primary key, n bigint not null);',
      prefixes: ['wallet-'],
      apply: async (tx, events) => {
        await tx.query(
          'insert into event_count values (1, $1) on conflict (id) do update set n = event_count.n + excluded.n',
          [events.length],
        );
      },
    };
    await deposit(2, [3]);
    const after = start([changed, count]);
    expect(await after.visible(await store.head(), 5_000)).toBe(true);
    expect(await totals()).toEqual([{ amount: '6', events: 3n }]);
    expect(await database.query('select n from event_count')).toEqual([{ n: 3n }]);
  });

  it('let a process that does not project see the progress of the one that does', async () => {
    const active = start([balances]);
    await eventually(() => active.progress().isActive);
    const standby = start([balances]);
    await standby.ready;
    const position = await deposit(1, [5]);
    expect(await standby.visible(position, 5_000)).toBe(true);
    expect(standby.progress().isActive).toBe(false);
  });
});

describe('a rebuild', () => {
  const parts = () => ({ store, database, readModel: balances, signal: new AbortController().signal });

  it('gives the same rows, while the live ones go on, and takes their place', async () => {
    for (let wallet = 0; wallet < 30; wallet += 1) await deposit(wallet, [wallet, wallet, 1]);
    const projections = start([balances]);
    await projections.visible(await store.head(), 5_000);
    const seen: number[] = [];
    const result = await rebuildReadModel({ ...parts(), pageSize: 20, onProgress: ({ events }) => seen.push(events) });
    expect(result).toMatchObject({
      outcome: 'swapped',
      events: 90,
      tables: [{ table: 'balances', isEqual: true, differingKeys: [] }],
    });
    expect(seen.length).toBeGreaterThan(3);
    expect(await projections.visible(await deposit(1, [1000]), 5_000)).toBe(true);
    expect(await totals()).toEqual([{ amount: String(2 * 435 + 30 + 1000), events: 91n }]);
    const index = await database.query('select indexname from pg_indexes where schemaname = $1 and tablename = $2', [
      database.schema,
      'balances',
    ]);
    expect(index).toEqual([{ indexname: 'balances_pkey' }]);
  });

  it('names the keys of rows that are not what the log says, and mends them', async () => {
    await deposit(1, [1]);
    await deposit(2, [2]);
    const projections = start([balances]);
    await projections.visible(await store.head(), 5_000);
    await database.query(`update balances set amount = 99 where stream = 'wallet-2'`);
    const differing = [{ isEqual: false, differingKeys: ['{"stream": "wallet-2"}'], rows: { live: 2, rebuilt: 2 } }];
    expect(await compareReadModel(parts())).toMatchObject({ outcome: 'compared', events: 2, tables: differing });
    expect(await totals()).toEqual([{ amount: '100', events: 2n }]);
    expect(await rebuildReadModel(parts())).toMatchObject({ outcome: 'swapped', tables: differing });
    expect(await totals()).toEqual([{ amount: '3', events: 2n }]);
  });

  it('is told to who keeps something of the tables it has replaced, although their position is the same', async () => {
    const projections = start([balances]);
    await projections.visible(await deposit(1, [1]), 5_000);
    const heard: unknown[] = [];
    projections.listen({ applied: ({ told }) => heard.push(told), missed: () => heard.push('missed') });
    await compareReadModel(parts());
    await projections.visible(await deposit(2, [1]), 5_000);
    expect(heard).toEqual([['wallet-2']]);
    await rebuildReadModel(parts());
    await deposit(3, [1]);
    await eventually(() => heard.length === 4);
    expect(heard.slice(1)).toEqual(['missed', 'missed', ['wallet-3']]);
    expect(await totals()).toEqual([{ amount: '3', events: 3n }]);
  });

  it('takes json for the same whose keys are in another order, and for another with another value', async () => {
    const wallets: ReadModel = {
      ...balances,
      ddl: 'create table balances (stream text primary key, state json not null);',
      apply: async (tx, events) => {
        for (const event of events)
          await tx.query('insert into balances values ($1, $2)', [event.stream, { amount: amountOf(event), by: 'me' }]);
      },
    };
    await deposit(1, [7]);
    const projections = start([wallets]);
    await projections.visible(await store.head(), 5_000);
    const compared = async (state: string) => {
      await database.query('update balances set state = $1', [state]);
      return (await compareReadModel({ ...parts(), readModel: wallets })).tables;
    };
    expect(await compared('{"by": "me", "amount": 7}')).toMatchObject([{ isEqual: true, differingKeys: [] }]);
    expect(await compared('{"by": "me", "amount": 8}')).toMatchObject([{ isEqual: false }]);
  });

  it('goes on where it was stopped', async () => {
    for (let wallet = 0; wallet < 10; wallet += 1) await deposit(wallet, [1, 1]);
    const controller = new AbortController();
    const stopped = await rebuildReadModel({
      ...parts(),
      signal: controller.signal,
      pageSize: 4,
      onProgress: ({ events }) => {
        if (events >= 8) controller.abort();
      },
    });
    expect(stopped.outcome).toBe('stopped');
    const finished = await rebuildReadModel(parts());
    expect(finished.outcome).toBe('swapped');
    expect(finished.events).toBeLessThanOrEqual(12);
    expect(await totals()).toEqual([{ amount: '20', events: 20n }]);
  });
});
