import type { EventStore, PublicEvent, StoredEvent } from '@billstream/event-sourcing';
import { type Instant, newId } from '@billstream/kernel';
import { type Database, openDatabase } from '@billstream/postgres';
import { pino } from 'pino';
import type { TestBroker } from '@billstream/testing';
import { type TestDatabase, testDatabase } from '@billstream/testing';
import type { Bus } from '../bus';
import { BusServer, type BusServerParts } from '../bus-server';
import { busDdl } from '../ddl';
import { inProcessBus } from '../in-process-bus';
import type { Measure } from '../measures';
import { rabbitMqBus } from '../rabbitmq/rabbitmq-bus';
import { relay } from '../relay';
import { relayCheckpoint } from '../relay-checkpoint';

export const logger = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
const at = '2026-03-01T10:00:00.000Z' as Instant;
export const listeners = [{ service: 'reader', hears: ['accounts'] }];
export const partitions = 4;

export const event = (number: number, key: string, type = 'accounts.account-updated.v1'): PublicEvent => ({
  id: newId(),
  type,
  data: { number },
  tenantId: 'tenant',
  key,
  at,
  actor: { createdBy: 'test' },
  correlationId: 'correlation',
  position: String(number),
  stream: `account-${key}`,
  revision: String(number),
});
export const events = (count: number, keys: number, from = 0): readonly PublicEvent[] =>
  Array.from({ length: count }, (_, index) => event(from + index, `key-${(from + index) % keys}`));
export const numberOf = ({ data }: PublicEvent): number => (data as { number: number }).number;

/** What was handled, in the order of handling, by key. */
export const byKey = (handled: readonly PublicEvent[]): Readonly<Record<string, readonly number[]>> => {
  const keys: Record<string, number[]> = {};
  for (const one of handled) (keys[one.key] ??= []).push(numberOf(one));
  return keys;
};

let root: Database;
let schemas = 0;

export const databaseUrl = (): string => postgresUrl;
let postgresUrl = '';

/** Once per test file: its database. */
export const useDatabase = (): void => {
  let postgres: TestDatabase;
  beforeAll(async () => {
    postgres = await testDatabase();
    postgresUrl = postgres.url;
    root = openDatabase({ url: postgres.url, schema: 'public', applicationName: 'bus-test', poolSize: 4 });
  });
  afterAll(async () => {
    await root.close();
    await postgres.drop();
  });
};

type Open = (options: { readonly signal?: AbortSignal; readonly url?: string }) => Promise<Bus>;

/** One test's world: its schema, its bus, and everything to put away after it. */
export type World = {
  readonly database: Database;
  readonly measures: Measure[];
  readonly open: Open;
  readonly broker: TestBroker | null;
  readonly namespace: string;
  serve(bus: Bus, handle: (event: PublicEvent) => Promise<void>, options?: Partial<BusServerParts>): Promise<BusServer>;
  readonly later: (tidy: () => Promise<void> | void) => void;
  count(outcome: string): number;
};

export const worldOf = async (broker: TestBroker | null): Promise<{ world: World; tidy: () => Promise<void> }> => {
  schemas += 1;
  const schema = `bus_${schemas}`;
  await root.query(`create schema ${schema}`);
  const database = root.withSchema(schema);
  await database.query(busDdl);
  await database.query(busDdl);
  const measures: Measure[] = [];
  const report = (measure: Measure): void => void measures.push(measure);
  const tidies: (() => Promise<void> | void)[] = [() => database.close()];
  const later = (tidy: () => Promise<void> | void): void => void tidies.unshift(tidy);
  const namespace = broker ? `${broker.namespace}.${schemas}` : schema;
  const open: Open = async ({ signal, url }) => {
    const bus = broker
      ? await rabbitMqBus({
          url: url ?? broker.url,
          service: 'test',
          logger,
          listeners,
          partitions,
          report,
          namespace,
          ...(signal && { signal }),
        })
      : inProcessBus({ listeners, partitions, report, ...(signal && { signal }) });
    later(() => bus.close());
    return bus;
  };
  const serve: World['serve'] = async (bus, handle, options = {}) => {
    const server = new BusServer({
      bus,
      service: 'reader',
      hears: ['accounts'],
      database,
      logger,
      report,
      retryDelaysMs: [5, 5],
      resendEveryMs: 20,
      ...options,
    });
    server.addHandler('accounts.account-updated.v1', handle, true);
    later(() => server.close());
    server.listen(() => undefined);
    await server.ready();
    return server;
  };
  const count = (outcome: string): number =>
    measures.filter((m) => m.kind === 'handled' && m.outcome === outcome).length;
  const tidy = async (): Promise<void> => {
    for (const one of tidies) await one();
  };
  return { world: { database, measures, open, broker, namespace, serve, later, count }, tidy };
};

const stored = (number: number): StoredEvent => ({
  id: newId(),
  type: 'account.updated.v1',
  data: { number },
  metadata: {
    $correlationId: 'c',
    $causationId: 'c',
    commandId: 'c',
    tenantId: 'tenant',
    actor: { createdBy: 'test' },
    at,
    recordedAt: at,
  },
});
export const keysOfLog = 10;
export const append = async (store: EventStore, from: number, count: number): Promise<void> => {
  for (let number = from; number < from + count; number += 1) {
    const revision = Math.floor(number / keysOfLog);
    await store.append(`account-key-${number % keysOfLog}`, revision === 0 ? 'none' : BigInt(revision - 1), [
      stored(number),
    ]);
  }
};
export const startRelay = ({ database, later }: World, bus: Bus, store: EventStore) => {
  const stopping = new AbortController();
  const running = relay({
    service: 'accounts',
    store,
    prefixes: ['account-'],
    publication: ({ stream, data }) => [{ type: 'accounts.account-updated.v1', key: stream, data }],
    bus,
    checkpoint: relayCheckpoint(database, 'accounts'),
    signal: stopping.signal,
    logger,
    pageSize: 100,
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running.done;
  };
  later(stop);
  return { ...running, stop };
};
