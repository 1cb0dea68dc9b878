import type { Appended, EventStore } from './event-store';
import type { StoredEvent } from './message';

/** A server takes 1 MiB at once; what it counts beside the text of the events has room above this. */
const appendBytesMax = 900_000;

type Decided = { readonly events: readonly StoredEvent[]; readonly isPart: readonly boolean[] };

const bytesOf = ({ data, metadata, type }: StoredEvent): number =>
  Buffer.byteLength(JSON.stringify([data, metadata, type])) + 100;

/** Where the appends end: everything at once, or the parts in groups that fit and the last of them with all the rest. */
const groupsOf = ({ events, isPart }: Decided): readonly (readonly StoredEvent[])[] => {
  const parts = isPart.findIndex((part) => !part);
  if (parts <= 0) return [events];
  const groups: StoredEvent[][] = [[]];
  let bytes = 0;
  const rest = events.slice(parts);
  const add = (group: readonly StoredEvent[]): void => {
    const size = group.reduce((sum, event) => sum + bytesOf(event), 0);
    if (bytes > 0 && bytes + size > appendBytesMax) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(...group);
    bytes += size;
  };
  for (const event of events.slice(0, parts)) add([event]);
  add(rest);
  return groups;
};

/**
 * Appends what was decided after a revision (-1n: to a new stream), all of it at once unless it begins with parts and is
 * too large. An append that fails leaves parts behind that mean nothing.
 */
export const appendInParts = async (
  store: EventStore,
  stream: string,
  after: bigint,
  decided: Decided,
): Promise<Appended> => {
  let appended: Appended = { revision: after, position: -1n };
  for (const group of groupsOf(decided)) {
    const { revision } = appended;
    appended = await store.append(stream, revision < 0n ? 'none' : revision, group);
  }
  return appended;
};
