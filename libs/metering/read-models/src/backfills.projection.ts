import type { RecordedEvent } from '@billstream/event-sourcing';
import { epochMs } from '@billstream/kernel';
import {
  type BackfilledUsageEvent,
  type UsageBackfillEvent,
  backfillRecordsSchema,
  backfilledUsageSchema,
  usageBackfillSchema,
} from '@billstream/metering-domain';
import { type Sql, schedule, unschedule } from '@billstream/postgres';
import { type PlannedChange, planBackfill, planCounts } from './backfill-plan';
import { tellProgress } from './backfill-progress';
import { applyBackfilledLimits } from './backfilled-limits';
import { lateUsageItem } from './closings.projection';
import { identifiedKey, userSeries } from './keys';
import { writePlanned } from './planned-records';

/** Due work: a backfill that nobody committed is given up. */
export const backfillExpiryKind = 'backfill-expiry';

const streams = /^(usageBackfill|usageBackfillPart|backfilledUsage)-/;

export const isBackfill = ({ stream }: RecordedEvent): boolean => streams.test(stream);

/** In the order of the log: what is staged counts nowhere, what is committed counts all at once. */
export const applyBackfills = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  for (const recorded of events) {
    const staging = usageBackfillSchema.decode(recorded);
    const end = backfilledUsageSchema.decode(recorded);
    if (staging !== null) await applyStaging(tx, recorded, staging);
    else if (end !== null) await applyEnd(tx, recorded, end);
    else await recordPiece(tx, recorded);
  }
};

const insertBackfill = `
insert into usage_backfills (backfill_id, tenant_id, name, reason, mode, from_ms, to_ms, units, users, status, opened_at,
  opened_by, opened_position, expires_at, parts, records, rejected)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'STAGING', $10, $11, $12, $13, 0, 0, 0)`;

const insertPart = `
with part as (
  insert into usage_backfill_parts values ($1, $2, $3, $4, $5, $6, $7)
)
update usage_backfills set parts = parts + 1, records = records + $4, rejected = rejected + $5 where backfill_id = $1`;

const applyStaging = async (
  tx: Sql,
  { metadata, position }: RecordedEvent,
  event: UsageBackfillEvent,
): Promise<void> => {
  const { backfillId } = event.data;
  switch (event.type) {
    case 'BackfillOpened': {
      const { name, reason, mode, fromAt, toAt, units, users, expiresAt } = event.data;
      const { tenantId } = metadata;
      const scope = [mode, epochMs(fromAt), epochMs(toAt), units, users];
      const opened = [metadata.at, metadata.actor.createdBy, position, expiresAt ?? null];
      await tx.query(insertBackfill, [backfillId, tenantId, name, reason, ...scope, ...opened]);
      if (expiresAt !== undefined)
        await schedule(tx, [{ tenantId, kind: backfillExpiryKind, key: backfillId, dueAt: expiresAt, payload: {} }]);
      return;
    }
    case 'PartStaged': {
      const { part, digest, records, rejected, rejections } = event.data;
      const values = [backfillId, part, digest, records, rejected, JSON.stringify(rejections), position];
      await tx.query(insertPart, values, 'usage-backfill-part');
      return;
    }
    case 'BackfillSealed':
      await tx.query(`update usage_backfills set status = 'SEALED' where backfill_id = $1`, [backfillId]);
  }
};

const insertPiece = `
insert into usage_backfill_pieces (position, backfill_id, digest, stream, revision)
select $2::bigint, backfill_id, $3::text, $4::text, $5::bigint
from usage_backfills where backfill_id = $1::uuid and tenant_id = $6 and status = 'STAGING'
returning backfill_id`;

const insertSeries = `
insert into usage_backfill_series (backfill_id, series, unit, user_name)
select $1::uuid, * from unnest($2::uuid[], $3::text[], $4::text[])
on conflict do nothing`;

const insertRecords = `
insert into usage_backfill_records (position, idx, record_key, series, at_ms, amount, dimensions)
select $1::bigint, * from unnest($2::int[], $3::uuid[], $4::uuid[], $5::bigint[], $6::numeric[], $7::jsonb[])`;

/** A piece that comes once nothing can be staged any more was left behind by an upload that broke off: nobody will name it. */
const recordPiece = async (tx: Sql, recorded: RecordedEvent): Promise<void> => {
  const piece = backfillRecordsSchema.decode(recorded);
  if (piece === null) return;
  const { position, stream, revision, metadata } = recorded;
  const { tenantId } = metadata;
  const { backfillId, digest, records } = piece.data;
  const known = await tx.query(
    insertPiece,
    [backfillId, position, digest, stream, revision, tenantId],
    'usage-backfill-piece',
  );
  if (known.length === 0) return;
  const series = new Map(records.map(([unit, user]) => [userSeries(tenantId, user, unit), { unit, user }]));
  const named = [...series.values()];
  await tx.query(
    insertSeries,
    [backfillId, [...series.keys()], named.map(({ unit }) => unit), named.map(({ user }) => user)],
    'usage-backfill-series',
  );
  await tx.query(
    insertRecords,
    [
      position,
      records.map((_, index) => index),
      records.map(([, , , , source, id]) => identifiedKey(tenantId, source ?? '', id ?? '')),
      records.map(([unit, user]) => userSeries(tenantId, user, unit)),
      records.map(([, , atMs]) => atMs),
      records.map(([, , , amount]) => amount),
      records.map(([, , , , , , details]) =>
        details?.dimensions === undefined ? null : JSON.stringify(details.dimensions),
      ),
    ],
    'usage-backfill-records',
  );
};

const applyEnd = async (tx: Sql, recorded: RecordedEvent, event: BackfilledUsageEvent): Promise<void> => {
  const { position, metadata } = recorded;
  const { tenantId } = metadata;
  const { backfillId } = event.data;
  const change = { tenantId, backfillId, position };
  await unschedule(tx, [{ kind: backfillExpiryKind, key: backfillId }]);
  switch (event.type) {
    case 'BackfillCommitted':
      await carryOut(tx, recorded, { ...change, isCommitted: true });
      break;
    case 'BackfillReverted':
      await carryOut(tx, recorded, { ...change, isCommitted: false });
      await end(tx, recorded, { backfillId, status: 'REVERTED', reason: event.data.reason });
      break;
    case 'BackfillAbandoned':
      await end(tx, recorded, { backfillId, status: 'ABANDONED', reason: null });
      break;
    case 'BackfillExpired':
      await end(tx, recorded, { backfillId, status: 'EXPIRED', reason: null });
  }
};

type End = { readonly backfillId: string; readonly status: string; readonly reason: string | null };

/** What was staged is in the log; the tables need it only as long as it counts, or may. */
const end = async (tx: Sql, { metadata }: RecordedEvent, { backfillId, status, reason }: End): Promise<void> => {
  await tx.query(
    `update usage_backfills set status = $2, ended_at = $3, ended_by = $4, ended_reason = $5 where backfill_id = $1`,
    [backfillId, status, metadata.at, metadata.actor.createdBy, reason],
  );
  await tx.query(
    `delete from usage_backfill_records r using usage_backfill_pieces p where p.position = r.position and p.backfill_id = $1`,
    [backfillId],
  );
  await tx.query('delete from usage_backfill_series where backfill_id = $1', [backfillId]);
};

const commitRow = `
update usage_backfills set status = 'COMMITTED', committed_at = $2, committed_by = $3, committed_position = $4,
  taken = $5, duplicates = $6, replaced = $7
where backfill_id = $1`;

const nameSeries = `
insert into usage_series (series, tenant_id, unit, user_name)
select series, $2, unit, user_name from usage_backfill_series where backfill_id = $1
on conflict do nothing`;

const nameBatches = `
insert into usage_batches (position, stream, revision, accepted_position)
select p.position, p.stream, p.revision, $2
from usage_backfill_pieces p join usage_backfill_parts using (backfill_id, digest) where p.backfill_id = $1`;

const keepShadowed = `
insert into usage_shadowed (record_key, series, at_ms, amount, position, idx, dimensions, replaced_by)
select record_key, direct_series, direct_at_ms, direct_amount, direct_position, direct_idx, direct_dimensions, replaced_by
from backfill_plan where direct_position is not null and not is_direct
on conflict (record_key) do update set replaced_by = excluded.replaced_by`;

const releaseShadowed = `
update usage_shadowed s set replaced_by = null from backfill_plan p
where p.record_key = s.record_key and p.is_direct and s.replaced_by is not null`;

const keepChanges = `
insert into usage_backfill_changes
select record_key, $1, before_position, before_idx, before_series, before_at_ms, before_amount, before_dimensions,
  after_series, after_at_ms
from backfill_plan where is_known`;

const markBackfilledTo = `
insert into usage_backfilled_to values ($1, $2) on conflict (tenant_id) do update set position = excluded.position`;

const markClosings = `
with hit as (
  select c.closing_key, c.late_to is null as is_first
  from usage_closings c
  where c.tenant_id = $1 and c.counted_to < $2 and (
    exists (select from backfill_plan p
      where p.before_series = c.series and p.before_at_ms >= c.from_ms and p.before_at_ms < c.to_ms)
    or exists (select from backfill_plan p
      where p.after_series = c.series and p.after_at_ms >= c.from_ms and p.after_at_ms < c.to_ms))
)
update usage_closings c set late_to = greatest(c.late_to, $2) from hit where c.closing_key = hit.closing_key
returning c.closing_key as key, c.account_id as "accountId", hit.is_first as "isFirst"`;

const carryOut = async (tx: Sql, recorded: RecordedEvent, change: PlannedChange): Promise<void> => {
  const { tenantId, backfillId, position, isCommitted } = change;
  const { at, actor } = recorded.metadata;
  await tellProgress(tx, backfillId, { step: 'PLANNING', done: 0, of: null });
  await planBackfill(tx, change);
  if (isCommitted) {
    const { staged, taken, replaced } = await planCounts(tx, change);
    await tx.query(commitRow, [backfillId, at, actor.createdBy, position, taken, staged - taken, replaced]);
    await tx.query(nameSeries, [backfillId, tenantId]);
    await tx.query(nameBatches, [backfillId, position]);
  }
  await tellProgress(tx, backfillId, { step: 'LIMITS', done: 0, of: null });
  await applyBackfilledLimits(tx, recorded);
  for (const statement of [keepShadowed, releaseShadowed]) await tx.query(statement);
  await writePlanned(tx, backfillId);
  await tx.query(keepChanges, [position]);
  await tx.query(markBackfilledTo, [tenantId, position]);
  const late = await tx.query<{ key: string; accountId: string; isFirst: boolean }>(markClosings, [tenantId, position]);
  await schedule(
    tx,
    late.filter(({ isFirst }) => isFirst).map(({ key, accountId }) => lateUsageItem({ tenantId, accountId, key, at })),
  );
};
