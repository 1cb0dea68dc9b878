import { type EventStore, memoryEventStore } from '@billstream/event-sourcing';
import { innerHeaders } from '@billstream/http';
import { type Instant, newId, wallTime } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { inProcessBus } from '@billstream/rabbitmq';
import { type RunningService, type ServiceDefinition, listenerOf, startService } from '@billstream/service-runtime';
import type { InjectOptions } from 'fastify';
import { testDatabase } from '@billstream/testing';
import { paymentsService } from '../index';

export const secretsKey = '5a'.repeat(32);
const innerSecret = 'inner-secret';

class Nothing {}

/** A context that publishes what a test lets it say. */
const teller = (name: 'accounts' | 'invoicing'): ServiceDefinition => ({
  name,
  streams: [`${name}Said-`],
  readModels: [],
  publication: ({ data }) => [data as { type: string; key: string; data: object }],
  hears: [],
  module: () => ({ module: Nothing }),
});
const tellers = { accounts: teller('accounts'), invoicing: teller('invoicing') };

export type Said = { readonly type: string; readonly key: string; readonly data: object };

type Circumstances = {
  readonly store?: EventStore;
  readonly payPalMode?: 'emulator' | 'sandbox';
  /** Real people: neither embedded nor with a test clock. */
  readonly bills?: 'nobody' | 'real people';
};

/** The whole payments service over a store in memory, a real database and the gateway at `emulatorUrl`. */
export const paymentsUnderTest = async (
  emulatorUrl: string,
  { store = memoryEventStore(), payPalMode = 'emulator', bills = 'nobody' }: Circumstances = {},
) => {
  const server = await testDatabase();
  const tenantId = newId();
  const definitions = [paymentsService, tellers.accounts, tellers.invoicing];
  const bus = inProcessBus({ listeners: definitions.map(listenerOf) });
  const settings = {
    ...{ embedded: bills === 'nobody', testClock: bills === 'nobody', secretsKey, dataDirectory: '', publicUrl: '' },
    ...{ administrator: null, bootstrapTenant: null, payPalMode, emulatorUrl },
  };
  const parts = { store, databaseUrl: server.url, bus, settings, logger: silentLogger(), innerSecret };
  const services: RunningService[] = [];
  const start = async (): Promise<void> => {
    for (const definition of definitions) services.push(await startService(definition, parts));
  };
  const payments = (): RunningService => {
    const [service] = services;
    if (service === undefined) throw new Error('payments is not started');
    return service;
  };
  const revisions = new Map<string, bigint>();
  const say = async (name: keyof typeof tellers, said: Said): Promise<void> => {
    const stream = `${name}Said-${said.key}`;
    const last = revisions.get(stream);
    const at: Instant = payments().runtime.clock.now(tenantId);
    const metadata = {
      ...{ $correlationId: newId(), $causationId: newId(), commandId: newId(), tenantId },
      ...{ actor: { createdBy: 'test' }, at, recordedAt: wallTime() },
    };
    const event = { id: newId(), type: 'said.v1', data: said, metadata };
    revisions.set(stream, (await store.append(stream, last ?? 'none', [event])).revision);
  };
  const call = (options: InjectOptions & { readonly tenant?: string }) =>
    payments().fastify.inject({
      ...options,
      headers: {
        'x-killbill-createdby': 'test',
        [innerHeaders.secret]: innerSecret,
        [innerHeaders.tenant]: options.tenant ?? tenantId,
        [innerHeaders.user]: 'admin',
        ...options.headers,
      },
    });
  return {
    tenantId,
    store,
    start,
    say,
    call,
    moveClock: (distanceMs: number) =>
      say('accounts', { type: 'accounts.clock-moved.v1', key: tenantId, data: { tenantId, distanceMs } }),
    get: async <T>(url: string): Promise<T> => {
      const answer = await call({ method: 'GET', url });
      if (answer.statusCode !== 200) throw new Error(`${url}: ${String(answer.statusCode)} ${answer.body}`);
      return answer.json<T>();
    },
    close: async (): Promise<void> => {
      await Promise.all(services.map((service) => service.stop()));
      await bus.close();
      await server.drop();
    },
  };
};

export type PaymentsUnderTest = Awaited<ReturnType<typeof paymentsUnderTest>>;
