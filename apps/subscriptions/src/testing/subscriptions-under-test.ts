import type { AccountFacts } from '@billstream/accounts-contracts';
import {
  type EventStore,
  type PublicEvent,
  commandHandler,
  memoryEventStore,
  publicEventsOf,
} from '@billstream/event-sourcing';
import { createHttpApp, innerHeaders } from '@billstream/http';
import { type Clock, type Instant, newId, parseCurrency } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { type Database, type DueItem, openDatabase } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { testDatabase } from '@billstream/testing';
import { subscriptionsService } from '../index';
import { OnAccounts } from '../reactions/on-accounts';
import { OnInvoicing } from '../reactions/on-invoicing';

/** The service's endpoints and reactions over the memory store and a real database, with a clock that tests set. */
export const subscriptionsUnderTest = async (startsAt: Instant) => {
  const server = await testDatabase();
  const database = openDatabase({ url: server.url, schema: 'public', applicationName: 'subscriptions-under-test' });
  for (const model of subscriptionsService.readModels) await database.query(model.ddl);
  const store = memoryEventStore();
  let now = startsAt;
  const runtime = runtimeOn(store, database, { now: () => now });
  const app = await createHttpApp(subscriptionsService.module(runtime), { logger: silentLogger() });
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
  const told = <Data extends object>(type: string, data: Data): PublicEvent<string, Data> => ({
    id: newId(),
    type,
    data,
    tenantId,
    key: '',
    at: now,
    actor: { createdBy: 'test' },
    correlationId: newId(),
    position: '0',
    stream: '',
    revision: '0',
  });
  const due = subscriptionsService.dueWork?.(runtime) ?? {};
  const dueItems = async (): Promise<readonly DueItem[]> =>
    (
      await database.query<{ kind: string; key: string; tenant_id: string; due_at: Instant; payload: object }>(
        'select * from due_work where due_at <= $1 order by due_at',
        [now],
      )
    ).map((row) => ({
      kind: row.kind,
      key: row.key,
      tenantId: row.tenant_id,
      dueAt: row.due_at,
      payload: row.payload,
    }));
  return {
    runtime,
    call,
    tenantId,
    reactions: { accounts: app.get(OnAccounts), invoicing: app.get(OnInvoicing) },
    told,
    usesDefaultCatalog: async () => {
      await app.get(OnAccounts).tenantCreated({
        ...told('accounts.tenant-created.v1', { tenantId, apiKey: 'k', externalKey: 'k', useGlobalDefault: true }),
        type: 'accounts.tenant-created.v1',
      });
      await runtime.caughtUp();
    },
    hasAccount: async (more: Partial<AccountFacts> = {}): Promise<string> => {
      const accountId = newId();
      const facts: AccountFacts = {
        accountId,
        externalKey: accountId,
        currency: parseCurrency('USD'),
        timeZone: 'Etc/UTC',
        referenceTime: now,
        billCycleDayLocal: 0,
        parentAccountId: null,
        isPaymentDelegatedToParent: false,
        ...more,
      };
      await app.get(OnAccounts).accountCreated(told('accounts.account-created.v1', facts));
      await runtime.caughtUp();
      return accountId;
    },
    /** Sets the clock and does what falls due, in order. */
    isNow: async (at: Instant): Promise<number> => {
      now = at;
      await runtime.caughtUp();
      let done = 0;
      for (let [item] = await dueItems(); item !== undefined && done < 100; [item] = await dueItems(), done += 1)
        await due[item.kind]?.(item);
      return done;
    },
    published: async () => {
      const { events } = await store.readAll({ after: null, prefixes: subscriptionsService.streams });
      return events.flatMap((event) => publicEventsOf(event, subscriptionsService.publication));
    },
    close: async (): Promise<void> => {
      await app.close();
      await database.close();
      await server.drop();
    },
  };
};

const runtimeOn = (store: EventStore, database: Database, clock: Clock): ServiceRuntime => {
  const caughtUp = follower(store, database);
  return {
    name: 'subscriptions',
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
    caughtUp,
    metrics: { count: () => undefined, gauge: () => undefined },
  };
};

/** Applies what is new in the log, batch after batch, one caller at a time. */
const follower = (store: EventStore, database: Database): (() => Promise<void>) => {
  let after: bigint | null = null;
  let last = Promise.resolve();
  const step = async (): Promise<void> => {
    const page = await store.readAll({ after, prefixes: subscriptionsService.streams });
    for (const model of subscriptionsService.readModels) {
      const events = page.events.filter(({ stream }) => model.prefixes.some((prefix) => stream.startsWith(prefix)));
      if (events.length > 0) await database.transaction((tx) => model.apply(tx, events));
    }
    after = page.position;
  };
  return () => (last = last.then(step));
};
