import { filterIn, type EventFilter } from '../protocol/event-filter';
import { allStart, type StartingPoint } from '../protocol/read-request';
import { streamNameIn } from '../protocol/proposals';
import { decode, LAST, type Message } from '../protocol/wire';
import { ALL } from '../storage/head';

export interface GroupSettings {
  readonly startFrom: StartingPoint;
  readonly resolveLinks: boolean;
  readonly extraStatistics: boolean;
  readonly messageTimeoutMs: number;
  readonly retriesMax: number;
  readonly checkpointAfterMs: number;
  readonly checkpointMin: number;
  readonly checkpointMax: number;
  /** 0: any number. */
  readonly subscribersMax: number;
  readonly liveBufferSize: number;
  readonly readBatchSize: number;
  readonly historyBufferSize: number;
  readonly strategy: string;
}

export interface GroupKey {
  /** A stream, or `$all`. */
  readonly stream: string;
  readonly group: string;
}

export interface GroupRequest extends GroupKey {
  readonly settings: GroupSettings;
  /** As it came, in base64, so that it can be stored and read again. */
  readonly filter: string | undefined;
}

const STRATEGIES = ['DispatchToSingle', 'RoundRobin', 'Pinned'] as const;

const strategyIn = (settings: Message): string =>
  settings.text(16) || (STRATEGIES[settings.number(13)] ?? 'RoundRobin');

/** Timeouts come in ms (14, 15) from this client, in ticks of 100 ns (4, 6) from old ones. */
const millisecondsIn = (settings: Message, field: number, ticksField: number): number =>
  settings.has(ticksField) ? settings.number(ticksField) / 10_000 : settings.number(field);

const settingsIn = (settings: Message, startFrom: StartingPoint): GroupSettings => ({
  startFrom,
  resolveLinks: settings.flag(1),
  extraStatistics: settings.flag(3),
  messageTimeoutMs: millisecondsIn(settings, 14, 4),
  retriesMax: settings.number(5),
  checkpointAfterMs: millisecondsIn(settings, 15, 6),
  checkpointMin: settings.number(7),
  checkpointMax: settings.number(8),
  subscribersMax: settings.number(9),
  liveBufferSize: settings.number(10),
  readBatchSize: settings.number(11),
  historyBufferSize: settings.number(12),
  strategy: strategyIn(settings),
});

const pointOf = (revision: number): StartingPoint => {
  if (revision === 0) return 'start';
  return revision >= LAST ? 'end' : revision;
};

/** StreamOptions (4) is what newer clients send; the official one of this age puts the revision into the settings. */
const streamStart = (options: Message): StartingPoint => {
  if (!options.has(4)) return pointOf(options.message(3).number(2));
  const stream = options.message(4);
  if (stream.has(3)) return 'start';
  return stream.has(4) ? 'end' : pointOf(stream.number(2));
};

export const groupRequestIn = (request: Buffer): GroupRequest => {
  const options = decode(request).message(1);
  const [group, settings] = [options.text(2), options.message(3)];
  if (options.has(5)) {
    const all = options.message(5);
    const filter = all.has(4) ? all.bytes(4).toString('base64') : undefined;
    return { stream: ALL, group, settings: settingsIn(settings, allStart(all)), filter };
  }
  const identifier = options.has(4) ? options.message(4).bytes(1) : options.bytes(1);
  return {
    stream: streamNameIn(identifier),
    group,
    settings: settingsIn(settings, streamStart(options)),
    filter: undefined,
  };
};

export const filterOf = (filter: string | undefined): EventFilter | undefined =>
  filter === undefined ? undefined : filterIn(decode(Buffer.from(filter, 'base64')));

export interface GroupDefinition extends GroupRequest {
  /** The last place that is done with, when the group starts; -1 (0 in the whole log) is none. */
  readonly startAfter: number;
}

/** Where Delete, GetInfo, ReplayParked and Read put stream, `$all` and group differs. */
export interface KeyFields {
  readonly stream: number;
  readonly all: number;
  readonly group: number;
}

export const groupKeyIn = (options: Message, fields: KeyFields): GroupKey => ({
  stream: options.has(fields.all) ? ALL : streamNameIn(options.bytes(fields.stream)),
  group: options.text(fields.group),
});
