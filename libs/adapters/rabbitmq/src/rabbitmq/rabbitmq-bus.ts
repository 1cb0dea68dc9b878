import type { PublicEvent } from '@billstream/event-sourcing';
import type { Logger } from 'pino';
import type { Bus, Consumer, DeadLetterNotice, Fence, Listener } from '../bus';
import { type Report, unreported } from '../measures';
import { fenceMessageType, isFence, partitionOf } from '../message';
import { openConnection } from './connection';
import { rabbitMqConsumer } from './consumer';
import { type Frame, publisher } from './publisher';
import { rabbitMqIntake } from './rabbitmq-intake';
import { declareExchanges, declareReactions, namesOf } from './topology';

export type RabbitMqBusParts = {
  /** amqp:// or amqps:// with credentials and virtual host. */
  readonly url: string;
  /** Whose bus it is: the name of the connections and the application id of its messages. */
  readonly service: string;
  readonly logger: Logger;
  /** Consumers that must not miss a message: their queues are declared before the first one is published. */
  readonly listeners: readonly Listener[];
  readonly partitions?: number;
  /** Unacknowledged messages per partition. */
  readonly prefetch?: number;
  readonly namespace?: string;
  readonly report?: Report;
  readonly confirmTimeoutMs?: number;
  /** Ends the bus as a crash would: nothing is acknowledged any more, every open publish rejects. */
  readonly signal?: AbortSignal;
};

const eventFrame = (event: PublicEvent, partitions: number, appId: string): Frame => ({
  routingKey: `${partitionOf(event.key, partitions)}.${event.type}`,
  body: Buffer.from(JSON.stringify(event)),
  options: {
    persistent: true,
    contentType: 'application/json',
    messageId: event.id,
    type: event.type,
    correlationId: event.correlationId,
    appId,
    headers: {
      'x-tenant': event.tenantId,
      'x-position': event.position,
      'x-stream': event.stream,
      'x-revision': event.revision,
      ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    },
  },
});

const fenceFrames = (fence: Fence, partitions: number, appId: string): readonly Frame[] =>
  Array.from({ length: partitions }, (_, partition) => ({
    routingKey: `${partition}.${fence.context}.fence`,
    body: Buffer.from(JSON.stringify(fence)),
    options: {
      persistent: true,
      contentType: 'application/json',
      messageId: fence.fenceId,
      type: fenceMessageType,
      appId,
    },
  }));

const noticeFrame = (deadLetter: DeadLetterNotice, appId: string): Frame => ({
  routingKey: deadLetter.service,
  body: Buffer.from(JSON.stringify(deadLetter)),
  options: {
    persistent: true,
    contentType: 'application/json',
    messageId: deadLetter.messageId,
    type: 'dead-letter',
    appId,
  },
});

/**
 * The bus over RabbitMQ, on two connections: a broker that blocks publishers (memory, disk) must still take
 * acknowledgements. Resolves without waiting for the broker; it is there when it is there.
 */
export const rabbitMqBus = async (parts: RabbitMqBusParts): Promise<Bus> => {
  const { url, service, logger, listeners, partitions = 4, prefetch = 200, report = unreported } = parts;
  const names = namesOf(parts.namespace);
  const ended = new AbortController();
  const publishing = await openConnection(url, `${service} publishes`, logger);
  const consuming = await openConnection(url, `${service} consumes`, logger);
  const consumers = new Set<Consumer>();

  const out = publisher({
    connection: publishing,
    report,
    logger,
    signal: ended.signal,
    confirmTimeoutMs: parts.confirmTimeoutMs ?? 30_000,
    declare: async (channel) => {
      await declareExchanges(channel, names);
      for (const listener of listeners)
        for (let partition = 0; partition < partitions; partition += 1)
          await declareReactions(channel, names, listener, partition);
    },
  });

  const end = async (): Promise<void> => {
    ended.abort();
    await Promise.all([publishing.close(), consuming.close()]);
  };
  if (parts.signal?.aborted === true) await end();
  parts.signal?.addEventListener('abort', () => void end(), { once: true });

  return {
    partitions,
    publish: (messages) =>
      out.send(
        names.events,
        messages.flatMap((message) =>
          isFence(message) ? fenceFrames(message, partitions, service) : [eventFrame(message, partitions, service)],
        ),
      ),
    consume: (subscription) => {
      const consumer = rabbitMqConsumer(
        { connection: consuming, names, partitions, prefetch, report, logger, signal: ended.signal },
        subscription,
      );
      consumers.add(consumer);
      return {
        ...consumer,
        close: async () => {
          consumers.delete(consumer);
          await consumer.close();
        },
      };
    },
    notice: (deadLetter) => {
      out.send(names.dead, [noticeFrame(deadLetter, service)]).catch((error: unknown) => {
        logger.warn({ err: error }, 'notice of a dead letter was lost; the letter is in the database');
      });
    },
    intake: rabbitMqIntake({ connection: consuming, prefix: names.prefix, logger, signal: ended.signal }),
    connected: () => publishing.usable() && consuming.connected(),
    close: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      await end();
    },
  };
};
