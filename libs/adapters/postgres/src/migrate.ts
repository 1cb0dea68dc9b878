import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockKey } from './advisory-lock';
import type { Database, Sql } from './database';

type Migration = { readonly file: string; readonly sql: string; readonly checksum: string };

type Applied = { readonly file: string; readonly checksum: string };

const readMigrations = async (folder: string): Promise<readonly Migration[]> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => {
      // A checkout on Windows may have other line ends; that is not a change.
      const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
      return { file, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
};

const prepareSchema = async (tx: Sql, schema: string): Promise<void> => {
  // Waiting for another process that migrates, and building an index, may take longer than a statement normally may.
  await tx.query('set local statement_timeout = 0');
  await tx.query('select pg_advisory_xact_lock($1)', [lockKey(`${schema}/migrate`)]);
  // `create schema if not exists` wants the right to create one even if it exists.
  const [existing] = await tx.query('select 1 from pg_namespace where nspname = $1', [schema]);
  if (!existing) await tx.query(`create schema "${schema}"`);
  await tx.query(`
    create table if not exists schema_migrations (
      name       text        not null,
      file       text        not null,
      checksum   text        not null,
      applied_at timestamptz not null default clock_timestamp(),
      primary key (name, file)
    )`);
};

const apply = async (tx: Sql, name: string, { file, sql, checksum }: Migration): Promise<void> => {
  try {
    await tx.query(sql);
  } catch (error) {
    throw new Error(`Migration ${name}/${file} failed: ${(error as Error).message}`, { cause: error });
  }
  await tx.query('insert into schema_migrations (name, file, checksum) values ($1, $2, $3)', [name, file, checksum]);
};

/**
 * Forward-only migrations: the `.sql` files of a folder, in name order, each once, all in one transaction under an
 * advisory lock, into the database's schema, which is created if missing. Table names in the files are unqualified.
 * Changed content of an applied file is an error. An applied file that is gone is none: a service that was rolled back
 * must still start.
 */
export const migrate = async (
  database: Database,
  { name, folder }: { readonly name: string; readonly folder: string },
): Promise<void> => {
  const migrations = await readMigrations(folder);
  await database.transaction(async (tx) => {
    await prepareSchema(tx, database.schema);
    const rows = await tx.query<Applied>('select file, checksum from schema_migrations where name = $1', [name]);
    const applied = new Map(rows.map(({ file, checksum }) => [file, checksum]));
    for (const migration of migrations) {
      const checksum = applied.get(migration.file);
      if (checksum === undefined) await apply(tx, name, migration);
      else if (checksum !== migration.checksum)
        throw new Error(`Migration ${name}/${migration.file} was changed after it had been applied: add a new file`);
    }
  });
};
