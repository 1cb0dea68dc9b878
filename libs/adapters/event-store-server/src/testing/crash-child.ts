import { startEventStoreServer } from '../server';
import { postgresLog } from '../storage/postgres/postgres-log';
import { testDatabaseUrl } from './test-database';

/** A server in a process of its own, to be killed. Says its address on the first line. */
const main = async (schema: string): Promise<void> => {
  const server = await startEventStoreServer({ log: postgresLog({ connectionString: testDatabaseUrl(), schema }) });
  process.stdout.write(`${server.connectionString}\n`);
};

main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
