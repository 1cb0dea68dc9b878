import type { EventStore } from '@billstream/event-sourcing';
import { type Instant, instantOfMs } from '@billstream/kernel';
import { type Database, type DueWorker, type Projections, dueBefore, failingWork } from '@billstream/postgres';
import { type Bus, type BusServer, type Relay, fencePrefix, fenceRaiser } from '@billstream/rabbitmq';
import { hearsOf } from './audience';
import type { InternalFace, Readiness, ServiceState } from './internal-routes';
import type { ServiceDefinition } from './service';

export type StateParts = {
  readonly definition: ServiceDefinition;
  readonly store: EventStore;
  readonly database: Database;
  readonly bus: Bus;
  readonly server: BusServer;
  readonly relay: () => Relay;
  readonly projections: Projections;
  readonly due: DueWorker;
  readonly appended: () => number;
  readonly isStopping: () => boolean;
};

/** Answers what operators and the gateway ask: how far everything is. */
export const internalFace = (parts: StateParts): InternalFace => {
  const { definition, database, server, projections, due } = parts;
  // Due work exists only where a read model schedules some.
  const hasDueWork = definition.readModels.some(({ tables }) => tables.includes('due_work'));
  const dueState = (tenantId: string, until: Instant) =>
    hasDueWork ? dueBefore(database, tenantId, until) : Promise.resolve({ dueNow: 0, nextDueAt: null });
  /** Whoever waits asks often: the table is looked into once everything else is through, as more may be due by then. */
  const dueIn = async (tenantId: string | undefined, isThrough: boolean): Promise<number> => {
    if (tenantId === undefined) return 0;
    const { dueNow } = isThrough ? await dueState(tenantId, beginning) : { dueNow: 0 };
    return Math.max(dueNow, due.running(tenantId));
  };
  return {
    state: () => stateOf(parts),
    fence: fenceRaiser(parts.store),
    settled: async (fence, tenantId) => {
      const passed = {
        relay: (parts.relay().progress().position ?? -1n) >= fence,
        projections: await projections.visible(fence, 0),
        heard: hearsOf(definition).every((context) => server.hasPassed(context, fence)),
      };
      return {
        ...passed,
        due: await dueIn(tenantId, Object.values(passed).every(Boolean)),
        appended: parts.appended(),
      };
    },
    dueAt: async (tenantId, until) => (await dueState(tenantId, until)).nextDueAt,
    failing: (tenantId) => (hasDueWork ? failingWork(database, tenantId) : Promise.resolve([])),
    quiet: (after, tenantId) => isQuiet(parts.store, after, tenantId),
    readiness: () => readinessOf(parts),
  };
};

/** System streams of the store and fences say nothing about the business. */
const isQuiet = async (store: EventStore, after: bigint, tenantId: string | undefined): Promise<boolean> => {
  for (let position = after; ;) {
    const page = await store.readAll({ after: position, prefixes: [''], max: 500 });
    const isBusiness = page.events.some(
      ({ stream, metadata }) =>
        !stream.startsWith(fencePrefix) &&
        !stream.startsWith('$') &&
        (tenantId === undefined || metadata.tenantId === tenantId),
    );
    if (isBusiness) return false;
    if (page.caughtUp) return true;
    position = page.position;
  }
};

const beginning = instantOfMs(0);

const stateOf = ({ definition, relay, projections, server, due, appended }: StateParts): ServiceState => {
  const relayed = relay().progress();
  const projected = projections.progress();
  return {
    service: definition.name,
    relay: { ...relayed, position: relayed.position === null ? null : String(relayed.position) },
    projections: { ...projected, position: String(projected.position) },
    heard: Object.fromEntries(
      Object.entries(server.fencesPassed()).map(([context, partitions]) => [
        context,
        Object.fromEntries(Object.entries(partitions).map(([partition, position]) => [partition, String(position)])),
      ]),
    ),
    partitionsSubscribed: server.subscribed(),
    dueRunning: due.running(),
    appended: appended(),
  };
};

/** A service without its broker is degraded, not unready: commands and queries work, their effects elsewhere wait. */
const readinessOf = async (parts: StateParts): Promise<Readiness> => {
  const [database, store] = await Promise.all([
    answers(() => parts.database.query('select 1')),
    answers(() => parts.store.head()),
  ]);
  const { isActive, caughtUp } = parts.projections.progress();
  const bus = parts.server.subscribed() === parts.bus.partitions && parts.bus.connected();
  const ready = database && store && !parts.isStopping();
  return {
    ready,
    checks: {
      database: database ? 'up' : 'down',
      eventStore: store ? 'up' : 'down',
      readModels: isActive ? (caughtUp ? 'caught up' : 'catching up') : 'followed by another process',
      bus: bus ? 'up' : 'degraded',
      ...(parts.isStopping() ? { process: 'stopping' } : {}),
    },
  };
};

const checkWithinMs = 2_000;

const answers = async (ask: () => Promise<unknown>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, checkWithinMs);
  });
  const answer = ask().then(
    () => true,
    () => false,
  );
  const result = await Promise.race([answer, late]);
  clearTimeout(timer);
  return result;
};
