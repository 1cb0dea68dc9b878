import type { EventStore, RecordedEvent, SubscriptionPage } from '@billstream/event-sourcing';
import { epochMs } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { CheckpointMoved, advanceCheckpoints, ddlHashOf, loadCheckpoints, prepareReadModels } from './checkpoints';
import type { Database } from './database';
import { positionWaiters } from './position-waiters';
import type { ReadModel } from './read-model';

export type ProjectionProgress = {
  /** Every read model has applied everything up to here; -1 before anything. */
  readonly position: bigint;
  /** The last page reached the end of the log. */
  readonly caughtUp: boolean;
  /** Age of the last event applied, in milliseconds of wall time; 0 when caught up. */
  readonly lagMs: number;
  /** Events applied since the start of the process. */
  readonly events: number;
  /** This process is the one that projects. */
  readonly isActive: boolean;
};

/** Before anything is applied here. */
export const notYet: ProjectionProgress = { position: -1n, caughtUp: false, lagMs: 0, events: 0, isActive: false };

export type ProjectionParts = {
  /** Names the lock: `<service>.projections`. */
  readonly service: string;
  readonly store: EventStore;
  readonly database: Database;
  readonly readModels: readonly ReadModel[];
  /** Streams to follow; those of the read models are among them. */
  readonly prefixes: readonly string[];
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly onProgress?: (progress: ProjectionProgress) => void;
  readonly onApplied?: (applied: Applied) => void;
  readonly pageSize?: number;
};

/** What a read model told of a batch that is committed now; it can be handed to another thread. */
export type Applied = { readonly readModel: string; readonly told: unknown };

export type AppliedListener = {
  /** In the order of the commits, before anybody is told that the position is reached. */
  readonly applied: (applied: Applied) => void;
  /** Batches may have gone by that were not told here: another process projects, or did for a while. */
  readonly missed: () => void;
};

export type Projections = {
  /** Ends when the signal aborts and the running batch is over. */
  readonly done: Promise<void>;
  progress(): ProjectionProgress;
  /** Resolves once the tables exist, here or because another process made them; rejects when the signal aborts first. */
  readonly ready: Promise<void>;
  /** True as soon as every read model has passed the position; false when that took longer than the time given. */
  visible(position: bigint, withinMs: number): Promise<boolean>;
  /** Told of every batch for as long as `progress().isActive`. */
  listen(listener: AppliedListener): void;
};

/** Rows that are written again and again are written once a page, so history comes in large ones; the store bounds their bytes. */
export const pageSizeDefault = 5_000;
/** Positions without events are written at most this often: losing one costs reading a little again. */
const idleWriteMs = 1_000;
export const backOffMs = (failures: number): number => Math.min(10_000, 100 * 2 ** Math.min(failures, 7));
const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/**
 * Feeds all read models of a service from one subscription. A page is one transaction: the checkpoints, then each model's
 * share. A page that fails is gone through event by event, so that the log names the event; it is tried again until it
 * succeeds, and nothing is ever skipped.
 */
export const runProjections = (parts: ProjectionParts): Projections => {
  const { service, database, signal, logger } = parts;
  let progress = notYet;
  const waiters = positionWaiters(database, () => progress);
  const listeners = appliedListeners(parts.onApplied);
  const report = (next: ProjectionProgress): void => {
    if (next.isActive !== progress.isActive) listeners.missed();
    progress = next;
    waiters.reached(next.position);
    parts.onProgress?.(next);
  };

  const alone = async (held: AbortSignal): Promise<void> => {
    const stale = await prepareReadModels(database, parts.readModels);
    if (stale.length > 0) logger.info({ service, readModels: stale }, 'read models are built from the log');
    const left = await ownCheckpoints(parts);
    const feeder = createFeeder({ ...parts, onApplied: listeners.applied }, left);
    report({ ...progress, position: feeder.position(), isActive: true });
    const prefixes = [...new Set([...parts.prefixes, ...parts.readModels.flatMap((model) => model.prefixes)])];
    const after = feeder.position() < 0n ? null : feeder.position();
    for await (const page of parts.store.subscribe({
      after,
      prefixes,
      pageSize: parts.pageSize ?? pageSizeDefault,
      signal: held,
    })) {
      await feeder.take(page, held);
      if (held.aborted) break;
      report({
        position: feeder.position(),
        caughtUp: page.caughtUp,
        lagMs: lagMs(page),
        events: progress.events + page.events.length,
        isActive: true,
      });
    }
    await feeder.flush();
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await database.exclusively(`${service}.projections`, signal, alone);
        failures = 0;
      } catch (error) {
        logger.warn({ service, err: error }, 'projections ended, will be started again');
      }
      report({ ...progress, isActive: false });
      await pause(backOffMs(failures), signal);
    }
    waiters.close();
  };
  const ready = untilPrepared(parts, () => progress.isActive);
  ready.catch(() => undefined);
  return { done: run(), ready, progress: () => progress, visible: waiters.visible, listen: listeners.add };
};

/** Those who listen, as one. */
export const appliedListeners = (first?: (applied: Applied) => void) => {
  const all: AppliedListener[] = first === undefined ? [] : [{ applied: first, missed: () => undefined }];
  return {
    add: (listener: AppliedListener): void => void all.push(listener),
    applied: (applied: Applied): void => {
      for (const listener of all) listener.applied(applied);
    },
    missed: (): void => {
      for (const listener of all) listener.missed();
    },
  };
};

/** Resolves once the tables exist; rejects when the signal aborts first. */
export const untilPrepared = async (
  { database, readModels, signal }: Pick<ProjectionParts, 'database' | 'readModels' | 'signal'>,
  isActive: () => boolean,
): Promise<void> => {
  while (!isActive()) {
    const stored = await loadCheckpoints(database);
    if (readModels.every((model) => stored.get(model.name)?.ddlHash === ddlHashOf(model))) return;
    await sleep(20, undefined, { signal });
  }
};

const lagMs = ({ caughtUp, events }: SubscriptionPage): number => {
  const last = events.at(-1);
  return caughtUp || !last ? 0 : Math.max(0, Date.now() - epochMs(last.metadata.recordedAt));
};

/** Where a read model was left, and when. */
type Left = { readonly position: bigint; readonly leftAt: string | null };
const nowhere: Left = { position: -1n, leftAt: null };

const ownCheckpoints = async ({ database, readModels }: ProjectionParts): Promise<Map<string, Left>> => {
  const stored = await loadCheckpoints(database);
  return new Map(
    readModels.map(({ name }) => {
      const known = stored.get(name);
      return [name, known === undefined ? nowhere : { position: known.position, leftAt: known.changedAt }];
    }),
  );
};

type Feeder = {
  /** The lowest of the models' positions. */
  position(): bigint;
  take(page: SubscriptionPage, signal: AbortSignal): Promise<void>;
  /** Writes positions that were held back. */
  flush(): Promise<void>;
};

const createFeeder = (parts: ProjectionParts, checkpoints: Map<string, Left>): Feeder => {
  const { database, readModels, logger, service } = parts;
  const left = (name: string): Left => checkpoints.get(name) ?? nowhere;
  let reached = lowest([...checkpoints.values()]);
  let written = Date.now();

  const commit = async (events: readonly RecordedEvent[], to: bigint): Promise<void> => {
    const behind = readModels.filter(({ name }) => left(name).position < to);
    if (behind.length === 0) return;
    const { news, movedAt } = await database.transaction(async (tx) => {
      const advances = behind.map(({ name }) => ({ name, from: left(name).position, leftAt: left(name).leftAt, to }));
      const moved = await advanceCheckpoints(tx, advances);
      const applied: Applied[] = [];
      for (const model of behind) {
        const share = shareOf(model, events, left(model.name).position);
        if (share.length > 0) applied.push({ readModel: model.name, told: await model.apply(tx, share) });
      }
      return { news: applied, movedAt: moved };
    });
    for (const one of news) if (one.told !== undefined) parts.onApplied?.(one);
    for (const { name } of behind) checkpoints.set(name, { position: to, leftAt: movedAt.get(name) ?? null });
    written = Date.now();
  };

  /** Until it succeeds; false when the signal aborted before. */
  const insist = async (event: RecordedEvent, signal: AbortSignal): Promise<boolean> => {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await commit([event], event.position);
        if (failures > 0) logger.info({ service, failures, ...named(event) }, 'event was projected at last');
        return true;
      } catch (error) {
        if (error instanceof CheckpointMoved) throw error;
        logger.error({ service, err: error, failures: failures + 1, ...named(event) }, 'event cannot be projected');
        await pause(backOffMs(failures), signal);
      }
    }
    return false;
  };

  return {
    position: () => reached,
    take: async ({ events, position }, signal) => {
      const isIdle = !events.some((event) => readModels.some((model) => isFor(model, event)));
      if (isIdle && Date.now() - written < idleWriteMs) {
        reached = position > reached ? position : reached;
        return;
      }
      try {
        await commit(events, position);
      } catch (error) {
        if (error instanceof CheckpointMoved) throw error;
        logger.warn({ service, err: error, events: events.length }, 'page failed, going through it event by event');
        for (const event of events) if (!(await insist(event, signal))) return;
        await commit([], position);
      }
      reached = position > reached ? position : reached;
    },
    flush: async () => {
      await commit([], reached).catch(() => undefined);
    },
  };
};

const named = ({ stream, revision, type, id }: RecordedEvent): object => ({
  stream,
  revision: String(revision),
  type,
  eventId: id,
});

const lowest = (all: readonly Left[]): bigint =>
  all.reduce((low, { position }) => (position < low ? position : low), all[0]?.position ?? -1n);

const isFor = ({ prefixes }: ReadModel, { stream }: RecordedEvent): boolean =>
  prefixes.some((prefix) => stream.startsWith(prefix));

/** A model that is ahead of the others, because they are being built, must not get an event twice. */
const shareOf = (model: ReadModel, events: readonly RecordedEvent[], position: bigint): readonly RecordedEvent[] =>
  events.filter((event) => event.position > position && isFor(model, event));
