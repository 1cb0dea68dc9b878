import { digest } from '@billstream/kernel';
import type { Database, Sql } from './database';
import type { ReadModel } from './read-model';

/** What the runtime itself keeps in a service's schema; safe to run at every start. */
export const runtimeDdl = `
create table if not exists read_models (
  name       text        primary key,
  ddl_hash   text        not null,
  position   numeric(20) not null,
  changed_at timestamptz not null default clock_timestamp()
);
create table if not exists due_lease (
  kind         text        not null,
  key          text        not null,
  due_at       timestamptz not null,
  attempts     integer     not null,
  leased_until timestamptz not null,
  last_error   text,
  primary key (kind, key)
);
`;

/** Position -1: nothing applied yet. `changedAt` is PostgreSQL's own text, to the microsecond. */
export type Checkpoint = {
  readonly name: string;
  readonly ddlHash: string;
  readonly position: bigint;
  readonly changedAt: string;
};

export const ddlHashOf = ({ ddl, tables }: ReadModel): string => digest(`${ddl}\n${tables.join(',')}`).slice(0, 16);

export const loadCheckpoints = async (sql: Sql): Promise<ReadonlyMap<string, Checkpoint>> => {
  const rows = await sql.query<{ name: string; ddlHash: string; position: string; changedAt: string }>(
    `select name, ddl_hash as "ddlHash", position::text as position, changed_at::text as "changedAt" from read_models`,
    [],
    'checkpoints-load',
  );
  return new Map(rows.map((row) => [row.name, { ...row, position: BigInt(row.position) }]));
};

/** Somebody else moved a checkpoint, or put other tables there: this process is no longer the one that projects. */
export class CheckpointMoved extends Error {
  override readonly name = 'CheckpointMoved';
  constructor(models: readonly string[]) {
    super(`the checkpoints of ${models.join(', ')} are not where this process left them`);
  }
}

/**
 * The rows are a function of the log up to their checkpoint, and both are lost or kept together: nothing is gained by
 * waiting for the disk, so this transaction does not.
 */
const advanceSql = `
update read_models set position = moved.upto, changed_at = clock_timestamp()
from unnest($1::text[], $2::numeric[], $3::numeric[], $4::timestamptz[]) as moved (name, before, upto, left_at),
     (select set_config('synchronous_commit', 'off', true)) as unhurried
where read_models.name = moved.name and read_models.position = moved.before
  and (moved.left_at is null or read_models.changed_at = moved.left_at)
returning read_models.name, read_models.changed_at::text as "changedAt"`;

export type Advance = {
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
  /** When it came to `from`; null: whenever that was. A rebuild that took the tables' place leaves the position as it was. */
  readonly leftAt: string | null;
};

/**
 * First statement of a batch's transaction: its row locks make a swap wait for the batch, and the batch for a swap.
 * Throws CheckpointMoved when one of them is not as it was left; gives when they were moved now, by name.
 */
export const advanceCheckpoints = async (
  tx: Sql,
  advances: readonly Advance[],
): Promise<ReadonlyMap<string, string>> => {
  const sorted = [...advances].sort((a, b) => (a.name < b.name ? -1 : 1));
  const moved = await tx.query<{ name: string; changedAt: string }>(
    advanceSql,
    [
      sorted.map(({ name }) => name),
      sorted.map(({ from }) => String(from)),
      sorted.map(({ to }) => String(to)),
      sorted.map(({ leftAt }) => leftAt),
    ],
    'checkpoints-advance',
  );
  if (moved.length !== sorted.length) throw new CheckpointMoved(sorted.map(({ name }) => name));
  return new Map(moved.map(({ name, changedAt }) => [name, changedAt]));
};

/** Creates what is new and throws away what another release built: both are read from the beginning of the log. */
export const prepareReadModels = (database: Database, readModels: readonly ReadModel[]): Promise<readonly string[]> =>
  database.transaction(async (tx) => {
    const known = await loadCheckpoints(tx);
    const stale = readModels.filter((model) => known.get(model.name)?.ddlHash !== ddlHashOf(model));
    for (const model of stale) {
      for (const table of model.tables) await tx.query(`drop table if exists "${table}" cascade`);
      await tx.query(model.ddl);
      await tx.query(
        `insert into read_models (name, ddl_hash, position) values ($1, $2, -1)
         on conflict (name) do update set ddl_hash = excluded.ddl_hash, position = -1, changed_at = clock_timestamp()`,
        [model.name, ddlHashOf(model)],
      );
    }
    return stale.map(({ name }) => name);
  });
