import type { Outlet } from '../protocol/calls';
import { groupDropped, groupIsFull } from '../protocol/failures';
import type { EventStore } from '../storage/event-store';
import { linkTargetOf, type StoredEvent } from '../storage/stored-event';
import { eventAt, resolve } from '../storage/visibility';
import { createCheckpoints, type Checkpoints } from './checkpoints';
import { createChooser, newConsumer, send, take, type Consumer } from './consumers';
import { park, takeParked } from './group-streams';
import { createIntake } from './intake';
import { idOf, type GroupMessage } from './messages';
import type { GroupDefinition, GroupKey, GroupSettings } from './settings';

export type NackAction = 'park' | 'retry' | 'skip';

export interface GroupSnapshot {
  readonly consumers: readonly Consumer[];
  readonly lastCheckpoint: number | undefined;
  readonly buffered: number;
  readonly retrying: number;
  readonly outstanding: number;
  readonly total: number;
}

export interface Group {
  readonly definition: GroupDefinition;
  /** The last place that a later start of the group may leave out. */
  doneThrough(): number;
  connect(outlet: Outlet, slots: number): Consumer;
  ack(consumer: Consumer, ids: readonly string[]): void;
  nack(consumer: Consumer, ids: readonly string[], action: NackAction, reason: string): void;
  replayParked(stopAt: number): Promise<void>;
  snapshot(): GroupSnapshot;
  stop(reason: 'dropped' | 'closing'): Promise<void>;
}

const SWEEPS_PER_TIMEOUT = 4;
const SWEEP_LONGEST_MS = 1_000;
const SWEEP_SHORTEST_MS = 20;

const sweepEvery = ({ messageTimeoutMs }: GroupSettings): number =>
  Math.min(SWEEP_LONGEST_MS, Math.max(SWEEP_SHORTEST_MS, messageTimeoutMs / SWEEPS_PER_TIMEOUT));

/** Messages that their consumer has had for too long; they are no longer its own. */
const takeLate = (consumer: Consumer, { messageTimeoutMs }: GroupSettings): GroupMessage[] => {
  const latest = Date.now() - messageTimeoutMs;
  const late = [...consumer.inFlight.values()].filter(({ sentAtMs }) => sentAtMs <= latest);
  for (const message of late) consumer.inFlight.delete(idOf(message));
  return late;
};

const replayed = async (
  store: EventStore,
  link: StoredEvent,
  resolveLinks: boolean,
): Promise<GroupMessage | undefined> => {
  const target = linkTargetOf(link);
  const source = target && (await eventAt(store, target.stream, target.revision));
  if (!source) return undefined;
  const resolved = resolveLinks ? await resolve(store, source) : { event: source, link: undefined };
  return { source, resolved, place: undefined, retries: 0, sentAtMs: 0 };
};

interface Retries {
  readonly queue: GroupMessage[];
  /** Puts messages first in line again, or aside when they have had their chances. */
  retry(messages: readonly GroupMessage[], reason: string): void;
  park(message: GroupMessage, reason: string): void;
}

const createRetries = (
  store: EventStore,
  { settings, ...key }: GroupDefinition,
  finish: (message: GroupMessage) => void,
): Retries => {
  const queue: GroupMessage[] = [];
  const parkMessage = (message: GroupMessage, reason: string): void => {
    park(store, key, message.source, reason).then(
      () => finish(message),
      () => queue.push(message), // not parked, so it must not get lost
    );
  };
  return {
    queue,
    park: parkMessage,
    retry: (messages, reason) => {
      const again: GroupMessage[] = [];
      for (const message of messages) {
        message.retries++;
        if (message.retries > settings.retriesMax) parkMessage(message, reason);
        else again.push(message);
      }
      queue.unshift(...again);
    },
  };
};

/** Hands messages out, the retried before the new, and asks for more when few are left. */
const createDelivery = (settings: GroupSettings, queues: readonly GroupMessage[][], readOn: () => void) => {
  const consumers: Consumer[] = [];
  const choose = createChooser(settings.strategy);
  const deliverOne = (): boolean => {
    const queue = queues.find(({ length }) => length > 0);
    const [message] = queue ?? [];
    const consumer = message && consumers.length > 0 ? choose(consumers, message) : undefined;
    if (!queue || !message || !consumer) return false;
    queue.shift();
    send(consumer, message);
    return true;
  };
  const deliver = (): void => {
    while (deliverOne());
    const ready = queues.at(-1)?.length ?? 0;
    if (ready < Math.max(1, settings.readBatchSize) && consumers.length > 0) readOn();
  };
  return { consumers, deliver };
};

/** What becomes of messages that their consumer has answered for. */
const createAnswers = (
  checkpoints: Checkpoints,
  retries: Retries,
  deliver: () => void,
): Pick<Group, 'ack' | 'nack'> => ({
  ack: (consumer, ids) => {
    for (const message of ids.flatMap((id) => take(consumer, id) ?? [])) checkpoints.finish(message);
    deliver();
  },
  nack: (consumer, ids, action, reason) => {
    const messages = ids.flatMap((id) => take(consumer, id) ?? []);
    if (action === 'retry') retries.retry(messages, reason);
    for (const message of messages) {
      if (action === 'park') retries.park(message, reason);
      else if (action === 'skip') checkpoints.finish(message);
    }
    deliver();
  },
});

/**
 * Competing consumers on one source. Reads ahead while somebody listens, hands messages out by the group's strategy,
 * and moves its checkpoint behind the lowest message that is not done. Delivery is at least once.
 */
export const startGroup = (store: EventStore, definition: GroupDefinition): Group => {
  const { settings, stream, group } = definition;
  const key: GroupKey = { stream, group };
  const checkpoints = createCheckpoints(store, key, settings);
  const retries = createRetries(store, definition, checkpoints.finish);
  const intake = createIntake({ store, definition, read: checkpoints.read, found: () => deliver() });
  const { consumers, deliver } = createDelivery(settings, [retries.queue, intake.buffer], intake.readOn);
  let sweeper: NodeJS.Timeout | undefined;

  const sweep = (): void => {
    if (settings.messageTimeoutMs > 0) {
      for (const consumer of consumers) retries.retry(takeLate(consumer, settings), 'message timeout');
    }
    deliver();
  };

  const wake = (): void => {
    sweeper = setInterval(sweep, sweepEvery(settings));
    sweeper.unref();
    checkpoints.start();
  };

  const rest = (): void => {
    clearInterval(sweeper);
    intake.rest();
    checkpoints.rest();
  };

  const disconnect = (consumer: Consumer): void => {
    consumers.splice(consumers.indexOf(consumer), 1);
    const unanswered = [...consumer.inFlight.values()];
    for (const message of unanswered) message.retries++;
    retries.queue.unshift(...unanswered);
    if (consumers.length === 0) rest();
    else deliver();
  };

  return {
    definition,
    doneThrough: () => checkpoints.doneThrough() ?? definition.startAfter,
    connect: (outlet, slots) => {
      if (settings.subscribersMax > 0 && consumers.length >= settings.subscribersMax) throw groupIsFull(key);
      const consumer = newConsumer(outlet, slots);
      if (consumers.push(consumer) === 1) wake();
      outlet.onEnd(() => disconnect(consumer));
      // After the confirmation that the caller sends now.
      setImmediate(deliver);
      return consumer;
    },
    ...createAnswers(checkpoints, retries, deliver),
    replayParked: async (stopAt) => {
      for (const link of await takeParked(store, key, stopAt)) {
        const message = await replayed(store, link, settings.resolveLinks);
        if (message) retries.queue.push(message);
      }
      deliver();
    },
    snapshot: () => ({
      consumers,
      lastCheckpoint: checkpoints.last(),
      buffered: intake.buffer.length,
      retrying: retries.queue.length,
      outstanding: checkpoints.outstanding(),
      total: checkpoints.total(),
    }),
    stop: (reason) => {
      intake.stop();
      retries.queue.length = 0;
      for (const consumer of [...consumers]) if (reason === 'dropped') consumer.outlet.fail(groupDropped(key));
      rest();
      return checkpoints.flush();
    },
  };
};
