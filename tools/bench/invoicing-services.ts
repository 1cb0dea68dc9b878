/**
 * Invoicing and metering in a process of their own, as `BENCH_STORE` and `BENCH_DATABASE` say, with the bus between them in
 * memory. Told `go`, it lets a tenant's clock pass the due date, and says in one line of JSON how long it took until
 * every account has its invoice in the read model, and how much memory the process used at most.
 */
import { invoicingService } from '@billstream/app/invoicing';
import { meteringService } from '@billstream/app/metering';
import { eventStoreDb } from '@billstream/eventstoredb';
import { silentLogger } from '@billstream/observability';
import { openDatabase } from '@billstream/postgres';
import { inProcessBus } from '@billstream/rabbitmq';
import { type Settings, listenerOf, startService } from '@billstream/service-runtime';
import { setTimeout as sleep } from 'node:timers/promises';
import { tenantId } from './due-accounts';

const given = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const settings: Settings = {
  embedded: true,
  testClock: true,
  administrator: null,
  bootstrapTenant: null,
  secretsKey: '0'.repeat(64),
  dataDirectory: '',
  payPalMode: 'emulator',
  emulatorUrl: '',
  publicUrl: '',
};

const main = async (): Promise<void> => {
  const [databaseUrl, connectionString] = [given('BENCH_DATABASE'), given('BENCH_STORE')];
  const [accounts, aheadMs] = [Number(given('BENCH_ACCOUNTS')), Number(given('BENCH_AHEAD_MS'))];
  const logger = silentLogger();
  const store = eventStoreDb({ connectionString, logger });
  const bus = inProcessBus({ partitions: 4, listeners: [listenerOf(invoicingService), listenerOf(meteringService)] });
  const parts = { store, databaseUrl, bus, settings, logger, innerSecret: 'bench' };
  const services = await Promise.all(
    [invoicingService, meteringService].map((definition) => startService(definition, parts)),
  );
  const database = openDatabase({ url: databaseUrl, schema: 'invoicing', applicationName: 'bench' });
  const count = async (sql: string): Promise<number> => {
    const [row] = await database.query<{ n: bigint }>(sql);
    return Number(row?.n ?? 0);
  };
  const until = async (sql: string, wanted: number): Promise<void> => {
    while ((await count(sql)) < wanted) await sleep(100);
  };
  await until('select count(*) as n from invoicing.due_work', accounts);
  await until('select count(*) as n from metering.usage_reports', accounts);
  let peakRss = 0;
  const watching = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage().rss)), 50);
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  for (const schema of ['invoicing', 'metering'])
    await database.query(`insert into "${schema}".tenant_clock (tenant_id, distance_ms) values ($1, $2)`, [
      tenantId,
      aheadMs,
    ]);
  await until('select count(*) as n from invoicing.invoices', 2 * accounts);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSeconds = (user + system) / 1e6;
  clearInterval(watching);
  process.stdout.write(`${JSON.stringify({ seconds, cpuSeconds, peakRssMiB: Math.round(peakRss / 2 ** 20) })}\n`);
  for (const service of services) await service.stop();
  await bus.close();
  await store.close();
  await database.close();
};

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
