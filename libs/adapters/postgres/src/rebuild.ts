import type { EventStore, RecordedEvent, SubscriptionPage } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { advanceCheckpoints, ddlHashOf, loadCheckpoints, prepareReadModels, runtimeDdl } from './checkpoints';
import { type TableComparison, compareTables } from './compare-tables';
import type { Database, Sql } from './database';
import { pageSizeDefault } from './projection-runner';
import type { ReadModel } from './read-model';

export type RebuildProgress = {
  readonly events: number;
  readonly position: bigint;
  readonly head: bigint;
  readonly eventsPerSecond: number;
  /** Null while there is nothing to go by. */
  readonly etaSeconds: number | null;
  /** Business time of the last event: "replaying 2026-03-14". */
  readonly at: Instant | null;
};

export type RebuildParts = {
  readonly store: EventStore;
  /** The service's own schema. */
  readonly database: Database;
  readonly readModel: ReadModel;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: RebuildProgress) => void;
  readonly pageSize?: number;
  /** Throws away what an earlier call has built so far: the code may have changed since. */
  readonly fresh?: boolean;
};

export type Rebuilt = {
  /** `stopped`: the signal aborted; the next call goes on from there. */
  readonly outcome: 'swapped' | 'compared' | 'stopped';
  readonly events: number;
  readonly tables: readonly TableComparison[];
};

/**
 * Builds a read model once more in a schema of its own while the live one serves, compares the two at the same position
 * of the log, and puts the new one in the place of the old in one short transaction. What was built survives a stop or
 * a crash: the next call goes on from its checkpoint.
 */
export const rebuildReadModel = (parts: RebuildParts): Promise<Rebuilt> => build(parts, 'swap');

/** The same without the swap: proves that the live tables are what the log says. */
export const compareReadModel = (parts: RebuildParts): Promise<Rebuilt> => build(parts, 'compare');

const shadowSchemaOf = ({ database, readModel }: RebuildParts): string =>
  `${database.schema}_rebuild_${readModel.name.replaceAll('-', '_')}`.slice(0, 63);

const build = async (parts: RebuildParts, purpose: 'swap' | 'compare'): Promise<Rebuilt> => {
  const { database, readModel, signal } = parts;
  const schema = shadowSchemaOf(parts);
  const shadow = database.withSchema(schema);
  let result: Rebuilt = { outcome: 'stopped', events: 0, tables: [] };
  try {
    await database.exclusively(`rebuild.${readModel.name}`, signal, async (held) => {
      if (parts.fresh === true) await database.query(`drop schema if exists "${schema}" cascade`);
      await database.query(`create schema if not exists "${schema}"`);
      await shadow.query(runtimeDdl);
      await prepareReadModels(shadow, [readModel]);
      const events = await catchUp({ ...parts, signal: held }, shadow, { upTo: null });
      if (held.aborted) return;
      result = await finish({ ...parts, signal: held }, { shadow, events, purpose });
    });
  } finally {
    await shadow.close();
  }
  return result;
};

/** Applies the log to the shadow: until it is caught up, or to the last event at or before a position. */
const catchUp = async (
  { store, readModel, signal, onProgress, pageSize = pageSizeDefault }: RebuildParts,
  shadow: Database,
  { upTo }: { readonly upTo: bigint | null },
): Promise<number> => {
  const from = (await loadCheckpoints(shadow)).get(readModel.name)?.position ?? -1n;
  if (upTo !== null && from >= upTo) return 0;
  const progress = progressMeter(from, upTo ?? (await store.head()));
  let position = from;
  const options = { after: from < 0n ? null : from, prefixes: readModel.prefixes, pageSize, signal };
  for await (const page of store.subscribe(options)) {
    const { events, to } = share(page, upTo);
    if (to > position) {
      await applyPage(shadow, readModel, { events, from: position, to });
      position = to;
    }
    const passed = progress.passed(events, position);
    onProgress?.(passed);
    if (page.caughtUp || position === upTo) break;
  }
  return progress.events();
};

const share = ({ events, position }: SubscriptionPage, upTo: bigint | null): Omit<PageOf, 'from'> =>
  upTo === null || position <= upTo
    ? { events, to: position }
    : { events: events.filter((event) => event.position <= upTo), to: upTo };

type PageOf = { readonly events: readonly RecordedEvent[]; readonly from: bigint; readonly to: bigint };

const applyPage = (shadow: Database, readModel: ReadModel, { events, from, to }: PageOf): Promise<void> =>
  shadow.transaction(async (tx) => {
    await advanceCheckpoints(tx, [{ name: readModel.name, from, to, leftAt: null }]);
    if (events.length > 0) await readModel.apply(tx, events);
  });

const progressMeter = (from: bigint, head: bigint) => {
  const started = performance.now();
  let events = 0;
  return {
    events: () => events,
    passed: (page: readonly RecordedEvent[], position: bigint): RebuildProgress => {
      events += page.length;
      const seconds = (performance.now() - started) / 1000;
      const share = Number(position - from) / Math.max(1, Number(head - from));
      const etaSeconds = share > 0 ? Math.max(0, (seconds / share) * (1 - share)) : null;
      const at = page.at(-1)?.metadata.at ?? null;
      return { events, position, head, eventsPerSecond: events / Math.max(seconds, 0.001), etaSeconds, at };
    },
  };
};

type Finish = { readonly shadow: Database; readonly events: number; readonly purpose: 'swap' | 'compare' };

/**
 * Holding the live checkpoint's row keeps the next live batch waiting, so both can be brought to one position, compared
 * and exchanged. Readers go on reading until the exchange itself.
 */
const finish = async (parts: RebuildParts, { shadow, events, purpose }: Finish): Promise<Rebuilt> => {
  const { database, readModel } = parts;
  const result = await retryWhileLocked(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query('set local idle_in_transaction_session_timeout = 0');
    const live = await lockLive(tx, readModel);
    const rest = live === null ? 0 : await catchUp(parts, shadow, { upTo: live });
    const schemas = { live: database.schema, shadow: shadow.schema };
    const tables = live === null ? [] : await compareTables(tx, readModel.tables, schemas);
    if (purpose === 'swap') await exchange(tx, parts, schemas);
    return { events: events + rest, tables };
  }, database);
  await database.query(`drop schema "${shadow.schema}" cascade`);
  return { outcome: purpose === 'swap' ? 'swapped' : 'compared', ...result };
};

const exchangeAttemptsMax = 10;
const lockNotAvailable = '55P03';

/** A long read may hold the exchange up; everyone behind it would wait too, so it steps back and comes again. */
const retryWhileLocked = async <T>(work: (tx: Sql) => Promise<T>, database: Database): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction(work);
    } catch (error) {
      const isLocked = error instanceof Error && 'code' in error && error.code === lockNotAvailable;
      if (!isLocked || attempt === exchangeAttemptsMax) throw error;
      await sleep(500);
    }
  }
};

/** Null: the read model was never built here. */
const lockLive = async (tx: Sql, { name }: ReadModel): Promise<bigint | null> => {
  const [row] = await tx.query<{ position: string }>(
    'select position::text as position from read_models where name = $1 for update',
    [name],
  );
  return row ? BigInt(row.position) : null;
};

/**
 * The tables keep their indexes when they change schema; a reader that holds the old table up is waited for two seconds.
 * By `changed_at` the process that projects sees that these are other tables, and tells who keeps something of the old.
 */
const exchange = async (
  tx: Sql,
  { readModel }: RebuildParts,
  schemas: { readonly live: string; readonly shadow: string },
): Promise<void> => {
  await tx.query(`set local lock_timeout = '2s'`);
  for (const table of readModel.tables) {
    await tx.query(`drop table if exists "${schemas.live}"."${table}" cascade`);
    await tx.query(`alter table "${schemas.shadow}"."${table}" set schema "${schemas.live}"`);
  }
  await tx.query(
    `insert into read_models (name, ddl_hash, position)
     select name, $2, position from "${schemas.shadow}".read_models where name = $1
     on conflict (name) do update set ddl_hash = excluded.ddl_hash, changed_at = clock_timestamp()`,
    [readModel.name, ddlHashOf(readModel)],
  );
};
