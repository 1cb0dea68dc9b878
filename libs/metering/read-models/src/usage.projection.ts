import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Decimal } from '@billstream/kernel';
import {
  type Dimensions,
  type SubscriptionUsageEvent,
  type UsageRecordedEvent,
  subscriptionUsageSchema,
  usageRecordedName,
} from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { identifiedKey, placeKey, reportedKey, subscriptionSeries, userSeries } from './keys';
import { shadowUsage } from './backfilled-usage';
import type { LimitRecord } from './limit-tables';
import { beyondUsage, markLate } from './closings.projection';
import { applyLimits, limitedUnits, unitsNamed } from './limits.projection';

/** A record on its way into its table, with what is needed to judge limits by it. */
export type Sample = {
  readonly key: string;
  readonly series: string;
  readonly tenantId: string;
  readonly unit: string;
  /** Null: reported for a subscription, which no limit looks at. */
  readonly user: string | null;
  readonly subscriptionId: string | null;
  /** The report it came with; null unless it was reported for a subscription. */
  readonly trackingId: string | null;
  readonly atMs: number;
  readonly amount: Decimal;
  readonly dimensions: Dimensions | null;
  readonly event: RecordedEvent;
  readonly index: number;
};

/**
 * The primary key decides what is a duplicate, in log order and for ever. The answer names the keys that were new; as one
 * text, because a row each would cost more than the insert.
 */
const insertRecords = (more: { readonly columns: string; readonly values: string }): string => `
with inserted as (
  insert into usage_records (record_key, series, at_ms, amount, position, idx${more.columns})
  select * from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::numeric[], $6::bigint[], $7::int[]${more.values})
  on conflict (record_key) do nothing
  returning record_key
)
select coalesce(string_agg(record_key::text, ',') filter (where $1::boolean), '') as keys from inserted`;
const insertPlain = insertRecords({ columns: '', values: '' });
const insertWithDimensions = insertRecords({ columns: ', dimensions', values: ', $8::jsonb[]' });

const insertBatches = `
insert into usage_batches (position, stream, revision, accepted_position)
select position, stream, revision, position from unnest($1::bigint[], $2::text[], $3::bigint[]) as t(position, stream, revision)`;

const insertSeries = `
insert into usage_series (series, tenant_id, unit, user_name, subscription_id)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
on conflict (series) do nothing`;

const insertReports = `
insert into usage_reports (record_key, tracking_id)
select * from unnest($1::uuid[], $2::text[])
on conflict (record_key) do nothing`;

const upsertStreams = `
insert into usage_streams (stream, revision, position)
select * from unnest($1::text[], $2::bigint[], $3::bigint[])
on conflict (stream) do update set revision = excluded.revision, position = excluded.position`;

const rowsMax = 5_000;

/** Gives the limits that the records have moved, as they are then. */
export const applyUsage = async (tx: Sql, events: readonly RecordedEvent[]): Promise<readonly LimitRecord[]> => {
  const told = events.flatMap(samplesOf);
  const samples = distinct(told);
  const tenantIds = events.map(({ metadata }) => metadata.tenantId);
  const limited = await limitedUnits(tx, tenantIds, unitsNamed(events));
  const { closedUntil: until, isBackfilled } = await beyondUsage(tx, tenantIds);
  const mayBeLate = ({ user, atMs }: Sample): boolean => user !== null && until !== null && atMs < until;
  const wantsKeys = limited.size > 0 || isBackfilled || samples.some(mayBeLate);
  const fresh = new Set<string>();
  // Also those of duplicates: whether one is met in the page of its first or in another must not show.
  await recordSeries(tx, told);
  for (let from = 0; from < samples.length; from += rowsMax) {
    const chunk = samples.slice(from, from + rowsMax);
    await recordReports(tx, chunk);
    for (const key of await recordSamples(tx, chunk, wantsKeys)) fresh.add(key);
  }
  const accepted = samples.filter(({ key }) => fresh.has(key));
  if (isBackfilled)
    await shadowUsage(
      tx,
      samples.filter(({ key }) => !fresh.has(key)),
    );
  const limits = limited.size > 0 ? await applyLimits(tx, { events, samples: accepted, limited }) : [];
  // What was sent again was counted, or marked, when it came first.
  await markLate(
    tx,
    accepted.filter(mayBeLate).map(({ tenantId, series, atMs, event: { position, metadata } }) => ({
      ...{ tenantId, series, atMs, position },
      at: metadata.at,
    })),
  );
  await recordBatches(tx, events);
  await recordStreams(tx, events);
  return limits;
};

const samplesOf = (event: RecordedEvent): readonly Sample[] => {
  if (event.type === usageRecordedName) return recordedSamples(event, event.data as UsageRecordedEvent['data']);
  const reported = event.stream.startsWith('subscriptionUsage-') ? subscriptionUsageSchema.decode(event) : null;
  return reported === null ? [] : reportedSamples(event, reported.data);
};

const recordedSamples = (event: RecordedEvent, { tenantId, records }: UsageRecordedEvent['data']): readonly Sample[] =>
  records.map(([unit, user, atMs, amount, source, id, details], index) => ({
    key: source === null || id === null ? placeKey(event.position, index) : identifiedKey(tenantId, source, id),
    series: userSeries(tenantId, user, unit),
    tenantId,
    unit,
    user,
    subscriptionId: null,
    trackingId: null,
    atMs,
    amount,
    dimensions: details?.dimensions ?? null,
    event,
    index,
  }));

const reportedSamples = (event: RecordedEvent, data: SubscriptionUsageEvent['data']): readonly Sample[] => {
  const { tenantId } = event.metadata;
  const { subscriptionId, trackingId } = data;
  return data.records.map(({ unit, atMs, amount }, index) => ({
    key: reportedKey(subscriptionId, trackingId, index),
    series: subscriptionSeries(tenantId, subscriptionId, unit),
    tenantId,
    unit,
    user: null,
    subscriptionId,
    trackingId,
    atMs,
    amount,
    dimensions: null,
    event,
    index,
  }));
};

/** The first of equal keys, in log order: one statement may not meet the same key twice and say which was first. */
const distinct = (samples: readonly Sample[]): readonly Sample[] => {
  const first = new Map<string, Sample>();
  for (const sample of samples) if (!first.has(sample.key)) first.set(sample.key, sample);
  return first.size === samples.length ? samples : [...first.values()];
};

/** Keys, numbers and decimals need no escaping, and the driver's own arrays would look at each of them for it. */
const arrayText = (values: readonly (string | number | bigint)[]): string => `{${values.join(',')}}`;

const recordSamples = async (tx: Sql, samples: readonly Sample[], wantsKeys: boolean): Promise<readonly string[]> => {
  const hasDimensions = samples.some(({ dimensions }) => dimensions !== null);
  const [row] = await tx.query<{ keys: string }>(
    hasDimensions ? insertWithDimensions : insertPlain,
    [
      wantsKeys,
      arrayText(samples.map(({ key }) => key)),
      arrayText(samples.map(({ series }) => series)),
      arrayText(samples.map(({ atMs }) => atMs)),
      arrayText(samples.map(({ amount }) => amount)),
      arrayText(samples.map(({ event }) => event.position)),
      arrayText(samples.map(({ index }) => index)),
      ...(hasDimensions
        ? [samples.map(({ dimensions }) => (dimensions === null ? null : JSON.stringify(dimensions)))]
        : []),
    ],
    hasDimensions ? 'usage-records-insert-dimensions' : 'usage-records-insert',
  );
  return row === undefined || row.keys === '' ? [] : row.keys.split(',').map((key) => key.replaceAll('-', ''));
};

const recordSeries = async (tx: Sql, samples: readonly Sample[]): Promise<void> => {
  if (samples.length === 0) return;
  const series = [...new Map(samples.map((sample) => [sample.series, sample])).values()];
  await tx.query(
    insertSeries,
    [
      arrayText(series.map((one) => one.series)),
      series.map(({ tenantId }) => tenantId),
      series.map(({ unit }) => unit),
      series.map(({ user }) => user),
      series.map(({ subscriptionId }) => subscriptionId),
    ],
    'usage-series-insert',
  );
};

const recordReports = async (tx: Sql, samples: readonly Sample[]): Promise<void> => {
  const reported = samples.filter(({ trackingId }) => trackingId !== null);
  if (reported.length === 0) return;
  const values = [arrayText(reported.map(({ key }) => key)), reported.map(({ trackingId }) => trackingId)];
  await tx.query(insertReports, values, 'usage-reports-insert');
};

/** Where each batch stands, so that a record can be named by its stream, revision and place. */
const recordBatches = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const batches = events.filter(({ stream }) => /^(usage|subscriptionUsage)-/.test(stream));
  if (batches.length === 0) return;
  await tx.query(
    insertBatches,
    [
      arrayText(batches.map(({ position }) => position)),
      batches.map(({ stream }) => stream),
      arrayText(batches.map(({ revision }) => revision)),
    ],
    'usage-batches-insert',
  );
};

/** Where each stream was when it was counted, so that a bill can wait for what was taken. */
export const recordStreams = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const counted = events.filter(({ stream }) =>
    /^(usage|usageCorrection|backfilledUsage|subscriptionUsage)-/.test(stream),
  );
  const last = [...new Map(counted.map((event) => [event.stream, event])).values()];
  if (last.length === 0) return;
  await tx.query(
    upsertStreams,
    [
      last.map(({ stream }) => stream),
      arrayText(last.map(({ revision }) => revision)),
      arrayText(last.map(({ position }) => position)),
    ],
    'usage-streams-upsert',
  );
};
