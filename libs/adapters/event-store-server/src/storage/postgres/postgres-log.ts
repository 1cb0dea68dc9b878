import { Pool, type Client, type QueryResult } from 'pg';
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
  type Statement,
} from './statements';
import { delay, lockedClient } from './writer-connection';

export interface PostgresLogOptions {
  readonly connectionString: string;
  readonly schema?: string;
  /** Recent events kept in memory, so that readers near the head never touch the database. */
  readonly cacheBytes?: number;
  /** How long opening waits for the predecessor that still holds the lock. */
  readonly lockPatienceMs?: number;
  /** Told when the log is cut off, stays so, or is back; for the operator's eyes. */
  readonly report?: (news: string) => void;
}

const LOCK_PATIENCE_MS = 10_000;
const CACHE_BYTES = 64 * 1_024 * 1_024;
const READERS_MAX = 4;
const CONNECT_TIMEOUT_MS = 5_000;
/** A commit without an answer for so long is taken for lost. */
const WRITE_TIMEOUT_MS = 30_000;
/** Loaded at the start, so that the first subscriptions and repeated appends find the newest events in memory. */
const TAIL_EVENTS = 500;
const STREAMS_PAGE = 20_000;
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 2_000;

type Query = (statement: Statement) => Promise<QueryResult<Record<string, unknown>>>;

const queryOn =
  (client: Client | Pool): Query =>
  (statement) =>
    client.query<Record<string, unknown>>(statement);

const eventsOf = async (query: Query, statement: Statement): Promise<StoredEvent[]> =>
  (await query(statement)).rows.map(eventOfRow);

const lastPosition = async (query: Query, schema: string): Promise<number> =>
  Number((await query(selectLast(schema))).rows[0]?.['last'] ?? 0);

/** The log in PostgreSQL. An instance lives as long as the process is, or tries to be, the one that writes. */
class PostgresLog implements EventLog {
  readonly cacheBytes: number;
  private readonly connectionString: string;
  private readonly lockPatienceMs: number;
  private readonly report: (news: string) => void;
  private readonly schema: string;
  private readonly streamIds = new Map<string, number>();
  private lastStreamId = 0;
  private last = 0;
  private readers: Pool | undefined;
  private writer: Client | undefined;
  private listener: LogListener | undefined;
  private closed = false;

  constructor(options: PostgresLogOptions) {
    this.connectionString = options.connectionString;
    this.schema = checkedSchema(options.schema ?? 'eventstore');
    this.cacheBytes = options.cacheBytes ?? CACHE_BYTES;
    this.lockPatienceMs = options.lockPatienceMs ?? LOCK_PATIENCE_MS;
    this.report = options.report ?? (() => undefined);
  }

  async open(listener: LogListener): Promise<RecoveredLog> {
    this.listener = listener;
    const client = await this.connect();
    try {
      await migrate(client, this.schema);
      const recovered = await this.recover(queryOn(client));
      this.readers = this.connectReaders();
      this.writer = client;
      return recovered;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  async write(events: readonly StoredEvent[]): Promise<void> {
    const client = this.writer;
    if (!client) throw new LogUnavailable('the log is not reachable');
    const fresh = this.freshStreams(events);
    const idOf = (stream: string): number => fresh.get(stream) ?? this.streamIds.get(stream) ?? 0;
    const statement = { ...insertEvents(this.schema, events, { fresh, idOf }), query_timeout: WRITE_TIMEOUT_MS };
    try {
      await client.query(statement);
    } catch (error) {
      // Whatever went wrong: what the table holds now is found out on a new connection before the next write.
      this.lose(client);
      throw new LogUnavailable(`writing failed: ${String(error)}`);
    }
    for (const [name, id] of fresh) this.streamIds.set(name, id);
    this.lastStreamId += fresh.size;
    this.last = events.at(-1)?.position ?? this.last;
  }

  readAll(page: PageRequest): Promise<readonly StoredEvent[]> {
    return this.read(selectAll(this.schema, page));
  }

  async readStream(stream: string, page: PageRequest): Promise<readonly StoredEvent[]> {
    const id = this.streamIds.get(stream);
    return id === undefined ? [] : this.read(selectStream(this.schema, id, page));
  }

  async close(): Promise<void> {
    this.closed = true;
    const [client, pool] = [this.writer, this.readers];
    this.writer = undefined;
    this.readers = undefined;
    await Promise.allSettled([client?.end(), pool?.end()]);
  }

  private async read(statement: Statement): Promise<readonly StoredEvent[]> {
    if (!this.readers) throw new LogUnavailable('the log is closed');
    try {
      return await eventsOf(queryOn(this.readers), statement);
    } catch (error) {
      throw new LogUnavailable(`reading failed: ${String(error)}`);
    }
  }

  private connectReaders(): Pool {
    const { connectionString } = this;
    const pool = new Pool({ connectionString, max: READERS_MAX, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    pool.on('error', () => undefined); // an idle connection was cut; the pool makes a new one
    return pool;
  }

  private async connect(): Promise<Client> {
    const client = await lockedClient(this.connectionString, this.schema, this.lockPatienceMs);
    client.on('end', () => this.lose(client));
    return client;
  }

  /** From here on nothing is written until the log has been compared with what is remembered of it. */
  private lose(client: Client): void {
    if (this.writer !== client) return;
    this.writer = undefined;
    client.end().catch(() => undefined);
    if (this.closed) return;
    this.report('the connection of the writer was lost; appends are refused until it is back');
    void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    for (let wait = RETRY_FIRST_MS; !this.closed; wait = Math.min(wait * 2, RETRY_LONGEST_MS)) {
      try {
        await this.takeOver(await this.connect());
        this.report('the log is reachable again and has been compared with what was acknowledged');
        return;
      } catch (error) {
        this.report(`the log is not back yet: ${String(error)}`);
      }
      await delay(wait); // the database is away; the next attempt finds out whether it still is
    }
  }

  private async takeOver(client: Client): Promise<void> {
    try {
      if (!this.closed) await this.reconcile(queryOn(client));
      if (this.closed) throw new LogUnavailable('closed meanwhile');
      this.writer = client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  /** A commit whose answer was lost may have been done. Then its events are there and readers get them now. */
  private async reconcile(query: Query): Promise<void> {
    const found = await lastPosition(query, this.schema);
    // Committed events are gone, as after a restore of an older backup. To go on would hand out positions twice.
    if (found < this.last) throw new LogUnavailable(`the log ends at ${found}, but ${this.last} was committed`);
    await this.loadStreams(query);
    while (this.last < found) {
      const page = { from: this.last + 1, limit: TAIL_EVENTS, backwards: false };
      const events = await eventsOf(query, selectAll(this.schema, page));
      this.last = events.at(-1)?.position ?? found;
      this.listener?.recovered(events);
    }
  }

  private async recover(query: Query): Promise<RecoveredLog> {
    this.last = await lastPosition(query, this.schema);
    const streams = await this.loadStreams(query);
    const metadata = await eventsOf(query, selectMetadata(this.schema));
    const from = Math.max(1, this.last - TAIL_EVENTS + 1);
    const tail = await eventsOf(query, selectAll(this.schema, { from, limit: TAIL_EVENTS, backwards: false }));
    return { streams, metadata, tail, last: this.last };
  }

  private async loadStreams(query: Query): Promise<RecoveredStream[]> {
    const streams: RecoveredStream[] = [];
    for (;;) {
      const { rows } = await query(selectStreams(this.schema, this.lastStreamId, STREAMS_PAGE));
      for (const row of rows) {
        const name = String(row['name']);
        this.lastStreamId = Number(row['id']);
        this.streamIds.set(name, this.lastStreamId);
        streams.push({ name, next: Number(row['last']) + 1, tombstoned: row['tombstoned'] === true });
      }
      if (rows.length < STREAMS_PAGE) return streams;
    }
  }

  /** Streams that begin with this commit, with the numbers they get if it succeeds. */
  private freshStreams(events: readonly StoredEvent[]): ReadonlyMap<string, number> {
    const fresh = new Map<string, number>();
    for (const { stream } of events) {
      if (this.streamIds.has(stream) || fresh.has(stream)) continue;
      fresh.set(stream, this.lastStreamId + fresh.size + 1);
    }
    return fresh;
  }
}

export const postgresLog = (options: PostgresLogOptions): EventLog => new PostgresLog(options);
