import { type EventStore, type PublicEvent, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { createHttpApp, innerHeaders } from '@billstream/http';
import { type Clock, type Instant, newId } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { type AppliedListener, type Database, type DueItem, openDatabase } from '@billstream/postgres';
import { testDatabase } from '@billstream/testing';
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { ServiceDefinition, ServiceRuntime } from '../service';

/**
 * A service's endpoints and reactions over the memory store and a real database, without a bus: a test says what is heard
 * and does what is due. Read models follow the log when somebody waits for them.
 */
export const serviceUnderTest = async (definition: ServiceDefinition, clock: Clock) => {
  const server = await testDatabase();
  const database = openDatabase({
    url: server.url,
    schema: 'public',
    applicationName: `${definition.name}-under-test`,
  });
  for (const model of definition.readModels) await database.query(model.ddl);
  const store = memoryEventStore();
  const runtime = runtimeOn(definition, { store, database, clock });
  const app = await createHttpApp(definition.module(runtime), { logger: silentLogger() });
  await app.init();
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  await fastify.ready();
  const tenantId = newId();
  const headers = {
    'x-killbill-createdby': 'test',
    [innerHeaders.tenant]: tenantId,
    [innerHeaders.user]: 'admin',
  };
  return {
    app,
    fastify,
    runtime,
    store,
    database,
    tenantId,
    headers,
    call: ({ tenant = tenantId, ...options }: InjectOptions & { readonly tenant?: string }) =>
      fastify.inject({ ...options, headers: { ...headers, [innerHeaders.tenant]: tenant, ...options.headers } }),
    /** A message as the bus would hand it over. */
    told: <Type extends string, Data extends object>(type: Type, data: Data): PublicEvent<Type, Data> => ({
      id: newId(),
      type,
      data,
      tenantId,
      key: 'key',
      at: clock.now(tenantId),
      actor: { createdBy: 'test' },
      correlationId: newId(),
      position: '0',
      stream: 'other-1',
      revision: '0',
    }),
    /** What is due by then, oldest first. */
    dueBy: (at: Instant): Promise<readonly DueItem[]> => database.query<DueItem>(dueSql, [at]),
    close: async (): Promise<void> => {
      await app.close();
      await database.close();
      await server.drop();
    },
  };
};

export type ServiceUnderTest = Awaited<ReturnType<typeof serviceUnderTest>>;

const dueSql = `
select kind, key, tenant_id as "tenantId", due_at as "dueAt", payload from due_work where due_at <= $1 order by due_at`;

type Parts = { readonly store: EventStore; readonly database: Database; readonly clock: Clock };

const runtimeOn = (definition: ServiceDefinition, { store, database, clock }: Parts): ServiceRuntime => {
  const listeners: AppliedListener[] = [];
  const caughtUp = follower(definition, { store, database, listeners });
  return {
    name: definition.name,
    store,
    database,
    clock,
    logger: silentLogger(),
    settings: {
      embedded: true,
      testClock: true,
      administrator: { user: 'admin', password: 'password' },
      bootstrapTenant: { apiKey: 'admin', apiSecret: 'password' },
      secretsKey: '5a'.repeat(32),
      dataDirectory: '',
      payPalMode: 'emulator',
      emulatorUrl: '',
      publicUrl: '',
    },
    handle: (decider, schema) => commandHandler({ store, decider, schema }),
    visible: caughtUp,
    passed: () => caughtUp().then(() => true),
    applied: { isHere: () => true, listen: (listener) => void listeners.push(listener) },
    caughtUp,
    metrics: { count: () => undefined, gauge: () => undefined },
  };
};

/** Applies what is new in the log, batch after batch, one caller at a time. */
const follower = (
  definition: ServiceDefinition,
  {
    store,
    database,
    listeners,
  }: Pick<Parts, 'store' | 'database'> & { readonly listeners: readonly AppliedListener[] },
): (() => Promise<void>) => {
  const prefixes = [...new Set([definition.streams, ...definition.readModels.map((model) => model.prefixes)].flat())];
  let after: bigint | null = null;
  let last = Promise.resolve();
  const step = async (): Promise<void> => {
    const page = await store.readAll({ after, prefixes });
    for (const model of definition.readModels) {
      const events = page.events.filter(({ stream }) => model.prefixes.some((prefix) => stream.startsWith(prefix)));
      if (events.length === 0) continue;
      const told = await database.transaction((tx) => model.apply(tx, events));
      if (told !== undefined) for (const { applied } of listeners) applied({ readModel: model.name, told });
    }
    after = page.position;
  };
  return () => (last = last.then(step));
};
