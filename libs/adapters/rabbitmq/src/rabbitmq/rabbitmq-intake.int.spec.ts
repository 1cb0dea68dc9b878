import { silentLogger } from '@billstream/observability';
import { type TestBroker, eventually, hasTestBroker, testBroker } from '@billstream/testing';
import { type ConfirmChannel, connect } from 'amqplib';
import type { IntakeMessage } from '../intake';
import { openConnection } from './connection';
import { rabbitMqIntake } from './rabbitmq-intake';

jest.setTimeout(60_000);
if (!hasTestBroker()) process.stderr.write('SKIPPED the intake over RabbitMQ: TEST_RABBITMQ_URL names no broker\n');

(hasTestBroker() ? describe : describe.skip)('the intake over RabbitMQ', () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await testBroker();
  });
  const names = () => ({ exchange: `${broker.namespace}.in`, answers: `${broker.namespace}.out` });
  afterAll(() => {
    const all = Object.values(names());
    return broker.drop({ queues: all, exchanges: all });
  });
  const opened = async (take: (message: IntakeMessage) => Promise<object | null>) => {
    const connection = await openConnection(broker.url, 'intake spec', silentLogger());
    const [orderly, crash] = [new AbortController(), new AbortController()];
    const parts = { connection, prefix: `${broker.namespace}.`, logger: silentLogger(), signal: crash.signal };
    const done = rabbitMqIntake(parts)({ exchange: 'in', answers: 'out', prefetch: 10, take, signal: orderly.signal });
    return {
      stop: async (): Promise<void> => {
        orderly.abort();
        await done;
        await connection.close();
      },
      crash: async (): Promise<void> => {
        crash.abort();
        await connection.close();
        await done;
      },
    };
  };
  const onChannel = async <T>(work: (channel: ConfirmChannel) => Promise<T>): Promise<T> => {
    const connection = await connect(broker.url);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      return await work(channel);
    } finally {
      await connection.close();
    }
  };
  /** Messages that wait in a queue; -1: there is no such queue. */
  const waiting = (queue: string): Promise<number> =>
    onChannel((channel) => channel.checkQueue(queue)).then(
      ({ messageCount }) => messageCount,
      () => -1,
    );
  const publish = (body: string, options: object = {}) =>
    onChannel(async (channel) => {
      channel.publish(names().exchange, 'tenant.unit', Buffer.from(body), { persistent: true, ...options });
      await channel.waitForConfirms();
    });
  const answersIn = (queue: string) =>
    onChannel(async (channel) => {
      const found: string[] = [];
      for (let one = await channel.get(queue); one !== false; one = await channel.get(queue)) {
        found.push(`${String(one.properties.correlationId)} ${one.content.toString()}`);
        channel.ack(one);
      }
      return found;
    });

  it('acknowledges what was taken, answers what its sender is told of, and gives back what was not taken', async () => {
    const seen: string[] = [];
    let fails = true;
    const intake = await opened((message) => {
      const text = message.content.toString();
      seen.push(`${message.routingKey} ${message.messageId ?? ''} ${text}`);
      if (text === 'later' && fails) {
        fails = false;
        return Promise.reject(new Error('not durable'));
      }
      return Promise.resolve(text === 'bad' ? { told: text } : null);
    });
    await eventually(async () => (await waiting(names().answers)) === 0);
    const replies = await onChannel(async (channel) => {
      const { queue } = await channel.assertQueue(`${broker.namespace}.replies`, { durable: true });
      return queue;
    });
    await publish('good', { messageId: 'm1' });
    await publish('bad', { correlationId: 'c1', replyTo: replies });
    await publish('later');
    await eventually(() => seen.filter((one) => one.endsWith('later')).length === 2);
    await intake.stop();
    expect(seen).toEqual(expect.arrayContaining(['tenant.unit m1 good', 'tenant.unit  bad']));
    expect(await answersIn(names().answers)).toEqual(['c1 {"told":"bad"}']);
    expect(await answersIn(replies)).toEqual(['c1 {"told":"bad"}']);
    expect(await waiting(names().exchange)).toBe(0);
    await onChannel((channel) => channel.deleteQueue(replies));
  });

  it('gives what a process had taken when it died to the next one', async () => {
    const taken: string[] = [];
    const first = await opened((message) => {
      taken.push(message.content.toString());
      return new Promise(() => undefined);
    });
    await publish('taken by one that dies');
    await eventually(() => taken.length === 1);
    await first.crash();
    const seen: string[] = [];
    const second = await opened((message) => {
      seen.push(message.content.toString());
      return Promise.resolve(null);
    });
    await eventually(() => seen.length === 1);
    expect(seen).toEqual(taken);
    await second.stop();
  });
});
