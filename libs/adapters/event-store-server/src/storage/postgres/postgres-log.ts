import { Client, Pool, type QueryResult } from 'pg';
import type { EventLog, LogListener, PageRequest, RecoveredLog, RecoveredStream } from '../event-log';
import { LogUnavailable } from '../event-log';
import type { StoredEvent } from '../stored-event';
import { checkedSchema, migrate } from './schema';
import {
  eventOfRow,
  insertEvents,
  selectAll,
  selectLast,
  selectMetadata,
  selectStream,
  selectStreams,
  type NewStream,
  type Statement,
} from './statements';

export interface PostgresLogOptions {
  readonly connectionString: string;
  readonly schema?: string;
  /** Recent events kept in memory, so that readers near the head never touch the database. */
  readonly cacheBytes?: number;
}

const CACHE_BYTES = 64 * 1_024 * 1_024;
const READERS_MAX = 4;
const TAIL_EVENTS = 2_000;
const STREAMS_PAGE = 20_000;
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** How long an open waits for a predecessor that is just going away. */
const LOCK_PATIENCE_MS = 10_000;
const LOCK_RETRY_MS = 50;

type Query = (statement: Statement) => Promise<QueryResult<Record<string, unknown>>>;

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const eventsOf = async (query: Query, statement: Statement): Promise<StoredEvent[]> =>
  (await query(statement)).rows.map(eventOfRow);

/**
 * The writer's connection holds the lock as long as it lives, and only it writes. So whatever is written was written
 * by the holder: if the connection is cut, the lock goes with it, and with the lock the ability to write.
 */
const lockedClient = async (connectionString: string, schema: string): Promise<Client> => {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true });
  client.on('error', () => undefined); // the end of the connection is what matters, see below
  await client.connect();
  try {
    await client.query('set synchronous_commit to on');
    await takeLock(client, schema);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
};

const takeLock = async (client: Client, schema: string): Promise<void> => {
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (;;) {
    const sql = `select pg_try_advisory_lock(hashtextextended('event-store/' || $1, 0)) as locked`;
    const { rows } = await client.query<{ locked: boolean }>(sql, [schema]);
    if (rows[0]?.locked) return;
    if (Date.now() > deadline) throw new LogUnavailable(`another server writes to the schema ${schema}`);
    await delay(LOCK_RETRY_MS);
  }
};

interface StreamIds {
  readonly byName: Map<string, number>;
  last: number;
}

const loadStreams = async (query: Query, schema: string, ids: StreamIds): Promise<RecoveredStream[]> => {
  const streams: RecoveredStream[] = [];
  for (;;) {
    const { rows } = await query(selectStreams(schema, ids.last, STREAMS_PAGE));
    for (const row of rows) {
      ids.last = Number(row['id']);
      const name = String(row['name']);
      ids.byName.set(name, ids.last);
      streams.push({ name, next: Number(row['last']) + 1, tombstoned: row['tombstoned'] === true });
    }
    if (rows.length < STREAMS_PAGE) return streams;
  }
};

export const postgresLog = (options: PostgresLogOptions): EventLog => {
  const { connectionString, cacheBytes = CACHE_BYTES } = options;
  const schema = checkedSchema(options.schema ?? 'eventstore');
  const ids: StreamIds = { byName: new Map(), last: 0 };
  let readers: Pool | undefined;
  let writer: Client | undefined;
  let listener: LogListener | undefined;
  let last = 0;
  let closed = false;

  const queryOn =
    (client: { query: Query }): Query =>
    (statement) =>
      client.query(statement);

  const readQuery: Query = async (statement) => {
    if (!readers) throw new LogUnavailable('the log is closed');
    return readers.query<Record<string, unknown>>(statement).catch((error: unknown) => {
      throw new LogUnavailable(`reading failed: ${String(error)}`);
    });
  };

  const connect = async (): Promise<Client> => {
    const client = await lockedClient(connectionString, schema);
    client.on('end', () => lose(client));
    return client;
  };

  /** From here on nothing is written until the log has been compared with what is remembered of it. */
  const lose = (client: Client): void => {
    if (writer !== client) return;
    writer = undefined;
    client.end().catch(() => undefined);
    if (!closed) void reconnect();
  };

  const reconnect = async (): Promise<void> => {
    for (let wait = RETRY_FIRST_MS; !closed; wait = Math.min(wait * 2, RETRY_LONGEST_MS)) {
      try {
        const client = await connect();
        await reconcile(queryOn(client));
        writer = client;
        return;
      } catch {
        await delay(wait); // the database is away; the next attempt finds out whether it still is
      }
    }
  };

  /** A commit whose answer was lost may have been done. Then its events are there and readers get them now. */
  const reconcile = async (query: Query): Promise<void> => {
    await loadStreams(query, schema, ids);
    for (;;) {
      const events = await eventsOf(query, selectAll(schema, { from: last + 1, limit: TAIL_EVENTS, backwards: false }));
      if (events.length === 0) return;
      last = events.at(-1)?.position ?? last;
      listener?.recovered(events);
    }
  };

  const recover = async (query: Query): Promise<RecoveredLog> => {
    const { rows } = await query(selectLast(schema));
    last = Number(rows[0]?.['last'] ?? 0);
    const streams = await loadStreams(query, schema, ids);
    const metadata = await eventsOf(query, selectMetadata(schema));
    const from = Math.max(1, last - TAIL_EVENTS + 1);
    const tail = await eventsOf(query, selectAll(schema, { from, limit: TAIL_EVENTS, backwards: false }));
    return { streams, metadata, tail, last };
  };

  const freshStreams = (events: readonly StoredEvent[]): Map<string, number> => {
    const fresh = new Map<string, number>();
    for (const { stream } of events) {
      if (!ids.byName.has(stream) && !fresh.has(stream)) fresh.set(stream, ids.last + fresh.size + 1);
    }
    return fresh;
  };

  const write = async (events: readonly StoredEvent[]): Promise<void> => {
    const client = writer;
    if (!client) throw new LogUnavailable('the log is not reachable');
    const fresh = freshStreams(events);
    const created: NewStream[] = [...fresh].map(([name, id]) => ({ id, name }));
    const idOf = (stream: string): number => fresh.get(stream) ?? ids.byName.get(stream) ?? 0;
    try {
      await client.query(insertEvents(schema, events, created, idOf));
    } catch (error) {
      // Whatever went wrong: what the table holds now is found out on a new connection before the next write.
      lose(client);
      throw new LogUnavailable(`writing failed: ${String(error)}`);
    }
    for (const { id, name } of created) ids.byName.set(name, id);
    ids.last += created.length;
    last = events.at(-1)?.position ?? last;
  };

  return {
    cacheBytes,
    open: async (events) => {
      listener = events;
      const client = await connect();
      await migrate(client, schema);
      readers = new Pool({ connectionString, max: READERS_MAX, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
      readers.on('error', () => undefined); // an idle connection was cut; the pool makes a new one
      const recovered = await recover(queryOn(client));
      writer = client;
      return recovered;
    },
    write,
    readAll: (page: PageRequest) => eventsOf(readQuery, selectAll(schema, page)),
    readStream: async (stream, page) => {
      const id = ids.byName.get(stream);
      return id === undefined ? [] : eventsOf(readQuery, selectStream(schema, id, page));
    },
    close: async () => {
      closed = true;
      const [client, pool] = [writer, readers];
      writer = undefined;
      readers = undefined;
      await Promise.allSettled([client?.end(), pool?.end()]);
    },
  };
};
