import type { Channel } from 'amqplib';
import type { Listener } from '../bus';

export type Names = {
  /** Of every name of this installation. */
  readonly prefix: string;
  readonly events: string;
  readonly unrouted: string;
  readonly dead: string;
  readonly reactions: (service: string, partition: number) => string;
};

/** `namespace` keeps installations, or test runs, apart that share a virtual host. */
export const namesOf = (namespace?: string): Names => {
  const prefix = namespace === undefined ? '' : `${namespace}.`;
  return {
    prefix,
    events: `${prefix}billstream.events`,
    unrouted: `${prefix}billstream.unrouted`,
    dead: `${prefix}billstream.dead`,
    reactions: (service, partition) => `${prefix}${service}.reactions.p${partition}`,
  };
};

const quorum = { 'x-queue-type': 'quorum' };

/**
 * RabbitMQ 4 drops a message after 20 deliveries unless told otherwise, and each lost connection counts as a delivery of
 * all that was prefetched. Giving up is decided by the consumer alone; older brokers take no -1 here.
 */
const reactionsArguments = { ...quorum, 'x-single-active-consumer': true, 'x-delivery-limit': 1_000_000 };

const bounded = (messages: number) => ({ ...quorum, 'x-max-length': messages, 'x-overflow': 'drop-head' });

/** The exchanges, and the queues of what nobody hears and of the notices of dead letters; the latter two are bounded. */
export const declareExchanges = async (channel: Channel, names: Names): Promise<void> => {
  await channel.assertExchange(names.unrouted, 'fanout', { durable: true });
  await channel.assertQueue(names.unrouted, { durable: true, arguments: bounded(100_000) });
  await channel.bindQueue(names.unrouted, names.unrouted, '');
  await channel.assertExchange(names.events, 'topic', { durable: true, alternateExchange: names.unrouted });
  await channel.assertExchange(names.dead, 'topic', { durable: true });
  await channel.assertQueue(names.dead, { durable: true, arguments: bounded(10_000) });
  await channel.bindQueue(names.dead, names.dead, '#');
};

/** One partition's queue of one service, and what it hears: `<partition>.<context>.#`. */
export const declareReactions = async (
  channel: Channel,
  names: Names,
  { service, hears }: Listener,
  partition: number,
): Promise<string> => {
  const queue = names.reactions(service, partition);
  await channel.assertQueue(queue, { durable: true, arguments: reactionsArguments });
  for (const context of hears) await channel.bindQueue(queue, names.events, `${partition}.${context}.#`);
  return queue;
};
