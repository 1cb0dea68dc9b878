import type { EventStore, SubscribeOptions, SubscriptionPage } from './event-store';
import { roughBytes } from './folded-streams';
import type { RecordedEvent } from './message';

/** Pages of the shared subscription; more than that at once is history, which everybody reads alone. */
const sharedPageSize = 1_000;
/** A reader that lets so much of its events wait reads alone again. The end of a month lets a few thousand wait. */
const waitingBytesMax = 8 * 2 ** 20;

type Reader = Pick<SubscribeOptions, 'prefixes' | 'pageSize'>;

/** What the shared subscription has brought for one reader and the reader has not taken yet. */
const openSeat = ({ prefixes, pageSize = sharedPageSize }: Reader, from: bigint) => {
  let events: RecordedEvent[] = [];
  let bytes = 0;
  let end: Omit<SubscriptionPage, 'events'> | null = null;
  let isLost = false;
  let wake: (() => void) | undefined;
  const lose = (): void => {
    [isLost, events, end] = [true, [], null];
    wake?.();
  };
  return {
    prefixes,
    /** From behind this position on it gets everything. */
    from,
    isLost: (): boolean => isLost,
    lose,
    give: ({ events: all, position, caughtUp }: SubscriptionPage, bytesOf: (event: RecordedEvent) => number): void => {
      if (isLost) return;
      for (const event of all) {
        if (!prefixes.some((prefix) => event.stream.startsWith(prefix))) continue;
        events.push(event);
        bytes += bytesOf(event);
      }
      end = { position, caughtUp };
      if (bytes > waitingBytesMax) lose();
      else wake?.();
    },
    /** The next page, at most as large as the reader wants it; null once it is lost or the signal has aborted. */
    next: async (signal: AbortSignal): Promise<SubscriptionPage | null> => {
      while (end === null && !isLost && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      const last = end;
      if (last === null || signal.aborted) return null;
      if (events.length > pageSize) {
        const page = events.splice(0, pageSize);
        bytes = (bytes * events.length) / (events.length + pageSize);
        return { events: page, position: page.at(-1)?.position ?? from, caughtUp: false };
      }
      const page = events;
      [events, bytes, end] = [[], 0, null];
      return { events: page, ...last };
    },
    wake: (): void => wake?.(),
  };
};
type Seat = ReturnType<typeof openSeat>;

/** One subscription for all that have a seat. */
const sharedFeed = (store: EventStore) => {
  const seats = new Set<Seat>();
  let covered: ReadonlySet<string> = new Set();
  let position = -1n;
  let running: AbortController | null = null;

  const give = (page: SubscriptionPage): void => {
    if (page.position > position) ({ position } = page);
    const known = new Map<RecordedEvent, number>();
    const bytesOf = (event: RecordedEvent): number => {
      const bytes = known.get(event) ?? roughBytes(event.data);
      known.set(event, bytes);
      return bytes;
    };
    for (const seat of seats) seat.give(page, bytesOf);
  };
  const run = async ({ signal }: AbortController): Promise<void> => {
    const after = position < 0n ? null : position;
    const asked = { after, prefixes: [...covered], pageSize: sharedPageSize, signal };
    for await (const page of store.subscribe(asked)) {
      if (signal.aborted) return;
      give(page);
    }
  };
  const stop = (): void => {
    running?.abort();
    running = null;
  };
  const start = (): void => {
    stop();
    const controller = new AbortController();
    running = controller;
    const over = (): void => {
      if (running !== controller) return;
      running = null;
      for (const seat of seats) seat.lose();
    };
    run(controller).then(over, over);
  };
  return {
    join: (reader: Reader, at: bigint): Seat => {
      if (running === null) [position, covered] = [at, new Set()];
      const seat = openSeat(reader, position);
      seats.add(seat);
      if (running !== null && reader.prefixes.every((prefix) => covered.has(prefix))) return seat;
      covered = new Set([...seats].flatMap(({ prefixes }) => prefixes));
      start();
      return seat;
    },
    leave: (seat: Seat): void => {
      seats.delete(seat);
      if (seats.size === 0) stop();
    },
  };
};
type Feed = ReturnType<typeof sharedFeed>;

/** Reads alone until it has caught up and stands where its seat begins; gives the seat, or null at the end of the signal. */
async function* alone(
  { store, feed }: { readonly store: EventStore; readonly feed: Feed },
  options: SubscribeOptions,
  taken: (position: bigint) => void,
): AsyncGenerator<SubscriptionPage, Seat | null> {
  const own = new AbortController();
  const end = (): void => own.abort();
  options.signal.addEventListener('abort', end, { once: true });
  let seat: Seat | null = null;
  let isSeated = false;
  try {
    for await (const page of store.subscribe({ ...options, signal: own.signal })) {
      taken(page.position);
      yield page;
      if (options.signal.aborted) return null;
      if (seat?.isLost() === true) {
        feed.leave(seat);
        seat = null;
      }
      if (page.caughtUp) seat ??= feed.join(options, page.position);
      if (seat === null || page.position < seat.from) continue;
      isSeated = true;
      return seat;
    }
    return null;
  } finally {
    options.signal.removeEventListener('abort', end);
    own.abort();
    if (seat !== null && !isSeated) feed.leave(seat);
  }
}

async function* seated(
  feed: Feed,
  seat: Seat,
  { signal, after }: Pick<SubscribeOptions, 'signal' | 'after'>,
): AsyncGenerator<SubscriptionPage, void> {
  signal.addEventListener('abort', seat.wake, { once: true });
  try {
    for (let page = await seat.next(signal); page !== null; page = await seat.next(signal)) {
      // What it read alone since its seat was kept for it.
      const events = after === null ? page.events : page.events.filter(({ position }) => position > after);
      if (after === null || page.position >= after) yield { ...page, events };
      if (signal.aborted) return;
    }
  } finally {
    signal.removeEventListener('abort', seat.wake);
    feed.leave(seat);
  }
}

/**
 * The store, with one subscription for all readers of a process that are up to date: each event is received and decoded
 * once, where a service's read models and its relay, and all services of one process, received it once each. Every reader
 * keeps its own position and its own pace. One that reads history, or lets too much wait, has a subscription of its own
 * until it has caught up, so that nobody waits for it and nothing is held for it without a bound. Events are shared: a
 * reader changes none.
 */
export const sharingSubscriptions = <Store extends EventStore>(store: Store): Store => {
  const feed = sharedFeed(store);
  return {
    ...store,
    async *subscribe(options: SubscribeOptions) {
      let { after } = options;
      const taken = (position: bigint): void => {
        if (position > (after ?? -1n)) after = position;
      };
      while (!options.signal.aborted) {
        const seat: Seat | null = yield* alone({ store, feed }, { ...options, after }, taken);
        if (seat === null) return;
        for await (const page of seated(feed, seat, { signal: options.signal, after })) {
          taken(page.position);
          yield page;
        }
      }
    },
  };
};
