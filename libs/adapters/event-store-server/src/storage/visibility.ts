import type { EventStore } from './event-store';
import { linkTargetOf, type StoredEvent } from './stored-event';
import { floorOf, isDeleted, type StreamState } from './stream-state';

/** A reader sees nothing of a stream that was never written or is deleted. */
export const isVisible = (state: StreamState | undefined): state is StreamState =>
  state !== undefined && state.next > 0 && !isDeleted(state.retention);

/** Events past the maximum age are hidden from readers of the stream; they stay in `$all`. */
export const isFresh = (state: StreamState, event: StoredEvent, nowMs: number): boolean => {
  const { maxAgeMs } = state.retention;
  return maxAgeMs === undefined || event.createdMs >= nowMs - maxAgeMs;
};

export const eventAt = async (
  store: EventStore,
  stream: string,
  revision: number,
): Promise<StoredEvent | undefined> => {
  const state = store.head.stream(stream);
  if (!isVisible(state) || revision < floorOf(state)) return undefined;
  const [event] = await store.streamPage(state, { from: revision, limit: 1, backwards: false });
  return event && isFresh(state, event, Date.now()) ? event : undefined;
};

/** What a link points to; a link whose target is gone is still shown, alone. */
export interface Resolved {
  readonly event: StoredEvent | undefined;
  readonly link: StoredEvent | undefined;
}

export const resolve = async (store: EventStore, event: StoredEvent): Promise<Resolved> => {
  const target = linkTargetOf(event);
  if (!target) return { event, link: undefined };
  return { event: await eventAt(store, target.stream, target.revision), link: event };
};
