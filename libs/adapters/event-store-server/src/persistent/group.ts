import type { Outlet } from '../protocol/calls';
import { groupDropped, groupIsFull } from '../protocol/failures';
import { followAll, followStream, type Following } from '../protocol/subscription';
import type { EventStore } from '../storage/event-store';
import { ALL } from '../storage/head';
import { linkTargetOf, type StoredEvent } from '../storage/stored-event';
import { eventAt, resolve } from '../storage/visibility';
import { createChooser, newConsumer, send, take, type Consumer } from './consumers';
import { isBookkeeping, park, saveCheckpoint, takeParked } from './group-streams';
import { createOutstanding, idOf, type GroupMessage } from './messages';
import { filterOf, type GroupKey, type GroupSettings } from './settings';

export interface GroupDefinition extends GroupKey {
  readonly settings: GroupSettings;
  readonly filter: string | undefined;
  /** The last place that is done with, when the group starts; -1 (0 in the whole log) is none. */
  readonly startAfter: number;
}

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

const follow = (store: EventStore, { stream, startAfter }: GroupDefinition): Following =>
  stream === ALL ? followAll(store, startAfter) : followStream(store, stream, startAfter < 0 ? 'start' : startAfter);

/**
 * Competing consumers on one source. Reads ahead while somebody listens, hands messages out by the group's strategy,
 * and moves its checkpoint behind the lowest message that is not done. Delivery is at least once.
 */
export const startGroup = (store: EventStore, definition: GroupDefinition): Group => {
  const { settings, stream } = definition;
  const key: GroupKey = { stream, group: definition.group };
  const filter = filterOf(definition.filter);
  const following = follow(store, definition);
  const outstanding = createOutstanding();
  const choose = createChooser(settings.strategy);
  const consumers: Consumer[] = [];
  const retrying: GroupMessage[] = [];
  let buffer: GroupMessage[] = [];
  let lastCheckpoint: number | undefined;
  let doneSinceCheckpoint = 0;
  let total = 0;
  let reading = false;
  let stopped = false;
  let withdraw: (() => void) | undefined;
  let sweeper: NodeJS.Timeout | undefined;
  let checkpointing: Promise<void> = Promise.resolve();

  const deliver = (): void => {
    for (;;) {
      const queue = retrying.length > 0 ? retrying : buffer;
      const [message] = queue;
      const consumer = message && consumers.length > 0 ? choose(consumers, message) : undefined;
      if (!message || !consumer) break;
      queue.shift();
      send(consumer, message);
    }
    if (buffer.length < settings.readBatchSize && consumers.length > 0) readOn();
  };

  const readOn = (): void => {
    if (reading || stopped) return;
    reading = true;
    readPage().then(
      (found) => {
        reading = false;
        if (found) deliver();
      },
      () => {
        reading = false; // the log is away; the sweeper tries again
      },
    );
  };

  const readPage = async (): Promise<boolean> => {
    withdraw?.();
    const page = await following.next();
    for (const event of page) await accept(event);
    if (page.length === 0 && !stopped) withdraw = store.head.onCommit(following.wakeOn, readOn);
    return page.length > 0;
  };

  const accept = async (event: StoredEvent): Promise<void> => {
    const place = stream === ALL ? event.position : event.revision;
    const wanted = (stream !== ALL || !isBookkeeping(event.stream)) && (filter?.matches(event) ?? true);
    outstanding.read(place, wanted);
    if (!wanted) return;
    const resolved = settings.resolveLinks ? await resolve(store, event) : { event, link: undefined };
    buffer.push({ source: event, resolved, place, retries: 0, sentAtMs: 0 });
  };

  const finish = (message: GroupMessage): void => {
    total++;
    if (!outstanding.finish(message)) return;
    doneSinceCheckpoint++;
    if (doneSinceCheckpoint >= Math.max(1, settings.checkpointMax)) checkpoint();
  };

  const checkpoint = (): void => {
    const place = outstanding.checkpoint();
    doneSinceCheckpoint = 0;
    if (place === undefined || place < 0 || place === lastCheckpoint) return;
    lastCheckpoint = place;
    // One after the other; a checkpoint that could not be written is made good by the next.
    checkpointing = checkpointing.then(() => saveCheckpoint(store, key, place)).catch(() => undefined);
  };

  const parkMessage = (message: GroupMessage, reason: string): void => {
    park(store, key, message.source, reason).then(
      () => finish(message),
      () => retrying.push(message),
    );
  };

  const retry = (messages: readonly GroupMessage[], reason: string): void => {
    const again: GroupMessage[] = [];
    for (const message of messages) {
      message.retries++;
      if (message.retries > settings.retriesMax) parkMessage(message, reason);
      else again.push(message);
    }
    retrying.unshift(...again);
  };

  const disconnect = (consumer: Consumer): void => {
    const index = consumers.indexOf(consumer);
    if (index < 0) return;
    consumers.splice(index, 1);
    const unanswered = [...consumer.inFlight.values()];
    for (const message of unanswered) message.retries++;
    retrying.unshift(...unanswered);
    if (consumers.length === 0) rest();
    else deliver();
  };

  const rest = (): void => {
    clearInterval(sweeper);
    sweeper = undefined;
    withdraw?.();
    clearTimeout(checkpointTimer);
    if (doneSinceCheckpoint >= settings.checkpointMin) checkpoint();
  };

  let checkpointTimer: NodeJS.Timeout | undefined;
  const scheduleCheckpoint = (): void => {
    checkpointTimer = setTimeout(() => {
      if (doneSinceCheckpoint >= Math.max(1, settings.checkpointMin)) checkpoint();
      if (consumers.length > 0) scheduleCheckpoint();
    }, settings.checkpointAfterMs);
    checkpointTimer.unref();
  };

  const sweep = (): void => {
    const latest = Date.now() - settings.messageTimeoutMs;
    for (const consumer of consumers) {
      const late = [...consumer.inFlight.values()].filter(({ sentAtMs }) => sentAtMs <= latest);
      for (const message of late) consumer.inFlight.delete(idOf(message));
      if (settings.messageTimeoutMs > 0) retry(late, 'message timeout');
    }
    deliver();
  };

  const wake = (): void => {
    const every = Math.min(
      SWEEP_LONGEST_MS,
      Math.max(SWEEP_SHORTEST_MS, settings.messageTimeoutMs / SWEEPS_PER_TIMEOUT),
    );
    sweeper = setInterval(sweep, every);
    sweeper.unref();
    scheduleCheckpoint();
  };

  return {
    definition,
    doneThrough: () => outstanding.checkpoint() ?? definition.startAfter,
    connect: (outlet, slots) => {
      if (settings.subscribersMax > 0 && consumers.length >= settings.subscribersMax) throw groupIsFull(key);
      const consumer = newConsumer(outlet, slots);
      consumers.push(consumer);
      if (consumers.length === 1) wake();
      outlet.onEnd(() => disconnect(consumer));
      // After the confirmation that the caller sends now.
      setImmediate(deliver);
      return consumer;
    },
    ack: (consumer, ids) => {
      for (const id of ids) {
        const message = take(consumer, id);
        if (message) finish(message);
      }
      deliver();
    },
    nack: (consumer, ids, action, reason) => {
      const messages = ids.flatMap((id) => take(consumer, id) ?? []);
      if (action === 'retry') retry(messages, reason);
      for (const message of messages) {
        if (action === 'park') parkMessage(message, reason);
        else if (action === 'skip') finish(message);
      }
      deliver();
    },
    replayParked: async (stopAt) => {
      for (const link of await takeParked(store, key, stopAt)) {
        const target = linkTargetOf(link);
        const source = target && (await eventAt(store, target.stream, target.revision));
        if (!source) continue;
        const resolved = settings.resolveLinks ? await resolve(store, source) : { event: source, link: undefined };
        retrying.push({ source, resolved, place: undefined, retries: 0, sentAtMs: 0 });
      }
      deliver();
    },
    snapshot: () => ({
      consumers,
      lastCheckpoint,
      buffered: buffer.length,
      retrying: retrying.length,
      outstanding: outstanding.count(),
      total,
    }),
    stop: async (reason) => {
      stopped = true;
      for (const consumer of [...consumers]) if (reason === 'dropped') consumer.outlet.fail(groupDropped(key));
      rest();
      buffer = [];
      if (doneSinceCheckpoint > 0) checkpoint();
      await checkpointing;
    },
  };
};
