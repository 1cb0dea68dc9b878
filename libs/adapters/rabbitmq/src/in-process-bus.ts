import type { PublicEvent } from '@billstream/event-sourcing';
import { type Bus, type Consumer, type Fence, type Lane, type Listener, PublishFailed, type Subscription } from './bus';
import { type Report, unreported } from './measures';
import { contextOf, type Incoming, isFence, partitionOf } from './message';

export type InProcessBusParts = {
  readonly partitions?: number;
  /** Consumers of this process: messages wait for those that have not subscribed yet, and fail for those that have left. */
  readonly listeners: readonly Listener[];
  readonly report?: Report;
  /** Ends the bus as a crash would: nothing is finished, every open publish rejects. */
  readonly signal?: AbortSignal;
};

/** One page of messages on its way; it is over when each consumer has settled each of them, or one of them cannot. */
type Page = { open: number; readonly resolve: () => void; readonly reject: (error: Error) => void };

const openPages = () => {
  const pages = new Set<Page>();
  const settle = (settled: readonly Page[]): void => {
    for (const page of settled) {
      page.open -= 1;
      if (page.open > 0) continue;
      pages.delete(page);
      page.resolve();
    }
  };
  return {
    settle,
    /** Resolves once all that `hand` counted into the page's `open` is settled. */
    open: (hand: (page: Page) => void): Promise<void> =>
      new Promise((resolve, reject) => {
        const page: Page = { open: 1, resolve, reject };
        pages.add(page);
        hand(page);
        settle([page]);
      }),
    fail: (why: string): void => {
      for (const page of pages) page.reject(new PublishFailed(why));
      pages.clear();
    },
  };
};

/** Those who wait until somebody subscribes. */
const arrivals = () => {
  const waiting = new Set<() => void>();
  return {
    wait: (): Promise<void> => new Promise((resolve) => waiting.add(resolve)),
    wake: (): void => {
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
  };
};

type Subscriber = { readonly hears: ReadonlySet<string>; readonly lanes: readonly Lane<Page>[] };

/** The message as it would come out of the wire: a copy, so that no consumer can change what another one reads. */
const copied = (message: PublicEvent | Fence): Incoming => {
  if (isFence(message)) return { kind: 'fence', fence: { ...message } };
  const event: PublicEvent = structuredClone(message);
  return { kind: 'event', event };
};

const contextOfMessage = (message: PublicEvent | Fence): string =>
  isFence(message) ? message.context : contextOf(message.type);

type Subscribers = ReadonlyMap<string, Subscriber>;

/** Listeners to one of these contexts that have not subscribed. */
const absentOf = (
  listeners: readonly Listener[],
  subscribers: Subscribers,
  contexts: ReadonlySet<string>,
): readonly string[] =>
  listeners
    .filter(({ service, hears }) => !subscribers.has(service) && hears.some((context) => contexts.has(context)))
    .map(({ service }) => service);

type Audience = { readonly subscribers: Subscribers; readonly partitions: number };

/** Gives each message to the lanes that it is for; the page stays open until all of them have settled it. */
const hand = (messages: readonly (PublicEvent | Fence)[], page: Page, { subscribers, partitions }: Audience): void => {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  for (const message of messages) {
    const places = isFence(message) ? all : [partitionOf(message.key, partitions)];
    for (const { hears, lanes } of subscribers.values()) {
      if (!hears.has(contextOfMessage(message))) continue;
      for (const lane of places.flatMap((place) => lanes[place] ?? [])) {
        page.open += 1;
        lane.take({ incoming: copied(message), redelivered: false, receipt: page });
      }
    }
  }
};

/**
 * The bus inside one process. It holds nothing: `publish` resolves when every consumer has committed, so the relay's
 * checkpoint never passes a message that a killed process had not handled.
 */
export const inProcessBus = ({ partitions = 4, listeners, report = unreported, signal }: InProcessBusParts): Bus => {
  const subscribers = new Map<string, Subscriber>();
  const left = new Set<string>();
  const pages = openPages();
  const arrived = arrivals();
  let closed = signal?.aborted ?? false;
  const fail = (why: string): void => {
    pages.fail(why);
    arrived.wake();
  };
  const all = Array.from({ length: partitions }, (_, partition) => partition);

  const stopAll = async (how: 'drain' | 'drop'): Promise<void> => {
    closed = true;
    const lanes = [...subscribers.values()].flatMap((subscriber) => subscriber.lanes);
    subscribers.clear();
    const stopped = Promise.all(lanes.map((lane) => lane.stop(how)));
    if (how === 'drop') fail('the bus was ended');
    await stopped;
    fail('the bus was closed');
  };
  signal?.addEventListener('abort', () => void stopAll('drop'), { once: true });

  const missing = (contexts: ReadonlySet<string>): readonly string[] => absentOf(listeners, subscribers, contexts);

  /** Those who are still to come are waited for. Who has left may never come back, and the caller may want to end too. */
  const everybodyThere = async (contexts: ReadonlySet<string>): Promise<void> => {
    for (let absent = missing(contexts); !closed && absent.length > 0; absent = missing(contexts)) {
      const gone = absent.find((service) => left.has(service));
      if (gone !== undefined) throw new PublishFailed(`${gone} consumes no longer`);
      await arrived.wait();
    }
    if (closed) throw new PublishFailed('the bus was closed');
  };

  return {
    partitions,
    publish: async (messages) => {
      if (messages.length === 0) return;
      const started = performance.now();
      const contexts = new Set(messages.map(contextOfMessage));
      await everybodyThere(contexts);
      report({ kind: 'published', messages: messages.length });
      await pages.open((page) => hand(messages, page, { subscribers, partitions }));
      report({ kind: 'confirmed', messages: messages.length, ms: performance.now() - started });
    },
    consume: ({ service, hears, open }: Subscription): Consumer => {
      if (closed) throw new PublishFailed('the bus was closed');
      if (subscribers.has(service)) throw new Error(`${service} consumes already`);
      const subscriber = { hears: new Set(hears), lanes: all.map((partition) => open<Page>(partition, pages.settle)) };
      subscribers.set(service, subscriber);
      left.delete(service);
      report({ kind: 'subscribed', service, partitions });
      arrived.wake();
      const there = (): boolean => subscribers.get(service) === subscriber;
      return {
        ready: Promise.resolve(),
        subscribed: () => (there() ? partitions : 0),
        close: async () => {
          if (there()) {
            subscribers.delete(service);
            left.add(service);
          }
          await Promise.all(subscriber.lanes.map((lane) => lane.stop('drain')));
          fail(`${service} consumes no longer`);
        },
      };
    },
    notice: () => undefined,
    connected: () => !closed,
    close: () => stopAll('drain'),
  };
};
