import type { Outlet } from '../protocol/calls';
import { readEventOf } from '../protocol/read-answers';
import { message as encodeMessage, messageField, numberField } from '../protocol/wire';
import { idOf, type GroupMessage } from './messages';

export interface Consumer {
  readonly outlet: Outlet;
  readonly slots: number;
  readonly inFlight: Map<string, GroupMessage>;
  /** How long the last messages took, for the extra statistics. */
  readonly latenciesMs: number[];
  total: number;
  readonly since: number;
}

const LATENCIES_MAX = 1_000;

export const newConsumer = (outlet: Outlet, slots: number): Consumer => ({
  outlet,
  slots: Math.max(1, slots),
  inFlight: new Map(),
  latenciesMs: [],
  total: 0,
  since: Date.now(),
});

const hasRoom = (consumer: Consumer): boolean => consumer.inFlight.size < consumer.slots;

const hash = (text: string): number => {
  let value = 0;
  for (let index = 0; index < text.length; index++) value = (Math.imul(value, 31) + text.charCodeAt(index)) >>> 0;
  return value;
};

/** Pinned keeps a stream with one consumer as long as the set of consumers stays the same. */
const pinned = (consumers: readonly Consumer[], message: GroupMessage): Consumer | undefined => {
  const consumer = consumers[hash((message.resolved.event ?? message.source).stream) % consumers.length];
  return consumer && hasRoom(consumer) ? consumer : undefined;
};

export const createChooser = (strategy: string) => {
  let turn = 0;
  return (consumers: readonly Consumer[], message: GroupMessage): Consumer | undefined => {
    if (strategy.startsWith('Pinned')) return pinned(consumers, message);
    if (strategy === 'DispatchToSingle') return consumers.find(hasRoom);
    for (let tried = 0; tried < consumers.length; tried++) {
      const consumer = consumers[turn++ % consumers.length];
      if (consumer && hasRoom(consumer)) return consumer;
    }
    return undefined;
  };
};

export const send = (consumer: Consumer, message: GroupMessage): void => {
  message.sentAtMs = Date.now();
  consumer.inFlight.set(idOf(message), message);
  const event = encodeMessage(readEventOf(message.resolved), numberField(5, message.retries));
  void consumer.outlet.send(messageField(1, event)); // never more than the slots that the consumer asked for
};

/** Takes a message from a consumer that has answered for it. */
export const take = (consumer: Consumer, id: string): GroupMessage | undefined => {
  const message = consumer.inFlight.get(id);
  if (!message) return undefined;
  consumer.inFlight.delete(id);
  consumer.total++;
  consumer.latenciesMs.push(Date.now() - message.sentAtMs);
  if (consumer.latenciesMs.length > LATENCIES_MAX) consumer.latenciesMs.splice(0, LATENCIES_MAX / 2);
  return message;
};
