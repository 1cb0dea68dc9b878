/**
 * Some services (`BENCH_SERVICES`) in a process of their own, on the store and database of `BENCH_STORE` and
 * `BENCH_DATABASE`: with the broker of `BENCH_BROKER` as in production, without one with the bus in memory. Says that it is
 * up, counts from `begin` on, and answers `end` with what it used: messages between a bench and its child.
 */
import { invoicingService } from '@billstream/app/invoicing';
import { meteringService } from '@billstream/app/metering';
import { sharingSubscriptions } from '@billstream/event-sourcing';
import { eventStoreDb } from '@billstream/eventstoredb';
import { silentLogger } from '@billstream/observability';
import { type Bus, inProcessBus, rabbitMqBus } from '@billstream/rabbitmq';
import {
  type ServiceDefinition,
  type Settings,
  listenerOf,
  listenersFor,
  startService,
} from '@billstream/service-runtime';
import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';
import { Client } from 'pg';

/** What a process used between `begin` and `end`. */
export type Share = {
  readonly cpuSeconds: number;
  /** SQL statements sent, transactions' begin and commit included. */
  readonly statements: number;
  readonly peakRssMiB: number;
  /** In use after a full collection, at most; 0: there was none. */
  readonly heldMiB: number;
  /** Outside of the engine's heap, at most. */
  readonly externalMiB: number;
};

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

/** What the process holds on to, where its resident memory is also what the engine took and did not give back. */
const memoryWatch = () => {
  const most = { rss: 0, held: 0, external: 0 };
  new PerformanceObserver((list) => {
    const isFull = (entry: PerformanceEntry): boolean =>
      (entry as PerformanceEntry & { detail?: { kind?: number } }).detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    if (list.getEntries().some(isFull)) most.held = Math.max(most.held, process.memoryUsage().heapUsed);
  }).observe({ entryTypes: ['gc'] });
  const look = (): void => {
    const { rss, external } = process.memoryUsage();
    most.rss = Math.max(most.rss, rss);
    most.external = Math.max(most.external, external);
  };
  const timer = setInterval(look, 50);
  return (): typeof most => {
    look();
    clearInterval(timer);
    return most;
  };
};

const share = (statements: () => number): (() => Share) => {
  const [cpuBefore, statementsBefore, memory] = [process.cpuUsage(), statements(), memoryWatch()];
  const inMiB = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return () => {
    const { user, system } = process.cpuUsage(cpuBefore);
    const { rss, held, external } = memory();
    return {
      cpuSeconds: (user + system) / 1e6,
      statements: statements() - statementsBefore,
      peakRssMiB: inMiB(rss),
      heldMiB: inMiB(held),
      externalMiB: inMiB(external),
    };
  };
};

const told = (what: string): Promise<void> =>
  new Promise((resolve) => {
    const hear = (message: unknown): void => {
      if (message !== what) return;
      process.off('message', hear);
      resolve();
    };
    process.on('message', hear);
  });

const known = { invoicing: invoicingService, metering: meteringService };

/** A bus for each service, or one in memory for all of them. */
const busesFor = async (definitions: readonly ServiceDefinition[]): Promise<readonly Bus[]> => {
  const url = process.env['BENCH_BROKER'];
  if (url === undefined) {
    const bus = inProcessBus({ partitions: 4, listeners: definitions.map(listenerOf) });
    return definitions.map(() => bus);
  }
  const logger = silentLogger();
  return Promise.all(
    definitions.map((one) => rabbitMqBus({ url, service: one.name, logger, listeners: listenersFor(one) })),
  );
};

const main = async (): Promise<void> => {
  const definitions = Object.entries(known)
    .filter(([name]) => given('BENCH_SERVICES').split(',').includes(name))
    .map(([, definition]) => definition);
  const statements = statementCounter();
  const logger = silentLogger();
  const store = sharingSubscriptions(eventStoreDb({ connectionString: given('BENCH_STORE'), logger }));
  const buses = await busesFor(definitions);
  const urls = { databaseUrl: given('BENCH_DATABASE'), eventStoreUrl: given('BENCH_STORE') };
  const parts = { store, ...urls, settings, logger, innerSecret: 'bench' };
  const services = await Promise.all(
    definitions.flatMap((definition, index) => {
      const bus = buses[index];
      return bus === undefined ? [] : [startService(definition, { ...parts, bus })];
    }),
  );
  const [begin, end] = [told('begin'), told('end')];
  process.send?.('up');
  await begin;
  const used = share(statements);
  await end;
  process.send?.(used());
  for (const service of services) await service.stop();
  for (const bus of new Set(buses)) await bus.close();
  await store.close();
};

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
