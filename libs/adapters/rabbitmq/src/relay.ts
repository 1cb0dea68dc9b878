import {
  type EventStore,
  type PublicEvent,
  type Publication,
  type RecordedEvent,
  publicEventsOf,
} from '@billstream/event-sourcing';
import { epochMs } from '@billstream/kernel';
import type { Logger } from 'pino';
import { backOffMs, hasEnded, pause } from './back-off';
import type { Bus, Fence } from './bus';
import { fencePrefix, fenceType } from './fences';
import { type Report, unreported } from './measures';
import type { RelayCheckpoint } from './relay-checkpoint';

export type RelayProgress = {
  /** Everything up to here is confirmed; null before the first page. */
  readonly position: bigint | null;
  /** The last page reached the end of the log. */
  readonly caughtUp: boolean;
  /** Age of the last event published, in milliseconds of wall time; 0 when caught up. */
  readonly lagMs: number;
  /** Messages confirmed since the start of the process. */
  readonly messages: number;
};

export type RelayParts = {
  /** The context: the name in front of its public types. */
  readonly service: string;
  readonly store: EventStore;
  /** Stream prefixes the service owns; fences are added. */
  readonly prefixes: readonly string[];
  readonly publication: Publication;
  readonly bus: Bus;
  readonly checkpoint: RelayCheckpoint;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly onProgress?: (progress: RelayProgress) => void;
  readonly report?: Report;
  readonly pageSize?: number;
  /** How long a busy log is left alone after a page, so that the next one is larger. */
  readonly busyPauseMs?: number;
};

export type Relay = {
  /** Ends when the signal aborts and the last position is stored. */
  readonly done: Promise<void>;
  readonly progress: () => RelayProgress;
};

const storeEveryMs = 200;
/** A page of so many messages says that more will come at once, and one page of them costs less than many. */
const busyPage = 16;
const busyPauseMsDefault = 20;

/**
 * Publishes a service's events from its log, at least once and in log order: a page is confirmed before its position is
 * stored, and after a failure everything after the last confirmed page is published again. One instance per service.
 */
export const relay = (parts: RelayParts): Relay => {
  const { service, checkpoint, signal, logger, busyPauseMs = busyPauseMsDefault } = parts;
  let progress: RelayProgress = { position: null, caughtUp: false, lagMs: 0, messages: 0 };
  const advanced = (next: RelayProgress): void => {
    progress = next;
    parts.onProgress?.(next);
    if (next.position !== null)
      (parts.report ?? unreported)({ kind: 'relayed', service, position: next.position, lagMs: next.lagMs });
  };

  const alone = async (held: AbortSignal): Promise<void> => {
    const stored = await checkpoint.load();
    advanced({ ...progress, position: stored });
    const keeper = positionKeeper(parts, stored);
    for (let failures = 0; !held.aborted;) {
      try {
        for await (const page of follow(parts, progress.position, held)) {
          const messages = page.events.flatMap((event) => messagesOf(event, parts));
          await parts.bus.publish(messages);
          if (failures > 0) logger.info({ service, failures }, 'relay publishes again');
          failures = 0;
          advanced(after(progress, page, messages.length));
          keeper.confirmed(page.position);
          // At the end of the log pages are what came meanwhile: a busy log fills them while nothing is sent.
          if (page.caughtUp && messages.length >= busyPage) await pause(busyPauseMs, held);
        }
      } catch (error) {
        if (hasEnded(held)) break;
        if (failures === 0)
          logger.warn(
            { service, position: progress.position?.toString(), err: error },
            'relay cannot publish, will try again',
          );
        await pause(backOffMs(failures), held);
        failures += 1;
      }
    }
    await keeper.close();
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await checkpoint.exclusively(signal, alone);
        failures = 0;
      } catch (error) {
        logger.warn({ service, err: error }, 'relay ended, will be started again');
      }
      await pause(backOffMs(failures), signal);
    }
  };
  return { done: run(), progress: () => progress };
};

const follow = ({ store, prefixes, pageSize = 500 }: RelayParts, after: bigint | null, signal: AbortSignal) =>
  store.subscribe({ after, prefixes: [...prefixes, fencePrefix], pageSize, signal });

const messagesOf = (
  recorded: RecordedEvent,
  { service, publication }: RelayParts,
): readonly (PublicEvent | Fence)[] => {
  if (!recorded.stream.startsWith(fencePrefix)) return publicEventsOf(recorded, publication);
  return recorded.type === fenceType
    ? [{ fenceId: recorded.id, context: service, position: String(recorded.position) }]
    : [];
};

const after = (
  before: RelayProgress,
  page: { readonly events: readonly RecordedEvent[]; readonly position: bigint; readonly caughtUp: boolean },
  messages: number,
): RelayProgress => {
  const last = page.events.at(-1);
  const lagMs = page.caughtUp || !last ? 0 : Math.max(0, Date.now() - epochMs(last.metadata.recordedAt));
  return { position: page.position, caughtUp: page.caughtUp, lagMs, messages: before.messages + messages };
};

/**
 * Stores the confirmed position at most every 200 ms, and the last one at the end. A position that is stored late, or
 * lost, costs duplicates only, so a failure here is logged and tried again with the next one.
 */
const positionKeeper = ({ service, checkpoint, logger }: RelayParts, stored: bigint | null) => {
  let latest = stored;
  let kept = stored;
  let timer: NodeJS.Timeout | null = null;
  let storing: Promise<void> = Promise.resolve();
  const store = async (): Promise<void> => {
    const position = latest;
    if (position === null || position === kept) return;
    try {
      await checkpoint.store(position);
      kept = position;
    } catch (error) {
      logger.warn({ service, err: error }, 'relay cannot store its position for now');
    }
  };
  const schedule = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      storing = store().then(() => (latest === kept ? undefined : schedule()));
    }, storeEveryMs);
  };
  return {
    confirmed: (position: bigint): void => {
      latest = position;
      schedule();
    },
    close: async (): Promise<void> => {
      if (timer) clearTimeout(timer);
      await storing;
      if (timer) clearTimeout(timer);
      await store();
    },
  };
};
