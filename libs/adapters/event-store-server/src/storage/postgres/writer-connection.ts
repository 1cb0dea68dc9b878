import { Client } from 'pg';
import { LogUnavailable } from '../event-log';

const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_RETRY_MS = 50;

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const takeLock = async (client: Client, schema: string, patienceMs: number): Promise<void> => {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const sql = `select pg_try_advisory_lock(hashtextextended('event-store/' || $1, 0)) as locked`;
    const { rows } = await client.query<{ locked: boolean }>(sql, [schema]);
    if (rows[0]?.locked) return;
    if (Date.now() > deadline) throw new LogUnavailable(`another server writes to the schema ${schema}`);
    await delay(LOCK_RETRY_MS);
  }
};

/**
 * The writer's connection holds the lock as long as it lives, and only it writes. So whatever is written was written
 * by the holder: if the connection is cut, the lock goes with it, and with the lock the ability to write. A statement
 * that still runs in the database after the cut keeps the lock until it is decided, so the next holder sees its outcome.
 */
export const lockedClient = async (connectionString: string, schema: string, patienceMs: number): Promise<Client> => {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true });
  client.on('error', () => undefined); // the owner acts on the end of the connection, which follows
  await client.connect();
  try {
    await client.query('set synchronous_commit to on');
    await takeLock(client, schema, patienceMs);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
};
