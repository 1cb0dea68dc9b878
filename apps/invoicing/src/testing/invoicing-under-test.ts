import { type EventStore, type PublicEvent, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { createHttpApp, innerHeaders } from '@billstream/http';
import { type Clock, type Instant, instantOfMs, newId, parseInstant } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { type Database, type DueItem, openDatabase } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { testDatabase } from '@billstream/testing';
import { invoicingService } from '../index';
import { OnFactsTold } from '../reactions/on-facts-told';
import { OnFamily } from '../reactions/on-family';
import { OnOverdueFacts } from '../reactions/on-overdue-facts';

/** The service over the memory store, a real database and a clock that stands until it is moved. */
export const invoicingUnderTest = async (startsAt: string) => {
  const server = await testDatabase();
  const database = openDatabase({ url: server.url, schema: 'public', applicationName: 'invoicing-under-test' });
  for (const model of invoicingService.readModels) await database.query(model.ddl);
  const store = memoryEventStore();
  const time = { now: at(startsAt) };
  const runtime = runtimeOn(store, database, { now: () => time.now });
  const app = await createHttpApp(invoicingService.module(runtime), { logger: silentLogger() });
  await app.init();
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  await fastify.ready();
  const tenantId = newId();
  const reactions = app.get(OnFactsTold, { strict: false });
  const family = app.get(OnFamily, { strict: false });
  const overdue = app.get(OnOverdueFacts, { strict: false });
  const call = (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    options: InjectOptions & { readonly tenant?: string } = {},
  ) =>
    fastify.inject({
      method,
      url: `/1.0/kb${url}`,
      ...options,
      headers: {
        'x-killbill-createdby': 'test',
        [innerHeaders.tenant]: options.tenant ?? tenantId,
        [innerHeaders.user]: 'admin',
        ...options.headers,
      },
    });
  const told = <Type extends string, Data extends object>(type: Type, data: Data): PublicEvent<Type, Data> => ({
    id: newId(),
    type,
    data,
    tenantId,
    key: '',
    at: time.now,
    actor: { createdBy: 'test' },
    correlationId: 'test',
    position: '0',
    stream: '',
    revision: '0',
  });
  const moveTo = async (when: string): Promise<void> => {
    await runtime.caughtUp();
    const handlers = invoicingService.dueWork?.(runtime) ?? {};
    for (let item = await nextDue(database, at(when)); item !== null; item = await nextDue(database, at(when))) {
      time.now = item.dueAt;
      await handlers[item.kind]?.(item);
      await runtime.caughtUp();
    }
    time.now = at(when);
  };
  const close = async (): Promise<void> => {
    await app.close();
    await database.close();
    await server.drop();
  };
  return { runtime, store, database, tenantId, reactions, family, overdue, call, told, moveTo, close };
};

export const at = (text: string): Instant => {
  const instant = parseInstant(text);
  if (instant === null) throw new RangeError(text);
  return instantOfMs(Date.parse(instant));
};

const nextDue = async (database: Database, until: Instant): Promise<DueItem | null> => {
  const rows = await database.query<DueItem>(
    `select tenant_id as "tenantId", kind, key, due_at as "dueAt", payload from due_work
     where due_at <= $1 order by due_at limit 1`,
    [until],
  );
  return rows[0] ?? null;
};

const runtimeOn = (store: EventStore, database: Database, clock: Clock): ServiceRuntime => {
  const caughtUp = follower(store, database);
  return {
    name: 'invoicing',
    store,
    database,
    clock,
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

/** Applies what is new in the log, batch after batch, one caller at a time. */
const follower = (store: EventStore, database: Database): (() => Promise<void>) => {
  let after: bigint | null = null;
  let last = Promise.resolve();
  const step = async (): Promise<void> => {
    const page = await store.readAll({ after, prefixes: invoicingService.streams });
    for (const model of invoicingService.readModels)
      if (page.events.length > 0) await database.transaction((tx) => model.apply(tx, page.events));
    after = page.position;
  };
  return () => (last = last.then(step));
};
