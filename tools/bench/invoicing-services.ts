/**
 * Invoicing and metering in a process of their own, as `BENCH_STORE` and `BENCH_DATABASE` say, with the bus between them in
 * memory. Told `go`, it lets a tenant's clock pass the due date, and says in one line of JSON how long it took until
 * every account has its invoice in the read model, how much memory the process used at most, and how many SQL statements
 * it sent.
 */
import { invoicingService } from '@billstream/app/invoicing';
import { meteringService } from '@billstream/app/metering';
import { eventStoreDb } from '@billstream/eventstoredb';
import { silentLogger } from '@billstream/observability';
import { openDatabase } from '@billstream/postgres';
import { inProcessBus } from '@billstream/rabbitmq';
import { type Settings, listenerOf, startService } from '@billstream/service-runtime';
import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
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

/** How many statements were sent since, transactions' begin and commit included. */
const statementCounter = (): (() => number) => {
  let statements = 0;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the client it was called on
  Client.prototype.query = new Proxy(Client.prototype.query, {
    apply: (send, client, given): unknown => {
      statements += 1;
      return Reflect.apply(send, client, given);
    },
  });
  return () => statements;
};

/**
 * How many bytes were still in use after full collections, at most: what the process holds on to, where its resident memory
 * is also what the engine took and did not give back. 0: there was none.
 */
const heapKeeper = (): (() => number) => {
  let heldMost = 0;
  new PerformanceObserver((list) => {
    const isFull = (entry: PerformanceEntry): boolean =>
      (entry as PerformanceEntry & { detail?: { kind?: number } }).detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    if (list.getEntries().some(isFull)) heldMost = Math.max(heldMost, process.memoryUsage().heapUsed);
  }).observe({ entryTypes: ['gc'] });
  return () => heldMost;
};

const main = async (): Promise<void> => {
  const [databaseUrl, connectionString] = [given('BENCH_DATABASE'), given('BENCH_STORE')];
  const [accounts, aheadMs] = [Number(given('BENCH_ACCOUNTS')), Number(given('BENCH_AHEAD_MS'))];
  const statements = statementCounter();
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
    while ((await count(sql)) < wanted) await sleep(200);
  };
  await until('select count(*) as n from invoicing.due_work', accounts);
  await until('select count(*) as n from metering.usage_reports', accounts);
  let peakRss = 0;
  const heldMost = heapKeeper();
  const watching = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage().rss)), 50);
  const started = performance.now();
  const [cpuBefore, statementsBefore] = [process.cpuUsage(), statements()];
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
  const sent = statements() - statementsBefore;
  const inMiB = (bytes: number): number => Math.round(bytes / 2 ** 20);
  const measured = { seconds, cpuSeconds, peakRssMiB: inMiB(peakRss), heldMiB: inMiB(heldMost()), statements: sent };
  process.stdout.write(`${JSON.stringify(measured)}\n`);
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
