import type { EventStore } from '../storage/event-store';
import type { StoredEvent } from '../storage/stored-event';
import { createReadAhead } from '../storage/read-ahead';
import { floorOf, type StreamState } from '../storage/stream-state';
import { isFresh, isVisible } from '../storage/visibility';
import type { Outlet } from './calls';
import { streamDeleted } from './failures';
import { streamNotFound } from './read-answers';
import { readRequestIn, type ReadRequest, type StartingPoint } from './read-request';
import { sendEvent } from './send-event';
import { subscribe } from './subscription';

type Page = readonly StoredEvent[];
type NextPage = (limit: number) => Page | Promise<Page>;

const READ_AHEAD_FROM = 1_000;

const startOf = (from: StartingPoint, end: number): number => {
  if (from === 'start') return 0;
  return from === 'end' ? end : from;
};

/** Pages of a stream within what its retention shows. */
const streamPages = (store: EventStore, state: StreamState, request: ReadRequest): NextPage => {
  const floor = floorOf(state);
  const nowMs = Date.now();
  const step = request.backwards ? -1 : 1;
  let from = startOf(request.from, request.backwards ? state.next - 1 : state.next);
  from = request.backwards ? Math.min(from, state.next - 1) : Math.max(from, floor);
  const nextPage: NextPage = async (limit) => {
    const room = request.backwards ? from - floor + 1 : limit;
    const page = await store.streamPage(state, { from, limit: Math.min(limit, room), backwards: request.backwards });
    from = (page.at(-1)?.revision ?? from) + step;
    const fresh = page.filter((event) => isFresh(state, event, nowMs));
    // A page of hidden events only must not look like the end of the stream.
    return fresh.length > 0 || page.length === 0 ? fresh : nextPage(limit);
  };
  return nextPage;
};

/** Forwards starts at the event of a position, backwards before it: a position is read as "after the record". */
const allPages = (store: EventStore, request: ReadRequest): NextPage => {
  const { backwards, limit: wanted = 0 } = request;
  const step = backwards ? -1 : 1;
  const nextOf = (page: Page): number => (page.at(-1)?.position ?? 0) + step;
  const fetch = (start: number): Page | Promise<Page> => store.allPage({ from: start, limit: wanted, backwards });
  // Reading ahead pays from the second page on; a small read ends with its first.
  const read = wanted > READ_AHEAD_FROM ? createReadAhead(fetch, nextOf) : fetch;
  let from = startOf(request.from, store.head.lastPosition() + 1);
  if (backwards) from -= 1;
  return async (limit) => {
    const page = (await read(from)).slice(0, limit);
    from = page.length > 0 ? nextOf(page) : from;
    return page;
  };
};

const sendPages = async (store: EventStore, outlet: Outlet, request: ReadRequest, next: NextPage): Promise<void> => {
  let left = request.limit ?? 0;
  while (left > 0 && outlet.isOpen()) {
    const page = await next(left);
    if (page.length === 0) break;
    for (const event of page) {
      if (request.filter && !request.filter.matches(event)) continue;
      const wait = sendEvent(store, outlet, event, request.resolveLinks);
      if (wait) await wait;
      left--;
      if (!outlet.isOpen() || left === 0) break;
    }
  }
  outlet.end();
};

const readStream = async (store: EventStore, outlet: Outlet, request: ReadRequest, stream: string): Promise<void> => {
  const state = store.head.stream(stream);
  if (state?.tombstoned) throw streamDeleted(stream);
  if (isVisible(state)) return sendPages(store, outlet, request, streamPages(store, state, request));
  await outlet.send(streamNotFound(stream));
  outlet.end();
};

export const read =
  (store: EventStore) =>
  async (bytes: Buffer, outlet: Outlet): Promise<void> => {
    const request = readRequestIn(bytes);
    if (request.limit === undefined) return subscribe(store, outlet, request);
    if (request.stream !== undefined) return readStream(store, outlet, request, request.stream);
    return sendPages(store, outlet, request, allPages(store, request));
  };
