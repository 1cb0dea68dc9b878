/**
 * The tables of the log, one migration per entry, forward only. Names of streams are kept once; the log refers to them
 * by number, so that its second index stays small and new streams are added at its end.
 */
const MIGRATIONS: readonly ((schema: string) => string)[] = [
  (schema) => `
    create table ${schema}.streams (
      id bigint primary key,
      name text not null unique
    );
    create table ${schema}.events (
      position bigint primary key,
      stream_id bigint not null,
      revision bigint not null,
      event_id uuid not null,
      type text not null,
      is_json boolean not null,
      created_ms bigint not null,
      metadata bytea not null,
      data bytea not null,
      unique (stream_id, revision)
    );
    alter table ${schema}.events alter column data set storage external;
  `,
];

interface Queryable {
  query(sql: string): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

/** A schema name goes into statements as it is, hence the narrow rule. */
export const checkedSchema = (schema: string): string => {
  if (!IDENTIFIER.test(schema)) throw new Error(`not a schema name that the event store accepts: ${schema}`);
  return schema;
};

/** Runs under the writer's lock, so that two servers never migrate at once. */
export const migrate = async (client: Queryable, schema: string): Promise<void> => {
  await client.query(`create schema if not exists ${schema}`);
  await client.query(`create table if not exists ${schema}.migrations (version integer primary key)`);
  const { rows } = await client.query(`select coalesce(max(version), 0) as version from ${schema}.migrations`);
  const done = Number(rows[0]?.['version'] ?? 0);
  if (done > MIGRATIONS.length) throw new Error(`the schema ${schema} was written by a newer event store`);
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < done) continue;
    await client.query(`begin; ${migration(schema)} insert into ${schema}.migrations values (${index + 1}); commit`);
  }
};
