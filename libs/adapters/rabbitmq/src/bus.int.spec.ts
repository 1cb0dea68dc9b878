import { memoryEventStore, type EventStore, type PublicEvent, type StoredEvent } from '@billstream/event-sourcing';
import { type Instant, newId } from '@billstream/kernel';
import { busDdl, deadLetters, fenceRaiser, inProcessBus, type Measure, rabbitMqBus, relay, relayCheckpoint } from '@billstream/rabbitmq';
import { type Database, openDatabase } from '@billstream/postgres';
import { connect } from 'amqplib';
import { pino } from 'pino';
import { eventually } from '../../../../tools/testing/eventually';
import { tcpProxy } from '../../../../tools/testing/tcp-proxy';
import { hasTestBroker, type TestBroker, testBroker } from '../../../../tools/testing/test-broker';
import { type TestDatabase, testDatabase } from '../../../../tools/testing/test-database';
import type { Bus } from './bus';
import { BusServer, type BusServerParts } from './bus-server';
import { namesOf } from './rabbitmq/topology';

jest.setTimeout(60_000);

const logger = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
const at = '2026-03-01T10:00:00.000Z' as Instant;
const listeners = [{ service: 'reader', hears: ['accounts'] }];
const partitions = 4;

const event = (number: number, key: string, type = 'accounts.account-updated.v1'): PublicEvent => ({
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
const events = (count: number, keys: number, from = 0): readonly PublicEvent[] =>
  Array.from({ length: count }, (_, index) => event(from + index, `key-${(from + index) % keys}`));
const numberOf = ({ data }: PublicEvent): number => (data as { number: number }).number;

/** What was handled, in the order of handling, by key. */
const byKey = (handled: readonly PublicEvent[]): Readonly<Record<string, readonly number[]>> => {
  const keys: Record<string, number[]> = {};
  for (const one of handled) (keys[one.key] ??= []).push(numberOf(one));
  return keys;
};

let postgres: TestDatabase;
let root: Database;
let schemas = 0;

beforeAll(async () => {
  postgres = await testDatabase();
  root = openDatabase({ url: postgres.url, schema: 'public', applicationName: 'bus-test', poolSize: 4 });
});
afterAll(async () => {
  await root.close();
  await postgres.drop();
});

type Open = (options: { readonly signal?: AbortSignal; readonly url?: string }) => Promise<Bus>;

/** One test's world: its schema, its bus, and everything to put away after it. */
type World = {
  readonly database: Database;
  readonly measures: Measure[];
  readonly open: Open;
  readonly broker: TestBroker | null;
  readonly namespace: string;
  serve(bus: Bus, handle: (event: PublicEvent) => Promise<void>, options?: Partial<BusServerParts>): Promise<BusServer>;
  later(tidy: () => Promise<void> | void): void;
  count(outcome: string): number;
};

const worldOf = async (broker: TestBroker | null): Promise<{ world: World; tidy: () => Promise<void> }> => {
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
      ? await rabbitMqBus({ url: url ?? broker.url, service: 'test', logger, listeners, partitions, report, namespace, ...(signal && { signal }) })
      : inProcessBus({ listeners, partitions, report, ...(signal && { signal }) });
    later(() => bus.close());
    return bus;
  };
  const serve: World['serve'] = async (bus, handle, options = {}) => {
    const server = new BusServer({
      bus, service: 'reader', hears: ['accounts'], database, logger, report, retryDelaysMs: [5, 5], resendEveryMs: 20, ...options,
    });
    server.addHandler('accounts.account-updated.v1', handle, true);
    later(() => server.close());
    server.listen(() => undefined);
    await server.ready();
    return server;
  };
  const count = (outcome: string): number => measures.filter((m) => m.kind === 'handled' && m.outcome === outcome).length;
  const tidy = async (): Promise<void> => {
    for (const one of tidies) await one();
  };
  return { world: { database, measures, open, broker, namespace, serve, later, count }, tidy };
};

const contract = (broker: () => TestBroker | null): void => {
  let world: World;
  let tidy: () => Promise<void>;
  beforeEach(async () => {
    ({ world, tidy } = await worldOf(broker()));
  });
  afterEach(() => tidy());

  it('hands every message over, in order per key', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, async (one) => {
      await new Promise((resolve) => setTimeout(resolve, numberOf(one) % 3));
      handled.push(one);
    });
    const all = events(400, 20);
    await bus.publish(all.slice(0, 150));
    await bus.publish(all.slice(150));
    await eventually(() => handled.length === 400);
    expect(byKey(handled)).toEqual(byKey(all));
    await eventually(async () => (await world.database.query('select 1 from inbox')).length === 400);
  });

  it('hands a message over again when the consumer crashed between effect and acknowledgement', async () => {
    const crash = new AbortController();
    const all = events(10, 1);
    const effects: number[] = [];
    const bus = await world.open({ signal: crash.signal });
    await world.serve(bus, async (one) => {
      effects.push(numberOf(one));
      if (numberOf(one) !== 3) return;
      crash.abort();
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    // The relay would do the same: what was not confirmed is published again.
    await bus.publish(all).catch(() => undefined);
    await eventually(() => crash.signal.aborted);
    const next = await world.open({});
    await world.serve(next, (one) => Promise.resolve(void effects.push(numberOf(one))));
    await next.publish(all);
    await eventually(() => effects.includes(9));
    expect(effects.filter((number) => number === 3)).toHaveLength(2);
    expect([...new Set(effects)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('drops what is in the inbox already', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    const all = events(50, 5);
    await bus.publish(all);
    await bus.publish(all);
    await eventually(() => world.count('duplicate') === 50);
    expect(handled).toHaveLength(50);
  });

  it('would handle duplicates twice without the inbox', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, (one) => Promise.resolve(void handled.push(one)), { inbox: 'off' });
    const all = events(50, 5);
    await bus.publish(all);
    await bus.publish(all);
    await eventually(() => handled.length === 100);
    expect(world.count('duplicate')).toBe(0);
  });

  it('tries again, and no dead letter is left when it succeeds', async () => {
    const bus = await world.open({});
    let failures = 0;
    await world.serve(bus, async (one) => {
      if (numberOf(one) === 0 && failures < 2) {
        failures += 1;
        throw new Error('not yet');
      }
    });
    await bus.publish(events(2, 1));
    await eventually(() => world.count('handled') === 2);
    expect(world.measures.filter((m) => m.kind === 'retried').map((m) => m.cause)).toEqual(['failure', 'failure']);
    expect(await deadLetters(world.database).list()).toEqual([]);
  });

  it('waits out what is away without counting it as an attempt', async () => {
    const bus = await world.open({});
    let refusals = 0;
    const refuse = (): never => {
      refusals += 1;
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    await world.serve(bus, async () => (refusals < 3 ? refuse() : undefined), { retryDelaysMs: [] });
    await bus.publish(events(1, 1));
    await eventually(() => world.count('handled') === 1);
    expect(refusals).toBe(3);
  });

  it('puts a poison message and what follows it under its key aside, and nothing else', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    let poisonous = true;
    const server = await world.serve(bus, async (one) => {
      if (poisonous && one.key === 'a' && numberOf(one) === 1) throw new Error('cannot be');
      handled.push(one);
    });
    const keyed = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].flatMap((key) => [0, 1, 2].map((number) => event(number, key)));
    await bus.publish(keyed);
    await eventually(() => handled.length === 22);
    const letters = deadLetters(world.database);
    await eventually(async () => (await letters.list()).length === 2);
    expect((await letters.list()).map(({ key, reason, attempts, error }) => ({ key, reason, attempts, error }))).toEqual([
      { key: 'a', reason: 'failed', attempts: 3, error: 'cannot be' },
      { key: 'a', reason: 'behind', attempts: 0, error: null },
    ]);
    expect((await letters.show((await letters.list())[0]!.messageId))?.stack).toContain('Error: cannot be');

    expect(await letters.resend(['a'])).toBe(1);
    await eventually(async () => (await letters.list())[0]?.attempts === 4);
    expect(await letters.count()).toEqual({ letters: 2, keys: 1 });

    poisonous = false;
    expect(await letters.resend(null)).toBe(1);
    await bus.publish([event(3, 'a')]);
    await eventually(() => handled.length === 25);
    expect(byKey(handled)['a']).toEqual([0, 1, 2, 3]);
    await eventually(async () => (await letters.count()).keys === 0);
    expect(await letters.count()).toEqual({ letters: 0, keys: 0 });
    await server.close();
  });

  it('leaves a discarded dead letter out when its key is sent again', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, async (one) => {
      if (numberOf(one) === 0) throw new Error('never');
      handled.push(one);
    });
    const all = events(3, 1);
    await bus.publish(all);
    const letters = deadLetters(world.database);
    await eventually(async () => (await letters.list()).length === 3);
    expect(await letters.discard(all[0]!.id, 'operator')).toBe(true);
    await letters.resend(['key-0']);
    await eventually(() => handled.length === 2);
    expect(byKey(handled)).toEqual({ 'key-0': [1, 2] });
    expect(await letters.list({ discarded: true })).toMatchObject([{ messageId: all[0]!.id, discardedBy: 'operator' }]);
  });

  it('acknowledges a type that nobody handles', async () => {
    const bus = await world.open({});
    await world.serve(bus, () => Promise.resolve());
    await bus.publish([event(0, 'a', 'accounts.something-new.v1'), event(1, 'a')]);
    await eventually(() => world.count('handled') === 1);
    expect(world.count('ignored')).toBe(1);
  });

  it('confirms a message of a context that nobody hears', async () => {
    const bus = await world.open({});
    await expect(bus.publish([event(0, 'a', 'metering.usage-recorded.v1')])).resolves.toBeUndefined();
  });

  it('lets a fence through after everything that was published before it', async () => {
    const bus = await world.open({});
    const handled: number[] = [];
    const server = await world.serve(bus, async (one) => {
      if (numberOf(one) % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      handled.push(numberOf(one));
    });
    const fence = { fenceId: newId(), context: 'accounts', position: '1000' };
    expect(server.hasPassed('accounts', 1000n)).toBe(false);
    void bus.publish([...events(200, 17), fence, ...events(200, 17, 200)]);
    await eventually(() => {
      if (!server.hasPassed('accounts', 1000n)) return false;
      expect(handled.filter((number) => number < 200)).toHaveLength(200);
      return true;
    });
    expect(Object.keys(server.fencesPassed()['accounts']!)).toHaveLength(partitions);
    await eventually(() => handled.length === 400);
  });

  it('relays a log from where it had stopped, fences included', async () => {
    const store = memoryEventStore();
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    const server = await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    const first = startRelay(world, bus, store);
    await append(store, 0, 100);
    await eventually(() => handled.length === 100);
    await first.stop();
    await append(store, 100, 50);
    const published = world.measures.length;
    const second = startRelay(world, bus, store);
    const raise = fenceRaiser(store);
    const { position } = await raise();
    await eventually(() => server.hasPassed('accounts', position));
    expect(handled.map(numberOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, number) => number));
    const again = world.measures.slice(published).reduce((sum, m) => sum + (m.kind === 'published' ? m.messages : 0), 0);
    expect(again).toBeLessThanOrEqual(50 + partitions);
    await second.stop();
    expect(await relayCheckpoint(world.database, 'accounts').load()).toBe(position);
  });
};

const stored = (number: number): StoredEvent => ({
  id: newId(),
  type: 'account.updated.v1',
  data: { number },
  metadata: { $correlationId: 'c', $causationId: 'c', commandId: 'c', tenantId: 'tenant', actor: { createdBy: 'test' }, at, recordedAt: at },
});
const keysOfLog = 10;
const append = async (store: EventStore, from: number, count: number): Promise<void> => {
  for (let number = from; number < from + count; number += 1) {
    const revision = Math.floor(number / keysOfLog);
    await store.append(`account-key-${number % keysOfLog}`, revision === 0 ? 'none' : BigInt(revision - 1), [stored(number)]);
  }
};
const startRelay = ({ database, later }: World, bus: Bus, store: EventStore) => {
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

describe('the bus inside one process', () => {
  contract(() => null);

  it('keeps messages back until every listener is there', async () => {
    const { world, tidy } = await worldOf(null);
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    const published = bus.publish(events(5, 1));
    const server = await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    await published;
    expect(handled).toHaveLength(5);
    await server.close();
    await tidy();
  });
});

if (!hasTestBroker())
  it.skip('the bus over RabbitMQ: skipped, because TEST_RABBITMQ_URL names no broker', () => undefined);

(hasTestBroker() ? describe : describe.skip)('the bus over RabbitMQ', () => {
  let broker: TestBroker;
  const declared: string[] = [];
  beforeAll(async () => {
    broker = await testBroker();
  });
  afterAll(async () => {
    const names = declared.map((namespace) => namesOf(namespace));
    await broker.drop({
      queues: names.flatMap((name) => [name.unrouted, name.dead, ...[0, 1, 2, 3].map((p) => name.reactions('reader', p))]),
      exchanges: names.flatMap((name) => [name.events, name.unrouted, name.dead]),
    });
  });
  const tidies: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const tidy of tidies.splice(0)) await tidy();
  });
  const worldHere = async () => {
    const { world, tidy } = await worldOf(broker);
    declared.push(world.namespace);
    tidies.push(tidy);
    return world;
  };
  const onChannel = async <T>(work: (channel: Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>) => Promise<T>): Promise<T> => {
    const connection = await connect(broker.url);
    try {
      const channel = await connection.createChannel();
      const result = await work(channel);
      await channel.close();
      return result;
    } finally {
      await connection.close();
    }
  };

  contract(() => broker);

  it('loses nothing and keeps the order while its connections are cut', async () => {
    const world = await worldHere();
    const proxy = await tcpProxy({ targetPort: Number(new URL(broker.url).port || 5672), targetHost: new URL(broker.url).hostname });
    world.later(() => proxy.close());
    const url = new URL(broker.url);
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const bus = await world.open({ url: url.toString() });
    const store = memoryEventStore();
    const handled: PublicEvent[] = [];
    await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    startRelay(world, bus, store);
    for (let part = 0; part < 10; part += 1) {
      await append(store, part * 300, 300);
      await eventually(() => handled.length > part * 100);
      if (part === 5) await proxy.refuse(300);
      else proxy.cut();
    }
    const all = Array.from({ length: 3_000 }, (_, number) => number);
    await eventually(() => new Set(handled.map(numberOf)).size === 3_000, 30_000);
    const first = byKey(handled.filter((one, index) => handled.findIndex((other) => other.id === one.id) === index));
    for (let key = 0; key < keysOfLog; key += 1)
      expect(first[`account-key-${key}`]).toEqual(all.filter((number) => number % keysOfLog === key));
  });

  it('comes back when an operator deleted its queue', async () => {
    const world = await worldHere();
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    const server = await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    await onChannel(async (channel) => {
      for (let p = 0; p < partitions; p += 1) await channel.deleteQueue(namesOf(world.namespace).reactions('reader', p));
    });
    await eventually(() => server.subscribed() < partitions);
    await eventually(() => server.subscribed() === partitions);
    await bus.publish(events(40, 10));
    await eventually(() => handled.length === 40);
  });

  it('makes a dead letter of what it cannot read, at once', async () => {
    const world = await worldHere();
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    const names = namesOf(world.namespace);
    await onChannel(async (channel) => {
      const put = (text: string) => channel.publish(names.events, '0.accounts.broken.v1', Buffer.from(text), { messageId: newId(), type: 'accounts.broken.v1' });
      put('{"half":');
      put('{"id":"1"}');
      put('nul \u0000 inside');
    });
    await bus.publish(events(20, 10));
    await eventually(() => handled.length === 20);
    const letters = deadLetters(world.database);
    await eventually(async () => (await letters.list()).length === 3);
    expect((await letters.list()).map(({ reason, error }) => `${reason}: ${error ?? ''}`)).toEqual([
      'malformed: the body is no JSON',
      'malformed: id is not a text',
      'malformed: the body is no JSON',
    ].with(1, 'malformed: type is not a text'));
    await eventually(() => onChannel(async (channel) => (await channel.checkQueue(names.dead)).messageCount === 3));
  });

  it('has one active consumer per partition, and the next one takes over', async () => {
    const world = await worldHere();
    const crash = new AbortController();
    const first = await world.open({ signal: crash.signal });
    const second = await world.open({});
    const handled: PublicEvent[] = [];
    const byFirst: PublicEvent[] = [];
    await world.serve(first, (one) => Promise.resolve(void (byFirst.push(one), handled.push(one))));
    await world.serve(second, (one) => Promise.resolve(void handled.push(one)));
    await second.publish(events(100, 10));
    await eventually(() => handled.length === 100);
    expect(byFirst).toHaveLength(100);
    crash.abort();
    await second.publish(events(100, 10, 100));
    await eventually(() => new Set(handled.map(numberOf)).size === 200);
    expect(byFirst).toHaveLength(100);
  });

  it('keeps what nobody hears in the unrouted queue', async () => {
    const world = await worldHere();
    const bus = await world.open({});
    await bus.publish([event(0, 'a', 'metering.usage-recorded.v1')]);
    expect(await onChannel(async (channel) => (await channel.checkQueue(namesOf(world.namespace).unrouted)).messageCount)).toBe(1);
  });
});
