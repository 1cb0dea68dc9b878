import { type EventStore, type StoredEvent, metadataOf } from '@billstream/event-sourcing';
import { derivedId, instantOfMs, parseDecimal } from '@billstream/kernel';
import { type LoggedRecord, usageRecordedName, usageStreamsOf } from '@billstream/metering-domain';
import { inLanes, randomOf } from './measure';

const tenantId = '3f0c3c4e-1c3b-4d61-9a40-000000000003';
const begin = Date.UTC(2024, 0, 1);
const recordsPerEvent = 100;
const users = 500;

/** Usage as the ingest writes it: batches of records, each with an id, over the streams of a tenant. Gives the events. */
export const seedUsage = async (store: EventStore, seed: number, records: number): Promise<number> => {
  const random = randomOf(seed);
  const record = (number: number): LoggedRecord => [
    'analytics',
    `user-${Math.floor(random() * users)}@example.com`,
    begin + number * 1_000,
    parseDecimal(1 + Math.floor(random() * 50)) ?? raise('a whole number is a decimal'),
    'bench',
    `record-${seed}-${number}`,
  ];
  const event = (number: number): StoredEvent => {
    const id = derivedId('usage', String(seed), String(number));
    const first = number * recordsPerEvent;
    const at = instantOfMs(begin + first * 1_000);
    const data = { tenantId, records: Array.from({ length: recordsPerEvent }, (_, index) => record(first + index)) };
    const metadata = metadataOf({ commandId: id, correlationId: id, tenantId, actor: { createdBy: 'bench' }, at });
    return { id, type: usageRecordedName, data, metadata };
  };
  const streams = usageStreamsOf(tenantId);
  const perStream = Math.ceil(records / recordsPerEvent / streams.length);
  await inLanes(streams.length, streams.length, async (piece) => {
    const stream = streams[piece] ?? raise('a stream for each lane');
    for (let written = 0; written < perStream; written += 50) {
      const count = Math.min(50, perStream - written);
      const events = Array.from({ length: count }, (_, index) => event((written + index) * streams.length + piece));
      await store.append(stream, written === 0 ? 'none' : BigInt(written - 1), events);
    }
  });
  return perStream * streams.length;
};

const raise = (reason: string): never => {
  throw new Error(reason);
};
