import { setMaxListeners } from 'node:events';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from 'pino';
import { backOffMs, hasEnded, pause, unlessAborted } from '../back-off';
import { type Consumer, type Lane, PublishFailed, type Subscription } from '../bus';
import type { Report } from '../measures';
import { parseMessage } from '../message';
import type { Connection } from './connection';
import { declareExchanges, declareReactions, type Names } from './topology';

export type ConsumerParts = {
  readonly connection: Connection;
  readonly names: Names;
  readonly partitions: number;
  readonly prefetch: number;
  readonly report: Report;
  readonly logger: Logger;
  /** Aborts as a crash would: nothing is acknowledged any more. */
  readonly signal: AbortSignal;
};

type Shared = ConsumerParts & {
  readonly subscription: Subscription;
  /** Aborts when the consumer is closed in an orderly way. */
  readonly closing: AbortSignal;
  readonly up: (partition: number, is: boolean) => void;
};

/** One channel per partition: acknowledging "up to here" then means this partition, and a lost channel stops no other. */
export const rabbitMqConsumer = (parts: ConsumerParts, subscription: Subscription): Consumer => {
  const closing = new AbortController();
  setMaxListeners(0, closing.signal, parts.signal);
  const subscribed = new Set<number>();
  let allUp: () => void = () => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    allUp = resolve;
    AbortSignal.any([closing.signal, parts.signal]).addEventListener('abort', () =>
      reject(new PublishFailed('the consumer was closed')),
    );
  });
  ready.catch(() => undefined);
  const up = (partition: number, is: boolean): void => {
    if (is) subscribed.add(partition);
    else subscribed.delete(partition);
    parts.report({ kind: 'subscribed', service: subscription.service, partitions: subscribed.size });
    if (subscribed.size === parts.partitions) allUp();
  };
  const shared: Shared = { ...parts, subscription, closing: closing.signal, up };
  const loops = Array.from({ length: parts.partitions }, (_, partition) => consumePartition(shared, partition));
  return {
    ready,
    subscribed: () => subscribed.size,
    close: async () => {
      closing.abort();
      await Promise.all(loops);
    },
  };
};

/** A cancelled consumer, a closed channel and a lost connection all lead here: subscribe again, after a pause. */
const consumePartition = async (shared: Shared, partition: number): Promise<void> => {
  const { connection, logger, subscription } = shared;
  const either = AbortSignal.any([shared.signal, shared.closing]);
  const facts = { service: subscription.service, partition };
  for (let failures = 0; !either.aborted; failures += 1) {
    let channel: Channel | null = null;
    try {
      channel = await unlessAborted(connection.model.createChannel(), either, () => null);
      if (!channel) return;
      const why = await consumeUntilLost(shared, partition, channel);
      failures = 0;
      if (!hasEnded(either)) logger.warn({ ...facts, why }, 'subscription lost, subscribing again');
    } catch (error) {
      if (!hasEnded(either) && connection.connected() && failures === 0)
        logger.error({ ...facts, err: error }, 'cannot subscribe, will try again');
    } finally {
      channel?.close().catch(() => undefined);
    }
    await pause(backOffMs(failures), either);
  }
};

const consumeUntilLost = async (shared: Shared, partition: number, channel: Channel): Promise<string> => {
  const { names, subscription, closing, signal, prefetch, up } = shared;
  const either = AbortSignal.any([signal, closing]);
  const lost = new Promise<string>((resolve) => {
    channel.on('error', (error) => resolve(error.message));
    channel.on('close', () => resolve('channel closed'));
    channel.on('cancel', () => resolve('cancelled by the broker'));
  });
  await channel.prefetch(prefetch);
  await declareExchanges(channel, names);
  const queue = await declareReactions(channel, names, subscription, partition);
  let cancelled: (why: string) => void = () => undefined;
  const nulled = new Promise<string>((resolve) => (cancelled = resolve));
  const lane = subscription.open<ConsumeMessage>(partition, (settled) => {
    const last = settled.at(-1);
    if (last) acknowledge(channel, last);
  });
  try {
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message) deliver(lane, message);
      else cancelled('queue deleted or consumer cancelled');
    });
    up(partition, true);
    const why = await unlessAborted(Promise.race([lost, nulled]), either, () => 'closed');
    if (closing.aborted && !signal.aborted) {
      await channel.cancel(consumerTag).catch(() => undefined);
      await lane.stop('drain');
    }
    return why;
  } finally {
    up(partition, false);
    await lane.stop('drop');
  }
};

/** The channel may have died since the message came; then the broker gives it to us again and the inbox knows it. */
const acknowledge = (channel: Channel, last: ConsumeMessage): void => {
  try {
    channel.ack(last, true);
  } catch {
    // IllegalOperationError: the channel is closed, which its 'close' event says too.
  }
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const deliver = (lane: Lane<ConsumeMessage>, message: ConsumeMessage): void => {
  const { properties, fields, content } = message;
  const incoming = parseMessage(
    textOf(properties.type) ?? fields.routingKey,
    textOf(properties.messageId),
    content.toString('utf8'),
  );
  lane.take({ incoming, redelivered: fields.redelivered, receipt: message });
};
