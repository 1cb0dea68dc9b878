import { type EventStore, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { createHttpApp, innerHeaders } from '@billstream/http';
import { tenantClock, newId } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { type Database, openDatabase } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { testDatabase } from '@billstream/testing';
import { accountsService } from '../index';

export const secretsKey = '5a'.repeat(32);

/** The service's endpoints over the memory store and a real database; `visible` applies the log to the read models. */
export const accountsUnderTest = async () => {
  const server = await testDatabase();
  const database = openDatabase({ url: server.url, schema: 'public', applicationName: 'accounts-under-test' });
  for (const model of accountsService.readModels) await database.query(model.ddl);
  const store = memoryEventStore();
  const runtime = runtimeOn(store, database);
  const app: NestFastifyApplication = await createHttpApp(accountsService.module(runtime), { logger: silentLogger() });
  await app.init();
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  await fastify.ready();
  const tenantId = newId();
  const call = (options: InjectOptions & { readonly tenant?: string }) =>
    fastify.inject({
      ...options,
      headers: {
        'x-killbill-createdby': 'test',
        [innerHeaders.tenant]: options.tenant ?? tenantId,
        [innerHeaders.user]: 'admin',
        ...options.headers,
      },
    });
  const close = async (): Promise<void> => {
    await app.close();
    await database.close();
    await server.drop();
  };
  return { app, runtime, store, database, tenantId, call, close };
};

const runtimeOn = (store: EventStore, database: Database): ServiceRuntime => {
  const caughtUp = follower(store, database);
  return {
    name: 'accounts',
    store,
    database,
    clock: tenantClock(() => 0),
    logger: silentLogger(),
    settings: {
      embedded: true,
      testClock: true,
      administrator: { user: 'admin', password: 'password' },
      bootstrapTenant: { apiKey: 'admin', apiSecret: 'password' },
      secretsKey,
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
    const page = await store.readAll({ after, prefixes: accountsService.streams });
    for (const model of accountsService.readModels) {
      const events = page.events.filter(({ stream }) => model.prefixes.some((prefix) => stream.startsWith(prefix)));
      if (events.length > 0) await database.transaction((tx) => model.apply(tx, events));
    }
    after = page.position;
  };
  return () => (last = last.then(step));
};
