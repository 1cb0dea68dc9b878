import type { EventStore } from '@billstream/event-sourcing';

/**
 * The revision of a stream's last event; -1 when there is none. `known` is a revision that is certain to exist (or -1).
 * The port reads forwards only, so this goes ahead in doubling steps and then halves: some twenty small reads for a
 * million events, one when nothing was added.
 */
export const streamEnd = async (store: EventStore, stream: string, known: bigint): Promise<bigint> => {
  const exists = async (revision: bigint): Promise<boolean> => (await store.read(stream, revision, 1)).length > 0;
  let low = known;
  let step = 1n;
  while (await exists(low + step)) {
    low += step;
    step *= 2n;
  }
  let high = low + step;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (await exists(middle)) low = middle;
    else high = middle;
  }
  return low;
};
