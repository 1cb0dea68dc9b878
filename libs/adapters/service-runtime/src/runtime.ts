import {
  type CommandLoop,
  type DomainEvent,
  type EventStore,
  type Rejection,
  commandHandler,
} from '@billstream/event-sourcing';
import type { Metrics } from '@billstream/observability';
import type { Database, Projections, TenantClocks } from '@billstream/postgres';
import type { Intake } from '@billstream/rabbitmq';
import type { Logger } from 'pino';
import { observed, serviceMetrics } from './reporting';
import type { ServiceDefinition, ServiceRuntime, Settings } from './service';

export type RuntimeParts = {
  readonly definition: ServiceDefinition;
  readonly store: EventStore;
  readonly database: Database;
  readonly clocks: TenantClocks;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly settings: Settings;
  readonly projections: Projections;
  readonly intake: Intake | undefined;
};

const visibleWithinMs = 2_000;

export const serviceRuntime = (parts: RuntimeParts): ServiceRuntime => {
  const { definition, store, database, clocks, logger, metrics, settings, projections } = parts;
  const { name } = definition;
  const visible = async (position: bigint | null): Promise<void> => {
    if (position === null) return;
    const isVisible = await projections.visible(position, visibleWithinMs);
    if (!isVisible) logger.warn({ position: String(position) }, 'read models are behind, answering anyway');
  };
  return {
    name,
    store,
    database,
    clock: clocks.clock,
    logger,
    settings,
    handle: onePerSchema((decider, schema, snapshots) =>
      observed(
        commandHandler({
          store,
          decider,
          schema,
          ...(snapshots === undefined ? {} : { snapshots }),
          recogniseRepeats: settings.recogniseRepeats ?? true,
          onConflict: () => {
            metrics.appendConflict(name);
          },
        }),
        { service: name, logger, metrics },
      ),
    ),
    visible,
    passed: (position, withinMs, mostMs) => passed(projections, position, { withinMs, mostMs }),
    applied: { isHere: () => projections.progress().isActive, listen: (listener) => projections.listen(listener) },
    // Other contexts' events move the head too; only this service's own are waited for.
    caughtUp: async () => visible(await lastOwnPosition(parts)),
    ...(parts.intake === undefined ? {} : { intake: parts.intake }),
    metrics: serviceMetrics(metrics, name),
  };
};

/**
 * Waits on for read models that move: under load a page takes longer than whoever asks would wait where nothing happens.
 * `mostMs` is the end of it, moving or not.
 */
export const passed = async (
  projections: Pick<Projections, 'progress' | 'visible'>,
  position: bigint,
  {
    withinMs,
    mostMs = Math.max(withinMs, visibleWithinMs),
  }: { readonly withinMs: number; readonly mostMs?: number | undefined },
): Promise<boolean> => {
  const end = performance.now() + mostMs;
  for (let before = projections.progress().position; ;) {
    const leftMs = Math.max(0, Math.ceil(end - performance.now()));
    if (await projections.visible(position, Math.min(withinMs, leftMs))) return true;
    const reached = projections.progress().position;
    if (reached === before || performance.now() >= end) return false;
    before = reached;
  }
};

/**
 * Endpoints, reactions and due work ask for the loop of the same decider each for itself. They must share one: two would
 * each remember the streams, read what the other has appended, and conflict where they could wait. A decider may serve
 * streams of several kinds, whose events have names of their own: each schema has its loop.
 */
export const onePerSchema = (make: ServiceRuntime['handle']): ServiceRuntime['handle'] => {
  const made = new Map<object, unknown>();
  return <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
    ...asked: Parameters<typeof make<Command, Event, State, Refusal>>
  ) => {
    const [, schema] = asked;
    const handle = made.get(schema) ?? make(...asked);
    made.set(schema, handle);
    // What is kept under a schema was made of that schema, and of the decider whose events it names.
    return handle as CommandLoop<Command, Event, State, Refusal>;
  };
};

/** Position of the last event in this service's streams that its read models may not have seen; null when they have all. */
const lastOwnPosition = async ({ definition, store, projections }: RuntimeParts): Promise<bigint | null> => {
  const { position } = projections.progress();
  const after = position < 0n ? null : position;
  const { events } = await store.readAll({ after, prefixes: definition.streams, max: 1_000 });
  return events.at(-1)?.position ?? null;
};

/** Counts what this process appends, for whoever wants to know whether anything still goes on. */
export const countingStore = (store: EventStore): { readonly store: EventStore; readonly appended: () => number } => {
  let appended = 0;
  return {
    store: {
      ...store,
      append: async (stream, expected, events) => {
        const result = await store.append(stream, expected, events);
        appended += events.length;
        return result;
      },
    },
    appended: () => appended,
  };
};
