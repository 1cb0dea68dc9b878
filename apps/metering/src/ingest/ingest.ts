import { type Clock, digest } from '@billstream/kernel';
import {
  type CountingMethod,
  type LoggedRecord,
  type RecordForm,
  type RejectedRecord,
  parseRecords,
  recordOfCloudEvent,
  usageStream,
} from '@billstream/metering-domain';
import { type RecentRecords, recentRecords } from './recent-records';
import type { UsageWriter } from './usage-writer';

/** What became of a batch. `deduplicated`: every record of it can be recognised if it is sent again. */
export type IngestAnswer = {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly RejectedRecord[];
  readonly deduplicated: boolean;
};

export type IngestRequest = {
  readonly tenantId: string;
  readonly batch: readonly unknown[];
  /** The client's own name of the request; with a record's place in it, the id of records that bring none. */
  readonly requestKey: string | null;
  /** Left out: as the original's clients send records. */
  readonly form?: RecordForm;
};

export type IngestParts = {
  readonly writer: UsageWriter;
  readonly clock: Clock;
  /** Asked only when a record brings no amount: whether that says something depends on its unit. */
  readonly methodsOf: (tenantId: string, units: readonly string[]) => Promise<ReadonlyMap<string, CountingMethod>>;
  readonly recent?: RecentRecords;
  /** False takes every record for a new one, for the test that shows what its name is good for. */
  readonly recogniseRepeats?: boolean;
};

export type Ingest = (request: IngestRequest) => Promise<IngestAnswer>;

/** Source of records that name none. */
export const sourceOfRecords = 'meter';

/**
 * Takes a batch of usage: what cannot be understood is named, the rest is durable when this resolves. Duplicates that
 * are known to be durable are answered as such; the others are found in log order by the read model.
 */
export const createIngest = (parts: IngestParts): Ingest => {
  const recent = parts.recent ?? recentRecords();
  return async ({ tenantId, batch, requestKey, form = 'METER' }) => {
    const methods = await methodsNeeded(parts, tenantId, { batch, form });
    const { accepted, rejected } = parseRecords(batch, {
      now: parts.clock.now(tenantId),
      methodOf: (unit) => methods.get(unit) ?? null,
      source: sourceOfRecords,
      form,
      // The record is part of its name: proxies send one request id along a whole chain of different calls.
      idOf: (index) =>
        requestKey === null ? null : `request ${requestKey} ${index} ${digest(JSON.stringify(batch[index]))}`,
    });
    const { groups, fresh, duplicates, isNamed } = grouped(
      tenantId,
      accepted.map(({ record }) => (parts.recogniseRepeats === false ? unnamed(record) : record)),
      recent,
    );
    await Promise.all([...groups].map(([stream, records]) => parts.writer.write(tenantId, stream, records)));
    for (const [scope, ids] of fresh) for (const id of ids) recent.add(scope, id);
    return { accepted: accepted.length - duplicates, duplicates, rejected, deduplicated: isNamed };
  };
};

const unnamed = ([unit, user, atMs, amount, , , details]: LoggedRecord): LoggedRecord =>
  details === undefined ? [unit, user, atMs, amount, null, null] : [unit, user, atMs, amount, null, null, details];

/** Units of records without an amount; a batch that has none costs nothing here. */
const methodsNeeded = async (
  parts: IngestParts,
  tenantId: string,
  { batch, form }: { readonly batch: readonly unknown[]; readonly form: RecordForm },
): Promise<ReadonlyMap<string, CountingMethod>> => {
  const units = unitsWithoutAmount(batch, form);
  return units.length === 0 ? new Map() : parts.methodsOf(tenantId, units);
};

/** Units of the records that bring no amount. */
export const unitsWithoutAmount = (batch: readonly unknown[], form: RecordForm): readonly string[] => {
  const units = new Set<string>();
  for (const raw of batch) {
    const unit = unitWithoutAmount(form === 'CLOUD_EVENT' ? unwrapped(raw) : raw);
    if (unit !== null) units.add(unit);
  }
  return [...units];
};

const unwrapped = (raw: unknown): unknown => {
  const event = recordOfCloudEvent(raw);
  return 'record' in event ? event.record : null;
};

const unitWithoutAmount = (raw: unknown): string | null => {
  if (typeof raw !== 'object' || raw === null) return null;
  const { unit, amount } = raw as { readonly unit?: unknown; readonly amount?: unknown };
  return (amount === undefined || amount === null) && typeof unit === 'string' ? unit : null;
};

type Grouped = {
  readonly groups: ReadonlyMap<string, readonly LoggedRecord[]>;
  /** Ids by scope of what is written now. */
  readonly fresh: ReadonlyMap<string, ReadonlySet<string>>;
  readonly duplicates: number;
  readonly isNamed: boolean;
};

const grouped = (tenantId: string, records: readonly LoggedRecord[], recent: RecentRecords): Grouped => {
  const groups = new Map<string, LoggedRecord[]>();
  const fresh = new Map<string, Set<string>>();
  let duplicates = 0;
  let isNamed = true;
  for (const record of records) {
    const [, user, , , source, id] = record;
    if (source === null || id === null) isNamed = false;
    else {
      const scope = `${tenantId} ${source}`;
      const ids = fresh.get(scope) ?? new Set();
      if (ids.size === 0) fresh.set(scope, ids);
      if (ids.has(id) || recent.has(scope, id)) {
        duplicates += 1;
        continue;
      }
      ids.add(id);
    }
    const stream = usageStream(tenantId, user);
    const group = groups.get(stream);
    if (group) group.push(record);
    else groups.set(stream, [record]);
  }
  return { groups, fresh, duplicates, isNamed };
};
