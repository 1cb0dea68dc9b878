import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Decimal, epochMs } from '@billstream/kernel';
import {
  type CorrectedRecord,
  type Dimensions,
  type UsageCorrection,
  backfilledUsageStream,
  usageCorrectionSchema,
} from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { type UsagePoint, markLate } from './closings.projection';
import { correctionKey, identifiedKey, userSeries } from './keys';

/** What a record counts as. */
export type Counting = {
  readonly series: string;
  readonly unit: string;
  readonly user: string;
  readonly atMs: number;
  readonly amount: Decimal;
  readonly dimensions: Dimensions | null;
};

/** What a correction changed, for limits; null: the record did not count before, or does not any more. */
export type CorrectedUsage = {
  readonly event: RecordedEvent;
  /** Its place in the event. */
  readonly index: number;
  readonly before: Counting | null;
  readonly after: Counting | null;
};

const recordsOf = `
select r.record_key as key, r.series, s.unit, s.user_name as "user", r.at_ms as "atMs", r.amount, r.dimensions,
  r.position, r.idx as index, (
  select b.replaced_by is not null from usage_shadowed b where b.record_key = r.record_key) is true as "isReplaced"
from usage_records r left join usage_series s using (series)
where r.record_key = any($1::uuid[])`;

/** Nothing counts under the name, and whoever comes later is a duplicate. */
const takeNames = `
insert into usage_records (record_key, series, at_ms, amount, position, idx)
select * from jsonb_to_recordset($1::jsonb) as row(
  record_key uuid, series uuid, at_ms bigint, amount numeric, position bigint, idx int)`;

const knownCorrections = `select correction_key as key from usage_corrections where correction_key = any($1::uuid[])`;

const updateRecords = `
update usage_records r set series = t.series, at_ms = t.at_ms, amount = t.amount, dimensions = t.dimensions
from jsonb_to_recordset($1::jsonb) as t(record_key uuid, series uuid, at_ms bigint, amount numeric, dimensions jsonb)
where r.record_key = t.record_key`;

const insertSeries = `
insert into usage_series (series, tenant_id, unit, user_name)
select * from jsonb_to_recordset($1::jsonb) as row(series uuid, tenant_id text, unit text, user_name text)
on conflict (series) do nothing`;

const insertCorrections = `
insert into usage_corrections
select * from jsonb_to_recordset($1::jsonb) as row(
  correction_key uuid, tenant_id text, correction_id text, kind text, record_key uuid, source text, record_id text,
  position bigint, idx int, corrected_at timestamptz, actor text, reason text, record_position bigint, record_idx int,
  before_series uuid, before_at_ms bigint, before_amount numeric, before_dimensions jsonb,
  after_series uuid, after_at_ms bigint, after_amount numeric, after_dimensions jsonb)`;

type Row = {
  readonly key: string;
  readonly atMs: bigint;
  readonly amount: Decimal;
  readonly dimensions: Dimensions | null;
  readonly position: bigint;
  readonly index: number;
  /** A backfill took it away: it counts again, as corrected, when that is reverted. */
  readonly isReplaced: boolean;
} & (
  | { readonly series: string; readonly unit: string; readonly user: string }
  | { readonly series: null; readonly unit: null; readonly user: null }
);

/** A record under correction: what it is stored as, and what it counts as at the moment. */
type Known = Pick<Row, 'key' | 'position' | 'index' | 'isReplaced'> & { readonly counting: Counting | null };

const plain = (uuid: string): string => uuid.replaceAll('-', '');

export const isCorrection = ({ stream }: RecordedEvent): boolean => stream.startsWith('usageCorrection-');

/**
 * Carries out corrections in the order of the log. A name that was used before changes nothing; nor does an unknown
 * record, nor what was worked out before a backfill that it comes after.
 */
export const applyCorrections = async (
  tx: Sql,
  events: readonly RecordedEvent[],
): Promise<readonly CorrectedUsage[]> => {
  const worked = await workedOut(tx, events);
  await write(tx, worked);
  return worked.changes;
};

/** A record that a correction would change, and what it counts as before and after; null: it does not count. */
export type PlannedRecord = {
  readonly key: string;
  readonly before: Counting | null;
  readonly after: Counting | null;
};

/** What the corrections would come to. Reads only. */
export const plannedCorrections = async (tx: Sql, event: RecordedEvent): Promise<readonly PlannedRecord[]> => {
  const { known, before } = await workedOut(tx, [event]);
  return [...known].flatMap(([key, record]) => {
    const stored = before.get(key);
    return stored === record ? [] : [{ key, before: stored?.counting ?? null, after: record.counting }];
  });
};

/** `before`: the records as they are stored. */
const workedOut = async (
  tx: Sql,
  events: readonly RecordedEvent[],
): Promise<Writing & { readonly before: ReadonlyMap<string, Known> }> => {
  const told = (await inTime(tx, events)).flatMap(({ event, corrections }) =>
    corrections.map((correction, index) => ({ event, correction, index })),
  );
  const before = await knownRecords(tx, told);
  const known = new Map(before);
  const used = await usedNames(tx, told);
  const taken = new Map<string, object>();
  const changes: CorrectedUsage[] = [];
  const history: object[] = [];
  for (const one of told) {
    const { tenantId } = one.event.metadata;
    const name = correctionKey(tenantId, one.correction.correctionId);
    const sentAs = sentAsKey(one);
    if (used.has(name) || (sentAs !== null && (known.has(sentAs) || taken.has(sentAs)))) continue;
    used.add(name);
    if (sentAs !== null) taken.set(sentAs, nameRow(one, sentAs));
    const key = identifiedKey(tenantId, one.correction.source, one.correction.id);
    const record = known.get(key) ?? null;
    const after = record === null ? null : countingOf(tenantId, one.correction.replacement);
    history.push(historyRow(one, { name, key, record, after }));
    if (record === null || record.isReplaced) continue;
    changes.push({ event: one.event, index: one.index, before: record.counting, after });
    known.set(key, { ...record, counting: after });
  }
  return { before, known, history, changes, taken: [...taken.values()] };
};

type Made = { readonly event: RecordedEvent; readonly corrections: readonly UsageCorrection[] };

const backfilledTo = `
select stream, position from usage_streams where stream = any($1::text[])`;

/** Those that knew of every backfill that ended before them: the others were worked out from what does not count any more. */
const inTime = async (tx: Sql, events: readonly RecordedEvent[]): Promise<readonly Made[]> => {
  const made = events.flatMap((event) => {
    const data = usageCorrectionSchema.decode(event)?.data;
    return data === undefined ? [] : [{ event, ...data, stream: backfilledUsageStream(event.metadata.tenantId) }];
  });
  const streams = [...new Set(made.flatMap((one) => (one.backfilledTo === undefined ? [] : [one.stream])))];
  if (streams.length === 0) return made;
  const rows = await tx.query<{ stream: string; position: bigint }>(backfilledTo, [streams], 'usage-backfilled-to');
  const ends = new Map(rows.map(({ stream, position }) => [stream, position]));
  return made.filter(
    ({ stream, backfilledTo: known }) => known === undefined || (ends.get(stream) ?? -1n) <= BigInt(known),
  );
};

type Told = { readonly event: RecordedEvent; readonly correction: UsageCorrection; readonly index: number };

const knownRecords = async (tx: Sql, told: readonly Told[]): Promise<Map<string, Known>> => {
  const keys = told.flatMap((one) => {
    const { source, id } = one.correction;
    return [identifiedKey(one.event.metadata.tenantId, source, id), sentAsKey(one) ?? []].flat();
  });
  const rows = await tx.query<Row>(recordsOf, [[...new Set(keys)]], 'usage-records-by-key');
  return new Map(
    rows.map(({ key, series, unit, user, atMs, amount, dimensions, position, index, isReplaced }) => [
      plain(key),
      {
        ...{ key: plain(key), position, index, isReplaced },
        counting:
          series === null ? null : { series: plain(series), unit, user, atMs: Number(atMs), amount, dimensions },
      },
    ]),
  );
};

const sentAsKey = ({ event, correction: { source, sentAs } }: Told): string | null =>
  sentAs === undefined ? null : identifiedKey(event.metadata.tenantId, source, sentAs);

const nameRow = ({ event, index }: Told, key: string): object => ({
  ...{ record_key: key, series: null, at_ms: epochMs(event.metadata.at), amount: 0 },
  ...{ position: String(event.position), idx: index },
});

const usedNames = async (tx: Sql, told: readonly Told[]): Promise<Set<string>> => {
  const names = told.map(({ event, correction }) => correctionKey(event.metadata.tenantId, correction.correctionId));
  const rows = await tx.query<{ key: string }>(knownCorrections, [names], 'usage-corrections-known');
  return new Set(rows.map(({ key }) => plain(key)));
};

const countingOf = (tenantId: string, replacement: CorrectedRecord | null): Counting | null => {
  if (replacement === null) return null;
  const { unit, user, atMs, amount, dimensions = null } = replacement;
  return { series: userSeries(tenantId, user, unit), unit, user, atMs, amount, dimensions };
};

type Carried = {
  readonly name: string;
  readonly key: string;
  readonly record: Known | null;
  readonly after: Counting | null;
};

const historyRow = ({ event, correction, index }: Told, { name, key, record, after }: Carried): object => {
  const { metadata, position } = event;
  const before = record?.counting ?? null;
  return {
    correction_key: name,
    tenant_id: metadata.tenantId,
    correction_id: correction.correctionId,
    kind: record === null ? 'UNKNOWN' : after === null ? 'VOID' : 'REPLACE',
    record_key: key,
    source: correction.source,
    record_id: correction.id,
    position: String(position),
    idx: index,
    corrected_at: metadata.at,
    actor: metadata.actor.createdBy,
    reason: correction.reason,
    record_position: record === null ? null : String(record.position),
    record_idx: record?.index ?? null,
    ...columnsOf('before', before),
    ...columnsOf('after', after),
  };
};

const columnsOf = (prefix: 'before' | 'after', counting: Counting | null): object =>
  counting === null
    ? {}
    : {
        [`${prefix}_series`]: counting.series,
        [`${prefix}_at_ms`]: counting.atMs,
        [`${prefix}_amount`]: counting.amount,
        [`${prefix}_dimensions`]: counting.dimensions,
      };

type Writing = {
  readonly known: ReadonlyMap<string, Known>;
  readonly history: readonly object[];
  readonly changes: readonly CorrectedUsage[];
  /** Rows of names that are taken. */
  readonly taken: readonly object[];
};

/** A voided record keeps its time and amount: only its series says that nothing counts it. */
const write = async (tx: Sql, { known, history, changes, taken }: Writing): Promise<void> => {
  if (history.length === 0) return;
  const series = changes.flatMap(({ after, event }) =>
    after === null
      ? []
      : [{ series: after.series, tenant_id: event.metadata.tenantId, unit: after.unit, user_name: after.user }],
  );
  const distinct = [...new Map(series.map((one) => [one.series, one])).values()];
  await tx.query(insertSeries, [JSON.stringify(distinct)], 'usage-series-corrected');
  const voided = [...known.values()].filter(({ counting }) => counting === null).map(({ key }) => key);
  await tx.query(
    'update usage_records set series = null where record_key = any($1::uuid[])',
    [voided],
    'usage-records-void',
  );
  const counting = [...known.values()].flatMap(({ key, counting: now }) =>
    now === null
      ? []
      : [{ record_key: key, series: now.series, at_ms: now.atMs, amount: now.amount, dimensions: now.dimensions }],
  );
  await tx.query(updateRecords, [JSON.stringify(counting)], 'usage-records-correct');
  if (taken.length > 0) await tx.query(takeNames, [JSON.stringify(taken)], 'usage-records-take-names');
  await tx.query(insertCorrections, [JSON.stringify(history)], 'usage-corrections-insert');
  await markLate(tx, changes.flatMap(pointsOf));
};

const pointsOf = ({ event, before, after }: CorrectedUsage): readonly UsagePoint[] =>
  [before, after].flatMap((one) =>
    one === null
      ? []
      : [
          {
            tenantId: event.metadata.tenantId,
            series: one.series,
            atMs: one.atMs,
            position: event.position,
            at: event.metadata.at,
          },
        ],
  );
