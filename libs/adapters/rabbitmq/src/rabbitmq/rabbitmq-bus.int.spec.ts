import { memoryEventStore, type PublicEvent } from '@billstream/event-sourcing';
import { newId } from '@billstream/kernel';
import { type Channel, connect } from 'amqplib';
import { eventually, hasTestBroker, tcpProxy, testBroker, type TestBroker } from '@billstream/testing';
import { deadLetters } from '../dead-letters';
import { busContract } from '../testing/bus-contract';
import {
  append,
  byKey,
  event,
  events,
  keysOfLog,
  numberOf,
  partitions,
  startRelay,
  useDatabase,
  worldOf,
} from '../testing/bus-world';
import { namesOf } from './topology';

jest.setTimeout(60_000);
useDatabase();

// Jest says nothing of a file in which everything is skipped.
if (!hasTestBroker()) process.stderr.write('SKIPPED the bus over RabbitMQ: TEST_RABBITMQ_URL names no broker\n');

(hasTestBroker() ? describe : describe.skip)('the bus over RabbitMQ', () => {
  let broker: TestBroker;
  const declared: string[] = [];
  beforeAll(async () => {
    broker = await testBroker();
  });
  afterAll(async () => {
    const names = declared.map((namespace) => namesOf(namespace));
    await broker.drop({
      queues: names.flatMap((name) => [
        name.unrouted,
        name.dead,
        ...[0, 1, 2, 3].map((p) => name.reactions('reader', p)),
      ]),
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
  const onChannel = async <T>(work: (channel: Channel) => Promise<T>): Promise<T> => {
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

  busContract(() => broker);

  it('loses nothing and keeps the order while its connections are cut', async () => {
    const world = await worldHere();
    const proxy = await tcpProxy({
      targetPort: Number(new URL(broker.url).port || 5672),
      targetHost: new URL(broker.url).hostname,
    });
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
      for (let p = 0; p < partitions; p += 1)
        await channel.deleteQueue(namesOf(world.namespace).reactions('reader', p));
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
      const put = (text: string) =>
        channel.publish(names.events, '0.accounts.broken.v1', Buffer.from(text), {
          messageId: newId(),
          type: 'accounts.broken.v1',
        });
      put('{"half":');
      put('{"id":"1"}');
      put('nul \u0000 inside');
    });
    await bus.publish(events(20, 10));
    await eventually(() => handled.length === 20);
    const letters = deadLetters(world.database);
    await eventually(async () => (await letters.list()).length === 3);
    expect((await letters.list()).map(({ reason, error }) => `${reason}: ${error ?? ''}`)).toEqual(
      ['malformed: the body is no JSON', 'malformed: id is not a text', 'malformed: the body is no JSON'].with(
        1,
        'malformed: type is not a text',
      ),
    );
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
    expect(
      await onChannel(async (channel) => (await channel.checkQueue(namesOf(world.namespace).unrouted)).messageCount),
    ).toBe(1);
  });
});
