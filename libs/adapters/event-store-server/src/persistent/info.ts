import { bytesField, message, messageField, numberField, textField } from '../protocol/wire';
import type { StartingPoint } from '../protocol/read-request';
import type { EventStore } from '../storage/event-store';
import { ALL } from '../storage/head';
import type { Consumer } from './consumers';
import type { Group } from './group';
import { parkedCount } from './group-streams';

const MEASUREMENTS: readonly (readonly [string, number])[] = [
  ['Quintile 1', 0.2],
  ['Quintile 2', 0.4],
  ['Quintile 3', 0.6],
  ['Quintile 4', 0.8],
  ['Quintile 5', 1],
  ['90%', 0.9],
  ['95%', 0.95],
  ['99%', 0.99],
  ['99.5%', 0.995],
  ['99.9%', 0.999],
  ['Highest', 1],
];

const measurement = (key: string, value: number): Buffer =>
  messageField(6, textField(1, key), numberField(2, Math.round(value)));

const measurementsOf = ({ latenciesMs }: Consumer): readonly Buffer[] => {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  return [
    measurement('Mean', mean),
    measurement('Median', at(0.5)),
    measurement('Fastest', sorted[0] ?? 0),
    ...MEASUREMENTS.map(([key, share]) => measurement(key, at(share))),
  ];
};

const perSecond = (total: number, sinceMs: number): number =>
  Math.round(total / Math.max(1, (Date.now() - sinceMs) / 1_000));

const connectionOf = (consumer: Consumer, extraStatistics: boolean): Buffer =>
  messageField(
    4,
    textField(1, consumer.outlet.caller.from),
    textField(2, consumer.outlet.caller.user),
    numberField(3, perSecond(consumer.total, consumer.since)),
    numberField(4, consumer.total),
    numberField(5, consumer.total),
    ...(extraStatistics ? measurementsOf(consumer) : []),
    numberField(7, consumer.slots - consumer.inFlight.size),
    numberField(8, consumer.inFlight.size),
    textField(9, consumer.outlet.caller.connectionName),
  );

/** Places are text: a revision, or both halves of a position. */
const placeText = (stream: string, place: number | undefined): string => {
  if (place === undefined) return '';
  return stream === ALL ? `C:${place}/P:${place}` : String(place);
};

const startText = (stream: string, from: StartingPoint): string => {
  const place = from === 'start' ? 0 : from === 'end' ? -1 : from;
  return placeText(stream, place);
};

const lastKnown = (store: EventStore, stream: string): number | undefined => {
  if (stream === ALL) return store.head.lastPosition();
  const next = store.head.stream(stream)?.next ?? 0;
  return next === 0 ? undefined : next - 1;
};

const settingsPart = ({ definition }: Group): Buffer => {
  const { settings, stream } = definition;
  return message(
    numberField(10, settings.resolveLinks ? 1 : 0),
    textField(11, startText(stream, settings.startFrom)),
    numberField(12, settings.messageTimeoutMs),
    numberField(13, settings.extraStatistics ? 1 : 0),
    numberField(14, settings.retriesMax),
    numberField(15, settings.liveBufferSize),
    numberField(16, settings.historyBufferSize),
    numberField(17, settings.readBatchSize),
    numberField(18, settings.checkpointAfterMs),
    numberField(19, settings.checkpointMin),
    numberField(20, settings.checkpointMax),
    textField(26, settings.strategy),
    numberField(27, settings.subscribersMax),
  );
};

export const infoOf = (store: EventStore, group: Group): Buffer => {
  const { stream, group: name, settings } = group.definition;
  const now = group.snapshot();
  const inFlight = now.consumers.reduce((sum, consumer) => sum + consumer.inFlight.size, 0);
  return message(
    textField(1, stream),
    textField(2, name),
    textField(3, 'Live'),
    ...now.consumers.map((consumer) => connectionOf(consumer, settings.extraStatistics)),
    numberField(
      5,
      now.consumers.reduce((sum, consumer) => sum + perSecond(consumer.total, consumer.since), 0),
    ),
    numberField(6, now.total),
    numberField(7, now.total),
    textField(8, placeText(stream, now.lastCheckpoint)),
    textField(9, placeText(stream, lastKnown(store, stream))),
    settingsPart(group),
    numberField(21, now.buffered),
    numberField(22, 0),
    numberField(23, now.retrying),
    numberField(24, inFlight),
    numberField(25, now.outstanding),
    numberField(28, parkedCount(store, group.definition)),
  );
};

export const infoAnswer = (info: Buffer): Buffer => bytesField(1, info);
