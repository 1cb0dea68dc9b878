import { randomUUID } from 'node:crypto';
import type { EventStore } from '../storage/event-store';
import { ALL } from '../storage/head';
import type { StoredEvent } from '../storage/stored-event';
import { createReadAhead } from '../storage/read-ahead';
import { floorOf, isDeleted, type StreamState } from '../storage/stream-state';
import { isFresh } from '../storage/visibility';
import type { Outlet } from './calls';
import { invalidArgument, streamDeleted } from './failures';
import { caughtUpAnswer, checkpointAnswer, confirmation } from './read-answers';
import type { ReadRequest } from './read-request';
import { sendEvent } from './send-event';

type Page = readonly StoredEvent[];

/** A place in the log or in a stream. There is no buffer of live events: whoever is behind reads on from its place. */
export interface Following {
  /** Which commits concern it. */
  readonly wakeOn: string;
  readonly next: () => Promise<Page>;
  /** Whether there is something to read now. To be asked after a wake-up was ordered, lest one be missed. */
  readonly isBehind: () => boolean;
}

const PAGE = 500;

/** Subscriptions start after the given position; a position ahead of the log belongs to some other log. */
export const followAll = (store: EventStore, from: ReadRequest['from']): Following => {
  const last = store.head.lastPosition();
  if (typeof from === 'number' && from > last) throw invalidArgument(`position ${from} is beyond the end of the log`);
  let position = from === 'start' ? 1 : (from === 'end' ? last : from) + 1;
  const fetch = createReadAhead(
    (start) => store.allPage({ from: start, limit: PAGE, backwards: false }),
    (page) => (page.at(-1)?.position ?? 0) + 1,
  );
  return {
    wakeOn: ALL,
    isBehind: () => position <= store.head.lastPosition(),
    next: async () => {
      const page = await fetch(position);
      position = (page.at(-1)?.position ?? position - 1) + 1;
      return page;
    },
  };
};

export const followStream = (store: EventStore, stream: string, from: ReadRequest['from']): Following => {
  const end = store.head.stream(stream)?.next ?? 0;
  let revision = from === 'start' ? 0 : from === 'end' ? end : from + 1;
  const visible = (): StreamState | undefined => {
    const state = store.head.stream(stream);
    return state && !isDeleted(state.retention) ? state : undefined;
  };
  const fetch = createReadAhead(
    (start) => {
      const state = visible();
      return state ? store.streamPage(state, { from: start, limit: PAGE, backwards: false }) : [];
    },
    (page) => (page.at(-1)?.revision ?? 0) + 1,
  );
  const next = async (): Promise<Page> => {
    const state = visible();
    if (!state) return [];
    revision = Math.max(revision, floorOf(state));
    const page = await fetch(revision);
    revision = (page.at(-1)?.revision ?? revision - 1) + 1;
    const nowMs = Date.now();
    const fresh = page.filter((event) => isFresh(state, event, nowMs));
    return fresh.length > 0 || page.length === 0 ? fresh : next();
  };
  return { wakeOn: stream, next, isBehind: () => revision < (visible()?.next ?? 0) };
};

/** How to wait until something was committed there, or the call has ended. */
const createWait = (parts: SubscriptionParts, following: Following): (() => Promise<void>) => {
  let stop = (): void => undefined;
  // Once for the whole call: a subscription waits as often as something is committed.
  parts.outlet.onEnd(() => stop());
  return () =>
    new Promise((resolve) => {
      const withdraw = parts.store.head.onCommit(following.wakeOn, resolve);
      stop = () => {
        withdraw();
        resolve();
      };
      // Something may have come between the look at the end of the log and this order to be woken.
      if (following.isBehind() || isClosed(parts) || !parts.outlet.isOpen()) stop();
    });
};

/** A tombstone is no event that a subscription is sent; it ends it. */
const isClosed = ({ store, request: { stream } }: SubscriptionParts): boolean =>
  stream !== undefined && store.head.stream(stream)?.tombstoned === true;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Progress {
  considered: number;
  position: number;
}

const sendPage = async (
  { store, outlet, request }: SubscriptionParts,
  page: Page,
  progress: Progress,
): Promise<void> => {
  const { filter } = request;
  for (const event of page) {
    if (!outlet.isOpen()) return;
    progress.position = event.position;
    if (!filter || filter.matches(event)) {
      const wait = sendEvent(store, outlet, event, request.resolveLinks);
      if (wait) await wait;
    }
    if (filter && ++progress.considered % filter.checkpointEvery === 0) {
      await outlet.send(checkpointAnswer(progress.position));
    }
  }
};

interface SubscriptionParts {
  readonly store: EventStore;
  readonly outlet: Outlet;
  readonly request: ReadRequest;
}

const announceLive = async ({ outlet, request }: SubscriptionParts, progress: Progress): Promise<void> => {
  if (request.filter && progress.position > 0) await outlet.send(checkpointAnswer(progress.position));
  await outlet.send(caughtUpAnswer());
};

export const subscribe = async (store: EventStore, outlet: Outlet, request: ReadRequest): Promise<void> => {
  const { stream, from } = request;
  const following = stream === undefined ? followAll(store, from) : followStream(store, stream, from);
  const parts = { store, outlet, request };
  const progress: Progress = { considered: 0, position: 0 };
  const wait = createWait(parts, following);
  let live = false;
  await outlet.send(confirmation(randomUUID()));
  while (outlet.isOpen()) {
    const page = await following.next();
    if (page.length > 0) {
      await sendPage(parts, page, progress);
      // A filter may refuse a million events in memory without waiting once; others want their turn.
      await nextTurn();
      continue;
    }
    if (stream !== undefined && isClosed(parts)) throw streamDeleted(stream);
    if (!live) await announceLive(parts, progress);
    live = true;
    await wait();
  }
};
