import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export type TestDatabase = {
  readonly url: string;
  drop(): Promise<void>;
};

/** See run-postgres.cjs. */
const runPostgres = async (): Promise<string> => {
  const broker = process.env['TEST_RUN_POSTGRES'];
  if (broker === undefined) throw new Error('Run the tests through Jest, or set TEST_DATABASE_URL');
  const response = await fetch(broker);
  const text = await response.text();
  if (!response.ok) throw new Error(`No PostgreSQL for this test run: ${text}`);
  return text;
};

const onServer = async (url: string, work: (client: Client) => Promise<void>): Promise<void> => {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
};

/**
 * A fresh database for one test file: on the server of TEST_DATABASE_URL when that is set, else on an embedded one that
 * the whole test run shares. `drop` also ends the connections that a test forgot.
 */
export const testDatabase = async (given = process.env['TEST_DATABASE_URL'] ?? ''): Promise<TestDatabase> => {
  const server = given === '' ? await runPostgres() : given;
  const name = `test_${String(process.pid)}_${randomBytes(6).toString('hex')}`;
  await onServer(server, async (client) => {
    await client.query(`create database ${name}`);
  });
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.toString(),
    drop: () =>
      onServer(server, async (client) => {
        await client.query(`drop database if exists ${name} with (force)`);
      }),
  };
};
