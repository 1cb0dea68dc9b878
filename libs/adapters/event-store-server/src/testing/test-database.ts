import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

export const testDatabaseUrl = (): string => {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined || url === '') {
    throw new Error('TEST_DATABASE_URL must name a PostgreSQL database for the tests of the event store');
  }
  return url;
};

export const query = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> => {
  const client = new Client({ connectionString: testDatabaseUrl() });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
};

/** A schema of its own for a test, and how to be rid of it. */
export const newSchema = () => {
  const schema = `es_test_${randomUUID().replaceAll('-', '')}`;
  return { schema, drop: () => query(`drop schema if exists ${schema} cascade`) };
};

/** Cuts every connection that holds the writer's lock of that schema; says how many there were. */
export const cutWriter = async (schema: string): Promise<number> => {
  const rows = await query(
    `with key as (select hashtextextended('event-store/' || $1, 0) as k)
     select pg_terminate_backend(l.pid) from pg_locks l, key
     where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
       and l.classid::bigint = (k >> 32) & 4294967295 and l.objid::bigint = k & 4294967295`,
    [schema],
  );
  return rows.length;
};
