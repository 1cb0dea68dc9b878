import { createHash } from 'node:crypto';
import { notFound } from '../protocol/failures';
import { jsonProposal, newestOf } from '../persistent/group-streams';
import type { EventStore } from '../storage/event-store';
import { ALL } from '../storage/head';
import { dataOf, LINK_TYPE, metadataOf, type ProposedEvent, type StoredEvent } from '../storage/stored-event';

type Target = (event: StoredEvent) => string | undefined;

const categoryOf = (stream: string): string | undefined => {
  const at = stream.indexOf('-');
  return at > 0 ? stream.slice(0, at) : undefined;
};

const correlationOf = (event: StoredEvent): string | undefined => {
  try {
    const metadata: unknown = JSON.parse(metadataOf(event).toString('utf8'));
    if (typeof metadata !== 'object' || metadata === null || !('$correlationId' in metadata)) return undefined;
    return typeof metadata.$correlationId === 'string' ? metadata.$correlationId : undefined;
  } catch {
    return undefined; // most events carry none, or something that is not JSON
  }
};

const prefixed = (prefix: string, name: string | undefined): string | undefined =>
  name === undefined ? undefined : prefix + name;

/** Where each projection links an event to. */
const TARGETS: ReadonlyMap<string, Target> = new Map<string, Target>([
  ['$streams', (event) => (event.revision === 0 ? '$streams' : undefined)],
  [
    '$stream_by_category',
    (event) => (event.revision === 0 ? prefixed('$category-', categoryOf(event.stream)) : undefined),
  ],
  ['$by_category', (event) => prefixed('$ce-', categoryOf(event.stream))],
  ['$by_event_type', (event) => `$et-${event.type}`],
  ['$by_correlation_id', (event) => prefixed('$bc-', correlationOf(event))],
]);

const STATE_STREAM = '$projections-$state';
/** Links follow with this delay, so that a burst of events makes few appends; readers of links expect a lag anyway. */
const LAG_MS = 250;
const PAGE = 500;

interface Projection {
  readonly name: string;
  enabled: boolean;
  /** Everything up to here is linked. */
  position: number;
}

export interface ProjectionStatus extends Readonly<Projection> {
  readonly progress: number;
}

export interface SystemProjections {
  enable(name: string): Promise<void>;
  disable(name: string): Promise<void>;
  restart(): Promise<void>;
  status(name?: string): readonly ProjectionStatus[];
  stop(): Promise<void>;
}

/** The same event gives the same id, so that links written again after a crash are taken for a repetition. */
const linkId = (projection: string, event: StoredEvent): string => {
  const hex = createHash('sha1').update(`${projection}/${event.position}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
};

const linkTo = (projection: string, event: StoredEvent): ProposedEvent => ({
  id: linkId(projection, event),
  type: LINK_TYPE,
  isJson: false,
  metadata: Buffer.from(JSON.stringify({ $causedBy: event.id }), 'utf8'),
  data: Buffer.from(`${event.revision}@${event.stream}`, 'utf8'),
});

const isOrdinary = (event: StoredEvent): boolean => !event.stream.startsWith('$') && event.type !== LINK_TYPE;

const linksOf = (projection: string, target: Target, page: readonly StoredEvent[]): Map<string, ProposedEvent[]> => {
  const links = new Map<string, ProposedEvent[]>();
  for (const event of page) {
    const stream = isOrdinary(event) ? target(event) : undefined;
    if (stream === undefined) continue;
    const known = links.get(stream);
    if (known) known.push(linkTo(projection, event));
    else links.set(stream, [linkTo(projection, event)]);
  }
  return links;
};

const readState = async (store: EventStore): Promise<readonly Projection[]> => {
  const event = await newestOf(store, STATE_STREAM);
  if (!event) return [];
  // Written by this server, below.
  return (JSON.parse(dataOf(event).toString('utf8')) as { readonly projections: readonly Projection[] }).projections;
};

interface Linker {
  /** Links everything that is committed; says when it is done. */
  work(isStopped: () => boolean): Promise<void>;
  save(): Promise<void>;
}

const createLinker = (store: EventStore, projections: ReadonlyMap<string, Projection>): Linker => {
  const save = async (): Promise<void> => {
    await store.append(STATE_STREAM, [jsonProposal('$ProjectionsState', { projections: [...projections.values()] })]);
  };

  /** One page of the log. */
  const advance = async (projection: Projection): Promise<'end' | 'linked' | 'passed'> => {
    const target = TARGETS.get(projection.name);
    const page = await store.allPage({ from: projection.position + 1, limit: PAGE, backwards: false });
    const last = page.at(-1);
    if (!target || !last) return 'end';
    const links = linksOf(projection.name, target, page);
    for (const [stream, events] of links) await store.append(stream, events);
    projection.position = last.position;
    return links.size > 0 ? 'linked' : 'passed';
  };

  return {
    save,
    work: async (isStopped) => {
      let linked = false;
      for (const projection of projections.values()) {
        while (projection.enabled && !isStopped()) {
          const step = await advance(projection);
          if (step === 'end') break;
          linked ||= step === 'linked';
        }
      }
      if (linked) await save();
    },
  };
};

/** Works soon after something was committed, while a projection is enabled. */
const createSchedule = (store: EventStore, projections: ReadonlyMap<string, Projection>, linker: Linker) => {
  let stopped = false;
  let working: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let withdraw: (() => void) | undefined;

  const schedule = (): void => {
    if (stopped || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      working = linker
        .work(() => stopped)
        .catch(() => undefined) // the log is away; the next turn goes on where this one stopped
        .then(follow);
    }, LAG_MS);
    timer.unref();
  };

  const follow = (): void => {
    withdraw?.();
    const active = [...projections.values()].filter(({ enabled }) => enabled);
    if (stopped || active.length === 0) return;
    if (active.some(({ position }) => position < store.head.lastPosition())) schedule();
    else withdraw = store.head.onCommit(ALL, schedule);
  };

  return {
    follow,
    rest: () => working,
    stop: async (): Promise<void> => {
      stopped = true;
      withdraw?.();
      clearTimeout(timer);
      await working;
    },
  };
};

export const openProjections = async (store: EventStore): Promise<SystemProjections> => {
  const projections = new Map<string, Projection>();
  for (const name of TARGETS.keys()) projections.set(name, { name, enabled: false, position: 0 });
  for (const known of await readState(store)) projections.set(known.name, { ...known });
  const linker = createLinker(store, projections);
  const schedule = createSchedule(store, projections, linker);

  const find = (name: string): Projection => {
    const projection = projections.get(name);
    if (!projection) throw notFound(`Projection '${name}' not found`);
    return projection;
  };

  const set = async (name: string, enabled: boolean): Promise<void> => {
    find(name).enabled = enabled;
    await linker.save();
    schedule.follow();
  };

  const statusOf = (projection: Projection): ProjectionStatus => {
    const last = store.head.lastPosition();
    return { ...projection, progress: last === 0 ? 100 : (projection.position / last) * 100 };
  };

  schedule.follow();
  return {
    enable: (name) => set(name, true),
    disable: (name) => set(name, false),
    restart: async () => {
      await schedule.rest();
      schedule.follow();
    },
    status: (name) => (name === undefined ? [...projections.values()] : [find(name)]).map(statusOf),
    stop: schedule.stop,
  };
};
