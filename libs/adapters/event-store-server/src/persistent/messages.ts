import type { Resolved } from '../storage/visibility';
import type { StoredEvent } from '../storage/stored-event';

/** One event on its way through a group. */
export interface GroupMessage {
  /** What was read from the source: the link, if it is one. */
  readonly source: StoredEvent;
  readonly resolved: Resolved;
  /** Its place in the source; absent for parked messages that are played again, which no checkpoint waits for. */
  readonly place: number | undefined;
  retries: number;
  sentAtMs: number;
}

/** Consumers name a message by the id of what they were sent first. */
export const idOf = (message: GroupMessage): string => message.source.id;

/**
 * Which messages were taken from the source and are not done with. Messages enter in the order of the source, so the
 * first that is still here is the lowest: everything before it is done, and a restart may begin with it.
 */
export const createOutstanding = () => {
  const open = new Set<number>();
  let lastRead: number | undefined;
  return {
    /** Also for events that nobody gets, because a filter refused them. */
    read: (place: number, delivered: boolean): void => {
      lastRead = place;
      if (delivered) open.add(place);
    },
    finish: (message: GroupMessage): boolean => message.place !== undefined && open.delete(message.place),
    /** The last place of which everything up to it is done. */
    checkpoint: (): number | undefined => {
      const lowest = open.values().next();
      return lowest.done ? lastRead : lowest.value - 1;
    },
    lastRead: () => lastRead,
    count: () => open.size,
  };
};

export type Outstanding = ReturnType<typeof createOutstanding>;
