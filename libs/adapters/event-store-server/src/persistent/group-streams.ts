import { randomUUID } from 'node:crypto';
import type { EventStore } from '../storage/event-store';
import { dataOf, LINK_TYPE, type ProposedEvent, type StoredEvent } from '../storage/stored-event';
import { floorOf, isDeleted, METADATA_PREFIX, METADATA_TYPE, type StreamState } from '../storage/stream-state';
import type { GroupKey } from './settings';

const PREFIX = '$persistentsubscription-';
const NO_BYTES = Buffer.alloc(0);

/** Groups keep their own books in the log; a group that reads the whole log must not read these, or it never rests. */
export const isBookkeeping = (stream: string): boolean => stream.startsWith(PREFIX);

export const checkpointStream = ({ stream, group }: GroupKey): string => `${PREFIX}${stream}::${group}-checkpoint`;
export const parkedStream = ({ stream, group }: GroupKey): string => `${PREFIX}${stream}::${group}-parked`;

export const jsonProposal = (type: string, value: unknown): ProposedEvent => ({
  id: randomUUID(),
  type,
  isJson: true,
  metadata: NO_BYTES,
  data: Buffer.from(JSON.stringify(value), 'utf8'),
});

const visible = (store: EventStore, name: string): StreamState | undefined => {
  const state = store.head.stream(name);
  return state && !isDeleted(state.retention) ? state : undefined;
};

export const newestOf = async (store: EventStore, stream: string): Promise<StoredEvent | undefined> => {
  const state = visible(store, stream);
  if (!state || state.next === 0) return undefined;
  const [event] = await store.streamPage(state, { from: state.next - 1, limit: 1, backwards: true });
  return event;
};

export const loadCheckpoint = async (store: EventStore, key: GroupKey): Promise<number | undefined> => {
  const event = await newestOf(store, checkpointStream(key));
  if (!event) return undefined;
  const place = Number(JSON.parse(dataOf(event).toString('utf8')));
  return Number.isSafeInteger(place) ? place : undefined;
};

export const saveCheckpoint = async (store: EventStore, key: GroupKey, place: number): Promise<void> => {
  await store.append(checkpointStream(key), [jsonProposal('$SubscriptionCheckpoint', place)]);
};

export const park = async (store: EventStore, key: GroupKey, source: StoredEvent, reason: string): Promise<void> => {
  const metadata = { added: new Date().toISOString(), reason, subscriptionEventNumber: source.revision };
  const link: ProposedEvent = {
    id: randomUUID(),
    type: LINK_TYPE,
    isJson: true,
    metadata: Buffer.from(JSON.stringify(metadata), 'utf8'),
    data: Buffer.from(`${source.revision}@${source.stream}`, 'utf8'),
  };
  await store.append(parkedStream(key), [link]);
};

export const parkedCount = (store: EventStore, key: GroupKey): number => {
  const state = visible(store, parkedStream(key));
  return state ? Math.max(0, state.next - floorOf(state)) : 0;
};

/** Takes parked links, oldest first, and hides them from the next replay. `stopAt` is exclusive. */
export const takeParked = async (store: EventStore, key: GroupKey, stopAt: number): Promise<StoredEvent[]> => {
  const name = parkedStream(key);
  const state = visible(store, name);
  if (!state) return [];
  const end = Math.min(stopAt, state.next);
  const links: StoredEvent[] = [];
  for (let from = floorOf(state); from < end; from = (links.at(-1)?.revision ?? end) + 1) {
    const page = await store.streamPage(state, { from, limit: end - from, backwards: false });
    if (page.length === 0) break;
    links.push(...page);
  }
  if (links.length > 0) await truncate(store, name, end);
  return links;
};

const truncate = async (store: EventStore, stream: string, before: number): Promise<void> => {
  const metadata = { ...store.head.stream(stream)?.metadata, $tb: before };
  await store.append(METADATA_PREFIX + stream, [jsonProposal(METADATA_TYPE, metadata)]);
};

export const removeBooks = (store: EventStore, key: GroupKey): Promise<unknown> =>
  Promise.all(
    [checkpointStream(key), parkedStream(key)]
      .filter((stream) => visible(store, stream))
      .map(
        (stream) =>
          new Promise((done, failed) => {
            const [expected, deadlineMs] = [-2, Number.POSITIVE_INFINITY];
            store.submit({ kind: 'delete', stream, expected, events: [], deadlineMs, done, failed });
          }),
      ),
  );
