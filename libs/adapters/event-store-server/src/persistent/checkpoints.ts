import type { EventStore } from '../storage/event-store';
import { saveCheckpoint } from './group-streams';
import { createOutstanding, type GroupMessage } from './messages';
import type { GroupKey, GroupSettings } from './settings';

/** How far a group has come, and when it writes that down: by count at once, by time only if it is worth it. */
export const createCheckpoints = (store: EventStore, key: GroupKey, settings: GroupSettings) => {
  const outstanding = createOutstanding();
  let last: number | undefined;
  let doneSince = 0;
  let total = 0;
  let timer: NodeJS.Timeout | undefined;
  let saving: Promise<void> = Promise.resolve();

  const save = (): void => {
    const place = outstanding.checkpoint();
    doneSince = 0;
    if (place === undefined || place < 0 || place === last) return;
    last = place;
    // One after the other; a checkpoint that could not be written is made good by the next.
    saving = saving.then(() => saveCheckpoint(store, key, place)).catch(() => undefined);
  };

  const saveIfWorthIt = (): void => {
    if (doneSince >= Math.max(1, settings.checkpointMin)) save();
  };

  return {
    read: outstanding.read,
    finish: (message: GroupMessage): void => {
      total++;
      if (!outstanding.finish(message)) return;
      doneSince++;
      if (doneSince >= Math.max(1, settings.checkpointMax)) save();
    },
    start: (): void => {
      clearInterval(timer);
      timer = setInterval(saveIfWorthIt, Math.max(1, settings.checkpointAfterMs));
      timer.unref();
    },
    rest: (): void => {
      clearInterval(timer);
      saveIfWorthIt();
    },
    /** Writes what is not written yet, whatever its worth. */
    flush: (): Promise<void> => {
      if (doneSince > 0) save();
      return saving;
    },
    last: () => last,
    doneThrough: () => outstanding.checkpoint(),
    outstanding: () => outstanding.count(),
    total: () => total,
  };
};

export type Checkpoints = ReturnType<typeof createCheckpoints>;
