import { createHttpApp, fastifyOf } from '@billstream/http';
import type { EventStore, PublicEvent } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import { type Metrics, createMetrics, withLogContext } from '@billstream/observability';
import {
  type Database,
  type DueItem,
  type DueWorker,
  type ProjectionProgress,
  type Projections,
  type TenantClocks,
  openDatabase,
  projectInThread,
  runDueWork,
  runProjections,
  runtimeDdl,
  tenantClockDdl,
  tenantClocks,
} from '@billstream/postgres';
import {
  type Bus,
  BusServer,
  type DeliveryInfo,
  type Relay,
  busDdl,
  fencePrefix,
  hostReactions,
  relay as startRelay,
  relayCheckpoint,
} from '@billstream/rabbitmq';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { clockContext, clockMovedType, hearsOf } from './audience';
import { type InternalFace, addInternalRoutes } from './internal-routes';
import { busReport } from './reporting';
import { countingStore, serviceRuntime } from './runtime';
import type { ServiceDefinition, ServiceRuntime, Settings } from './service';
import { internalFace } from './service-state';
import { clockMovedIn, tenantClockModel } from './tenant-clock-model';

export type ServiceParts = {
  /** Shared by the services of a process; the service does not close it. */
  readonly store: EventStore;
  readonly databaseUrl: string;
  /** Shared or the service's own; the service does not close it. */
  readonly bus: Bus;
  readonly settings: Settings;
  readonly logger: Logger;
  /** What the gateway sends with each request. */
  readonly innerSecret: string;
  readonly metrics?: Metrics;
  /** 0 takes a free one. Left out: no socket, requests come through `fastify`. */
  readonly port?: number;
  readonly host?: string;
  /** Where a thread of its own finds the same event store; left out: everything is done by this thread. */
  readonly eventStoreUrl?: string;
  /** Connections to the database. */
  readonly poolSize?: number;
};

export type RunningService = {
  readonly name: string;
  /** Null without a socket. */
  readonly port: number | null;
  readonly url: string | null;
  /** `fastify.routing(request, response)` serves a raw request without a socket in between. */
  readonly fastify: FastifyInstance;
  readonly runtime: ServiceRuntime;
  readonly internal: InternalFace;
  /** Finishes what was begun, within seconds. */
  stop(): Promise<void>;
};

/** Brings a service up in this process: tables, read models, endpoints, reactions, relay, due work, background work. */
export const startService = async (definition: ServiceDefinition, parts: ServiceParts): Promise<RunningService> => {
  const { name } = definition;
  const metrics = parts.metrics ?? createMetrics();
  // A process of its own has named its logger already; a name twice on a line is no valid JSON to many readers.
  const logger = parts.logger.bindings()['service'] === name ? parts.logger : parts.logger.child({ service: name });
  const database = openDatabase({
    url: parts.databaseUrl,
    schema: name,
    applicationName: `billstream ${name}`,
    poolSize: parts.poolSize ?? 10,
    onError: (error) => {
      logger.warn({ err: error }, 'database connection lost');
    },
  });
  const stopping = new AbortController();
  const ending = new AbortController();
  try {
    const context = { definition, parts, metrics, logger, database, stopping, ending };
    return await assemble(context);
  } catch (error) {
    stopping.abort();
    ending.abort();
    await database.close();
    throw error;
  }
};

type Assembly = {
  readonly definition: ServiceDefinition;
  readonly parts: ServiceParts;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly database: Database;
  /** Nothing new is begun. */
  readonly stopping: AbortController;
  /** What others still wait for ends too. */
  readonly ending: AbortController;
};

const assemble = async (assembly: Assembly): Promise<RunningService> => {
  const { definition, parts, metrics, logger, database, stopping, ending } = assembly;
  const { store, appended } = countingStore(parts.store);
  await createTables(database, definition);
  const clocks = tenantClocks(database);
  // What starts last is already spoken of by what starts first.
  const later: { due?: DueWorker; relay?: Relay } = {};
  const projections = startProjections(assembly, clocks, () => later.due?.wake());
  await projections.ready;
  await clocks.refresh();
  const runtime = serviceRuntime({
    definition,
    store,
    database,
    clocks,
    logger,
    metrics,
    settings: parts.settings,
    projections,
    intake: parts.bus.intake,
  });

  const app = await createApp(assembly, runtime);
  const server = createReactions(assembly, clocks, () => later.due?.wake());
  hostReactions(app, server);
  const due = startDueWork(assembly, runtime);
  later.due = due;
  const internal = internalFace({
    definition,
    store: parts.store,
    database,
    bus: parts.bus,
    server,
    relay: () => later.relay ?? idleRelay,
    projections,
    due,
    appended,
    isStopping: () => stopping.signal.aborted,
  });
  addInternalRoutes(app, definition.name, internal);
  await app.init();
  const fastify = fastifyOf(app);
  await fastify.ready();
  await app.startAllMicroservices();
  const relay = startServiceRelay(assembly);
  later.relay = relay;
  const background = startBackground(assembly, runtime);
  const watching = watch(assembly, clocks);
  const address = await listen(fastify, parts);
  logger.info({ url: address?.url }, 'service is up');

  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all([due.done, background, watching]);
    await app.close();
    ending.abort();
    await Promise.all([relay.done, projections.done]);
    await database.close();
    logger.info('service has stopped');
  };
  let stopped: Promise<void> | undefined;
  return {
    name: definition.name,
    port: address?.port ?? null,
    url: address?.url ?? null,
    fastify,
    runtime,
    internal,
    stop: () => (stopped ??= stop()),
  };
};

const idleRelay: Relay = {
  done: Promise.resolve(),
  progress: () => ({ position: null, caughtUp: false, lagMs: 0, messages: 0 }),
};

/** Several processes of one service may start at once: one creates, the others find it done. */
const createTables = async (database: Database, { name }: ServiceDefinition): Promise<void> => {
  await database.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`billstream ${database.schema} tables`]);
    await tx.query(`create schema if not exists "${database.schema}"`);
    await tx.query(runtimeDdl + busDdl + (name === clockContext ? '' : tenantClockDdl));
  });
};

const startProjections = (
  { definition, parts, metrics, logger, database, ending }: Assembly,
  clocks: TenantClocks,
  wakeDueWork: () => void,
): Projections => {
  const { name } = definition;
  const own = name === clockContext ? [tenantClockModel(definition, clocks)] : [];
  const work = {
    service: name,
    database,
    readModels: [...definition.readModels, ...own],
    prefixes: [...definition.streams, fencePrefix],
    signal: ending.signal,
    logger,
    onProgress: ({ position, lagMs, events }: ProjectionProgress): void => {
      metrics.projection({ service: name, position, lagMs, events });
      wakeDueWork();
    },
  };
  const { projectionThread: file } = definition;
  const { store, databaseUrl, eventStoreUrl } = parts;
  return file === undefined || eventStoreUrl === undefined
    ? runProjections({ ...work, store })
    : projectInThread({ ...work, file, databaseUrl, eventStoreUrl });
};

const createApp = (
  { definition, parts, metrics, logger }: Assembly,
  runtime: ServiceRuntime,
): Promise<NestFastifyApplication> =>
  createHttpApp(definition.module(runtime), {
    logger,
    innerSecret: parts.innerSecret,
    observe: ({ route, method, status, seconds }) => {
      metrics.http({ service: definition.name, route, method, code: status, seconds });
    },
  });

const createReactions = (
  { definition, parts, metrics, logger, database }: Assembly,
  clocks: TenantClocks,
  wakeDueWork: () => void,
): BusServer => {
  const follow = async (event: PublicEvent): Promise<void> => {
    const moved = event.type === clockMovedType ? clockMovedIn(event.data) : null;
    if (!moved) return;
    const { tenantId, ...position } = moved;
    await clocks.move(database, tenantId, position);
    wakeDueWork();
  };
  const server = new BusServer({
    bus: parts.bus,
    service: definition.name,
    hears: hearsOf(definition),
    database,
    logger,
    inbox: parts.settings.recogniseRepeats === false ? 'off' : 'on',
    report: busReport(metrics),
    around: (event, info, work) =>
      withLogContext({ correlationId: event.correlationId, causationId: event.id, tenantId: event.tenantId }, () =>
        logged(logger, { event, info }, async () => {
          await follow(event);
          await work();
        }),
      ),
  });
  // The lanes pass over types without a handler, and the clocks have no reaction of the service's own.
  server.addHandler(clockMovedType, () => Promise.resolve(), true);
  return server;
};

type Delivered = { readonly event: PublicEvent; readonly info: DeliveryInfo };

const logged = async (logger: Logger, { event, info }: Delivered, work: () => Promise<void>): Promise<void> => {
  const started = performance.now();
  const facts = { type: event.type, key: event.key, position: event.position, attempt: info.attempt };
  const durationMs = (): number => Math.round((performance.now() - started) * 100) / 100;
  try {
    await work();
    logger.info({ ...facts, outcome: 'handled', durationMs: durationMs() }, 'message');
  } catch (error) {
    logger.warn({ ...facts, outcome: 'failed', durationMs: durationMs(), err: error }, 'message');
    throw error;
  }
};

const startDueWork = (
  { definition, metrics, logger, database, stopping }: Assembly,
  runtime: ServiceRuntime,
): DueWorker =>
  runDueWork({
    service: definition.name,
    database,
    handlers: definition.dueWork?.(runtime) ?? {},
    ...(definition.dueWorkPerTenant === undefined ? {} : { tenantConcurrency: definition.dueWorkPerTenant }),
    signal: stopping.signal,
    logger,
    around: ({ tenantId, kind, key, dueAt }: DueItem, work) =>
      withLogContext({ correlationId: derivedId('due-work', kind, key, dueAt), tenantId }, work),
    report: (done) => {
      metrics.dueWork({ service: definition.name, ...done });
    },
  });

const startServiceRelay = ({ definition, parts, metrics, logger, database, ending }: Assembly): Relay =>
  startRelay({
    service: definition.name,
    store: parts.store,
    prefixes: definition.streams,
    publication: definition.publication,
    bus: parts.bus,
    checkpoint: relayCheckpoint(database, definition.name),
    signal: ending.signal,
    logger,
    report: busReport(metrics),
  });

const restartMs = 1_000;

const startBackground = async ({ definition, logger, stopping }: Assembly, runtime: ServiceRuntime): Promise<void> => {
  const { signal } = stopping;
  while (definition.background && !signal.aborted) {
    try {
      await definition.background(runtime, signal);
      return;
    } catch (error) {
      logger.error({ err: error }, 'background work ended, will be started again');
    }
    await sleep(restartMs, undefined, { signal }).catch(() => undefined);
  }
};

const clocksEveryMs = 500;
const deadLettersEveryMs = 15_000;

/** Clocks that another process of this service was told about, and the number nobody may overlook. */
const watch = async (
  { definition, parts, metrics, database, stopping }: Assembly,
  clocks: TenantClocks,
): Promise<void> => {
  const { signal } = stopping;
  for (let counted = 0; !signal.aborted;) {
    try {
      if (parts.settings.testClock) await clocks.refresh();
      if (Date.now() - counted > deadLettersEveryMs) {
        counted = Date.now();
        const [row] = await database.query<{ letters: bigint }>(
          'select count(*) as letters from dead_letters where discarded_at is null',
        );
        metrics.deadLetters(definition.name, Number(row?.letters ?? 0));
      }
    } catch {
      // The database is away; who needs it says so.
    }
    await sleep(clocksEveryMs, undefined, { signal }).catch(() => undefined);
  }
};

const listen = async (
  fastify: FastifyInstance,
  { port, host = '127.0.0.1' }: ServiceParts,
): Promise<{ port: number; url: string } | null> => {
  if (port === undefined) return null;
  const url = await fastify.listen({ port, host });
  return { port: Number(new URL(url).port), url };
};
