import { type EventStore, type PublicEvent, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { createHttpApp, innerHeaders } from '@billstream/http';
import { type Instant, epochMs, instantOfMs, newId } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { type Database, type DueItem, openDatabase } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { testDatabase } from '@billstream/testing';
import { meteringService } from '../index';
import { type Metering, meteringToken } from '../metering';
import { OnFactsOfOthers } from '../reactions/on-facts-of-others';
import { OnUsageRequested } from '../reactions/on-usage-requested';

/** The service over the memory store and a real database, with a clock that stands where a test puts it. */
export const meteringUnderTest = async (start: string) => {
  const server = await testDatabase();
  const database = openDatabase({ url: server.url, schema: 'public', applicationName: 'metering-under-test' });
  for (const model of meteringService.readModels) await database.query(model.ddl);
  const store = memoryEventStore();
  const time = { now: start as Instant };
  const runtime = runtimeOn(store, database, () => time.now);
  const app = await createHttpApp(meteringService.module(runtime), { logger: silentLogger() });
  await app.init();
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  await fastify.ready();
  const metering = app.get<Metering>(meteringToken, { strict: false });
  const tenantId = newId();
  const headers = {
    'x-killbill-createdby': 'test',
    [innerHeaders.tenant]: tenantId,
    [innerHeaders.user]: 'admin',
  };
  return {
    tenantId,
    headers,
    store,
    database,
    runtime,
    metering,
    facts: new OnFactsOfOthers(metering),
    requests: new OnUsageRequested(metering),
    at: (now: string): void => {
      time.now = now as Instant;
    },
    call: (options: InjectOptions & { readonly tenant?: string }) =>
      fastify.inject({
        ...options,
        headers: { ...headers, [innerHeaders.tenant]: options.tenant ?? tenantId, ...options.headers },
      }),
    /** On a socket, for answers that do not end. */
    listen: (): Promise<string> => fastify.listen({ port: 0, host: '127.0.0.1' }),
    /** Does what is due by now, and what becomes due by that. */
    doDueWork: async (): Promise<void> => {
      const handlers = meteringService.dueWork?.(runtime) ?? {};
      for (let rounds = 0; ; rounds += 1) {
        await runtime.caughtUp();
        const items = await database.query<DueItem>(dueSql, [time.now]);
        if (items.length === 0) return;
        if (rounds > 20) throw new Error(`work is due again and again: ${JSON.stringify(items)}`);
        for (const item of items) await handlers[item.kind]?.(item);
      }
    },
    /** A message as the bus would hand it over. */
    heard: <Type extends string, Data extends object>(type: Type, data: Data): PublicEvent<Type, Data> => ({
      id: newId(),
      type,
      data,
      tenantId,
      key: 'key',
      at: instantOfMs(epochMs(time.now)),
      actor: { createdBy: 'test' },
      correlationId: newId(),
      position: '0',
      stream: 'other-1',
      revision: '0',
    }),
    close: async (): Promise<void> => {
      await app.close();
      await database.close();
      await server.drop();
    },
  };
};

const dueSql = `
select kind, key, tenant_id as "tenantId", due_at as "dueAt", payload from due_work where due_at <= $1 order by due_at`;

const runtimeOn = (store: EventStore, database: Database, now: () => Instant): ServiceRuntime => {
  const caughtUp = follower(store, database);
  return {
    name: 'metering',
    store,
    database,
    clock: { now },
    logger: silentLogger(),
    settings: {
      embedded: true,
      testClock: true,
      administrator: null,
      bootstrapTenant: null,
      secretsKey: '5a'.repeat(32),
      dataDirectory: '',
      payPalMode: 'emulator',
      emulatorUrl: '',
      publicUrl: '',
    },
    handle: (decider, schema) => commandHandler({ store, decider, schema }),
    visible: caughtUp,
    passed: () => caughtUp().then(() => true),
    caughtUp,
    metrics: { count: () => undefined, gauge: () => undefined },
  };
};

/** Applies what is new in the log, one caller at a time. */
const follower = (store: EventStore, database: Database): (() => Promise<void>) => {
  let after: bigint | null = null;
  let last = Promise.resolve();
  const step = async (): Promise<void> => {
    const page = await store.readAll({
      after,
      prefixes: [...meteringService.streams, ...meteringService.readModels.flatMap(({ prefixes }) => prefixes)],
    });
    for (const model of meteringService.readModels) {
      const events = page.events.filter(({ stream }) => model.prefixes.some((prefix) => stream.startsWith(prefix)));
      if (events.length > 0) await database.transaction((tx) => model.apply(tx, events));
    }
    after = page.position;
  };
  return () => (last = last.then(step));
};
