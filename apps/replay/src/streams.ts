import type { EventStore, RecordedEvent } from '@billstream/event-sourcing';
import { type ReplayContext, contexts } from './contexts';
import { print, table } from './output';

const pageSize = 2_000;

/** All events of the prefixes up to the present end of the log, page by page. */
export async function* eventsOf(
  store: EventStore,
  prefixes: readonly string[],
): AsyncGenerator<readonly RecordedEvent[]> {
  for (let after: bigint | null = null; ;) {
    const page = await store.readAll({ after, prefixes, max: pageSize });
    if (page.events.length > 0) yield page.events;
    if (page.caughtUp) return;
    after = page.position;
  }
}

type Summary = { events: number; readonly names: Set<string>; last: RecordedEvent | null };

/** Without a prefix: how many streams and events each category has. With one: the streams themselves. */
export const listStreams = async (
  store: EventStore,
  options: { readonly prefix?: string; readonly limit: number },
): Promise<void> => {
  const found = new Map<string, Summary>();
  const prefixes = options.prefix === undefined ? contexts.flatMap((context) => context.streams) : [options.prefix];
  for await (const page of eventsOf(store, prefixes))
    for (const event of page) {
      const name = options.prefix === undefined ? event.stream.slice(0, event.stream.indexOf('-')) : event.stream;
      const summary = found.get(name) ?? { events: 0, names: new Set<string>(), last: null };
      summary.events += 1;
      if (options.prefix === undefined) summary.names.add(event.stream);
      summary.last = event;
      found.set(name, summary);
    }
  const rows = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, options.limit);
  if (options.prefix === undefined)
    table(
      ['category', 'context', 'streams', 'events', 'last event'],
      rows.map(([name, s]) => [name, contextOf(name)?.name ?? '', s.names.size, s.events, s.last?.metadata.at ?? '']),
    );
  else
    table(
      ['stream', 'events', 'last type', 'last event'],
      rows.map(([name, s]) => [name, s.events, s.last?.type ?? '', s.last?.metadata.at ?? '']),
    );
  if (found.size > rows.length) print(`… and ${found.size - rows.length} more; --limit shows them`);
};

const contextOf = (category: string): ReplayContext | undefined =>
  contexts.find(({ streams }) => streams.includes(`${category}-`));

export type ShowOptions = {
  readonly type?: string;
  readonly from?: bigint;
  readonly max: number;
  readonly since?: string;
  readonly until?: string;
  readonly json: boolean;
};

/** A stream's events as one reads them: when, what, by whom, and the data. Filters by stored type (part of it) and business time. */
export const showStream = async (store: EventStore, stream: string, options: ShowOptions): Promise<void> => {
  const events = await store.read(stream, options.from ?? 0n);
  if (events.length === 0)
    throw new Error(
      `there is no event in ${stream}${options.from === undefined ? '' : ` from revision ${options.from} on`}`,
    );
  const wanted = events
    .filter(({ type }) => options.type === undefined || type.includes(options.type))
    .filter(
      ({ metadata }) =>
        (options.since === undefined || metadata.at >= options.since) &&
        (options.until === undefined || metadata.at < options.until),
    );
  for (const event of wanted.slice(0, options.max)) {
    if (options.json)
      print(JSON.stringify({ ...event, revision: String(event.revision), position: String(event.position) }));
    else printEvent(event);
  }
  if (!options.json) print(`${Math.min(wanted.length, options.max)} of ${events.length} events`);
};

const printEvent = ({ revision, position, type, metadata, data, id }: RecordedEvent): void => {
  print(`#${revision}  ${type}  ${metadata.at}  (position ${position}, recorded ${metadata.recordedAt})`);
  print(`    by ${metadata.actor.createdBy}  tenant ${metadata.tenantId}  command ${metadata.commandId}  event ${id}`);
  for (const line of JSON.stringify(data, null, 2).split('\n')) print(`    ${line}`);
};
