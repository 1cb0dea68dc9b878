import { randomUUID } from 'node:crypto';
import { type EventStore, RevisionConflict, type StoredEvent } from '@billstream/event-sourcing';
import { wallTime } from '@billstream/kernel';
import type { Fence } from './bus';

/** Every relay follows this prefix beside its own streams. */
export const fencePrefix = 'fence-';
export const fenceStream = 'fence-log';
export const fenceType = 'fence.raised.v1';

/** Highest fence position that a consumer has met, by the context that published it and by partition. */
export type FencesPassed = Readonly<Record<string, Readonly<Record<number, bigint>>>>;

export type FenceTracker = {
  passed(partition: number, fence: Fence): void;
  /** As it is now; a later fence changes it. */
  readonly positions: () => FencesPassed;
};

/** In memory: after a restart a consumer knows of no fence, and whoever waits raises a new one. */
export const fenceTracker = (): FenceTracker => {
  const contexts: Record<string, Record<number, bigint>> = {};
  return {
    passed: (partition, { context, position }) => {
      const partitions = (contexts[context] ??= {});
      const before = partitions[partition] ?? -1n;
      if (BigInt(position) > before) partitions[partition] = BigInt(position);
    },
    positions: () => contexts,
  };
};

/** True when everything that a context published before the fence at `position` has been handled, in all partitions. */
export const hasPassed = (
  passed: FencesPassed,
  {
    context,
    position,
    partitions,
  }: { readonly context: string; readonly position: bigint; readonly partitions: number },
): boolean =>
  Array.from({ length: partitions }, (_, partition) => passed[context]?.[partition] ?? -1n).every(
    (at) => at >= position,
  );

const raised = (): StoredEvent => {
  const fenceId = randomUUID();
  const at = wallTime();
  return {
    id: fenceId,
    type: fenceType,
    data: { fenceId },
    metadata: {
      $correlationId: fenceId,
      $causationId: fenceId,
      commandId: fenceId,
      tenantId: 'none',
      actor: { createdBy: 'billstream' },
      at,
      recordedAt: at,
    },
  };
};

/**
 * Raises fences, one append at a time; those who ask while one is under way share the next. Several services append to
 * the same stream, so a conflict only means to look where its end is now.
 */
export const fenceRaiser = (
  store: EventStore,
): (() => Promise<{ readonly fenceId: string; readonly position: bigint }>) => {
  let revision = -1n;
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<{ fenceId: string; position: bigint }> | null = null;
  const append = async (): Promise<{ fenceId: string; position: bigint }> => {
    const event = raised();
    for (;;) {
      try {
        const appended = await store.append(fenceStream, revision < 0n ? 'none' : revision, [event]);
        revision = appended.revision;
        return { fenceId: event.id, position: appended.position };
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
        const newer = await store.read(fenceStream, revision + 1n, 1_000);
        revision = newer.at(-1)?.revision ?? revision;
      }
    }
  };
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        const mine = append();
        running = mine;
        return mine;
      });
    return next;
  };
};
