import { randomUUID } from 'node:crypto';
import { NO_STREAM, START, type AppendExpectedRevision, type JSONEventData } from '@eventstore/db-client';
import { postgresLog } from './storage/postgres/postgres-log';
import { LogUnavailable } from './storage/event-log';
import { startEventStoreServer } from './server';
import { event, events, eventually, gather, readAllOf, readStreamOf, startBench, type Seen } from './testing/bench';
import { storeContract } from './testing/store-server.contract';
import { cutWriter, newSchema, query, testDatabaseUrl } from './testing/test-database';

/** So small that nearly every read has to page from the database. */
const SMALL_CACHE_BYTES = 20_000;

const scratch = newSchema();
const makeLog = (schema: string) => () =>
  postgresLog({ connectionString: testDatabaseUrl(), schema, cacheBytes: SMALL_CACHE_BYTES, lockPatienceMs: 300 });

// Generous: these run on machines that do other things at the same time.
jest.setTimeout(60_000);

describe('the event store server over PostgreSQL', () => {
  storeContract(makeLog(scratch.schema));
  // In the order of registration: the contract closes its server first.
  afterAll(() => scratch.drop());
});

describe('a schema of the event store', () => {
  const own = newSchema();
  afterAll(() => own.drop());

  it('has one writer at a time', async () => {
    const first = await startEventStoreServer({ log: makeLog(own.schema)() });
    await expect(startEventStoreServer({ log: makeLog(own.schema)() })).rejects.toThrow(LogUnavailable);
    await first.close();
    const second = await startEventStoreServer({ log: makeLog(own.schema)() });
    await second.close();
  });

  it('numbers positions without gaps, whatever is refused in between', async () => {
    const bench = await startBench(makeLog(own.schema));
    const stream = `dense-${randomUUID()}`;
    await bench.client.appendToStream(stream, events(3));
    const late = bench.client.appendToStream(stream, events(3), { expectedRevision: 9n });
    await expect(late).rejects.toThrow();
    await bench.client.appendToStream(stream, events(3), { expectedRevision: 2n });
    await bench.close();
    const [row] = await query(`select count(*) as count, max(position) as last from ${own.schema}.events`);
    expect(row?.['count']).toBe(row?.['last']);
  });
});

describe('a writer whose connection is cut', () => {
  const own = newSchema();
  afterAll(() => own.drop());

  it('refuses what it cannot commit, comes back, and neither loses nor doubles what was acknowledged', async () => {
    const bench = await startBench(makeLog(own.schema));
    const live: Seen[] = [];
    const subscription = bench.client.subscribeToAll({ fromPosition: START });
    const following = gather(subscription, live);
    const acknowledged: string[] = [];
    let stopped = false;
    let refused = 0;
    const append = (stream: string, batch: JSONEventData[], expectedRevision: AppendExpectedRevision) =>
      bench.client.appendToStream(stream, batch, { expectedRevision });
    const lane = async (): Promise<void> => {
      const stream = `cut-${randomUUID()}`;
      let expectedRevision: AppendExpectedRevision = NO_STREAM;
      while (!stopped) {
        const batch = events(3);
        for (let done = false; !done;) {
          try {
            expectedRevision = (await append(stream, batch, expectedRevision)).nextExpectedRevision;
            acknowledged.push(...batch.map(({ id }) => id));
            done = true;
          } catch {
            refused++; // not known whether it was written: the same ids again, with the same expectation
          }
        }
      }
    };
    const lanes = Array.from({ length: 8 }, lane);
    for (let cut = 1; cut <= 3; cut++) {
      const before = acknowledged.length;
      await eventually('some appends', () => acknowledged.length > before + 150);
      expect(await cutWriter(own.schema)).toBe(1);
    }
    const after = acknowledged.length;
    await eventually('appends after the last cut', () => acknowledged.length > after + 150);
    stopped = true;
    await Promise.all(lanes);
    const all = await readAllOf(bench.client);
    expect(refused).toBeGreaterThan(0);
    expect(all.map(({ id }) => id).sort()).toEqual([...acknowledged].sort());
    // The client closes its channel when a call is told "unavailable"; a subscription that lives on misses nothing.
    await eventually('the subscription', () => live.length >= all.length || following.failure() !== undefined);
    expect(live).toEqual(all.slice(0, live.length));
    await subscription.unsubscribe();
    await bench.close();
  });

  it('tells its readers what was committed although nobody was told so', async () => {
    const bench = await startBench(makeLog(own.schema));
    const stream = `untold-${randomUUID()}`;
    await bench.client.appendToStream(stream, event(0));
    // Stands for a commit whose answer was lost: the row is there before the writer is back.
    await query(
      `insert into ${own.schema}.events
       select max(position) + 1, (select id from ${own.schema}.streams where name = $1), 1, gen_random_uuid(), 'counted',
         true, 0, '', '{}' from ${own.schema}.events`,
      [stream],
    );
    await cutWriter(own.schema);
    await eventually('the untold event', async () => (await readStreamOf(bench.client, stream)).length === 2);
    await eventually('the writer', () =>
      bench.client.appendToStream(stream, event(2), { expectedRevision: 1n }).then(
        () => true,
        () => false,
      ),
    );
    await bench.close();
  });
});
