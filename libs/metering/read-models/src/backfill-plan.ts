import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Decimal } from '@billstream/kernel';
import type { Sql } from '@billstream/postgres';
import { plannedCorrections } from './corrections.projection';

/**
 * What counts under a name follows from three things alone: the record that came directly, if one did; the backfills that
 * stand (committed, not reverted), each with what it staged under the name; and the corrections of the name. Whoever came
 * first in the log is the record; a backfill that replaces takes a direct record's place if that lay in its scope; the
 * last correction since then holds. A revert is the same question without the backfill, so nothing has to be undone.
 */
export type PlannedChange = {
  readonly tenantId: string;
  readonly backfillId: string;
  /** Where it stands in the log, or would. */
  readonly position: bigint;
  /** True: as if it stood. False: as if it never had. */
  readonly isCommitted: boolean;
};

/**
 * Temporary tables go with the transaction; one transaction may hold several commits and reverts. Compiling the statement
 * takes longer than running it, and so does sorting a million rows in the memory that a small question is given.
 */
const makeTables = `
set local jit = off;
set local work_mem = '32MB';
create temp table if not exists backfill_keys (record_key uuid primary key) on commit drop;
create temp table if not exists backfill_plan (
  record_key uuid not null,
  is_known boolean not null, before_series uuid, before_at_ms bigint, before_amount numeric, before_dimensions jsonb,
  before_position bigint, before_idx int,
  is_kept boolean not null, after_series uuid, after_at_ms bigint, after_amount numeric, after_dimensions jsonb,
  after_position bigint, after_idx int,
  -- Null: the direct record, or nothing, stands under the name.
  backfill_id uuid,
  direct_series uuid, direct_at_ms bigint, direct_amount numeric, direct_dimensions jsonb, direct_position bigint,
  direct_idx int, is_direct boolean not null, replaced_by uuid
) on commit drop;
truncate backfill_keys, backfill_plan`;

/** Closed periods, limits and quarters each ask for their own part of the plan: without these, each would read all of it. */
const indexPlan = `
create unique index if not exists backfill_plan_key on backfill_plan (record_key);
create index if not exists backfill_plan_before on backfill_plan (before_series, before_at_ms);
create index if not exists backfill_plan_after on backfill_plan (after_series, after_at_ms);
analyze backfill_plan`;

const stagedKeys = `
insert into backfill_keys
select distinct r.record_key
from usage_backfill_pieces p
join usage_backfill_parts t using (backfill_id, digest)
join usage_backfill_records r using (position)
where p.backfill_id = $1`;

const directKeysInScope = `
insert into backfill_keys
select r.record_key
from usage_backfills b
join usage_series s on s.tenant_id = b.tenant_id and s.unit = any(b.units) and s.user_name is not null
  and (b.users is null or s.user_name = any(b.users))
join usage_records r on r.series = s.series and r.at_ms >= b.from_ms and r.at_ms < b.to_ms
where b.backfill_id = $1 and b.mode = 'REPLACE'
  and not exists (select from usage_backfill_pieces p where p.position = r.position)
on conflict do nothing`;

const replacedKeys = `
insert into backfill_keys select record_key from usage_shadowed where replaced_by = $1 on conflict do nothing`;

const fillPlan = `
insert into backfill_plan
with live as materialized (
  select b.*, case when b.backfill_id = $2 then $3::bigint else b.committed_position end as since
  from usage_backfills b
  where b.tenant_id = $1 and ((b.status = 'COMMITTED' and b.backfill_id <> $2) or (b.backfill_id = $2 and $4::boolean))
), claims as materialized (
  select distinct on (r.record_key, l.backfill_id) r.record_key, l.backfill_id, l.since, r.series, r.at_ms, r.amount,
    r.dimensions, r.position, r.idx
  from backfill_keys k
  join usage_backfill_records r using (record_key)
  join usage_backfill_pieces p using (position)
  join live l on l.backfill_id = p.backfill_id
  join usage_backfill_parts t on t.backfill_id = p.backfill_id and t.digest = p.digest
  order by r.record_key, l.backfill_id, r.position, r.idx
), first_claims as (
  select distinct on (record_key) record_key, backfill_id, since from claims order by record_key, since
), direct as materialized (
  select record_key, s.series, s.at_ms, s.amount, s.dimensions, s.position, s.idx, s.replaced_by as was_replaced_by
  from backfill_keys join usage_shadowed s using (record_key)
  union all
  select r.record_key,
    case when c.position is null then r.series else c.before_series end,
    case when c.position is null then r.at_ms else c.before_at_ms end,
    case when c.position is null then r.amount else c.before_amount end,
    case when c.position is null then r.dimensions else c.before_dimensions end,
    r.position, r.idx, null
  from backfill_keys k
  join usage_records r using (record_key)
  left join lateral (
    select c.* from usage_corrections c
    where c.record_key = r.record_key and c.record_position = r.position and c.record_idx = r.idx
    order by c.position, c.idx limit 1) c on true
  where not exists (select from usage_shadowed s where s.record_key = r.record_key)
    and not exists (select from usage_backfill_pieces p where p.position = r.position)
), replaced as (
  select distinct on (d.record_key) d.record_key, l.backfill_id
  from direct d
  join live l on l.mode = 'REPLACE' and l.since > d.position
  left join lateral (
    select c.* from usage_corrections c
    where c.record_key = d.record_key and c.position > d.position and c.position < l.since
    order by c.position desc, c.idx desc limit 1) c on true
  join usage_series s on s.series = case when c.position is null then d.series else c.after_series end
  where s.unit = any(l.units) and (l.users is null or s.user_name = any(l.users))
    and case when c.position is null then d.at_ms else c.after_at_ms end >= l.from_ms
    and case when c.position is null then d.at_ms else c.after_at_ms end < l.to_ms
  order by d.record_key, l.since
), holders as (
  select k.record_key, f.since < d.position as is_behind, x.backfill_id as replaced_by,
    case when d.record_key is null or f.since < d.position then f.backfill_id else x.backfill_id end as backfill_id,
    d.record_key is not null and x.backfill_id is null and (f.since < d.position) is not true as is_direct
  from backfill_keys k
  left join direct d using (record_key)
  left join first_claims f using (record_key)
  left join replaced x using (record_key)
), outcomes as (
  select h.record_key, h.is_direct, c.backfill_id,
    case when c.record_key is null and not h.is_direct then h.replaced_by end as replaced_by,
    c.record_key is not null or d.record_key is not null as is_kept,
    -- Nothing counts under the name of what was taken away without another in its place.
    case when c.record_key is not null then c.series when h.is_direct then d.series end as series,
    case when c.record_key is not null then c.at_ms else d.at_ms end as at_ms,
    case when c.record_key is not null then c.amount else d.amount end as amount,
    case when c.record_key is not null then c.dimensions else d.dimensions end as dimensions,
    case when c.record_key is not null then c.position else d.position end as position,
    case when c.record_key is not null then c.idx else d.idx end as idx,
    case when c.record_key is not null then c.since else d.position end as since,
    d.series as direct_series, d.at_ms as direct_at_ms, d.amount as direct_amount, d.dimensions as direct_dimensions,
    d.position as direct_position, d.idx as direct_idx, d.was_replaced_by
  from holders h
  left join direct d using (record_key)
  left join claims c on c.record_key = h.record_key and c.backfill_id = h.backfill_id
), corrected as (
  select o.*, case when c.position is null or o.series is null then o.series else c.after_series end as now_series,
    case when c.position is null or o.series is null then o.at_ms else coalesce(c.after_at_ms, c.before_at_ms, o.at_ms) end as now_at_ms,
    case when c.position is null or o.series is null then o.amount else coalesce(c.after_amount, c.before_amount, o.amount) end as now_amount,
    case when c.position is null or o.series is null then o.dimensions when c.after_series is not null then c.after_dimensions
      when c.before_series is not null then c.before_dimensions else o.dimensions end as now_dimensions
  from outcomes o
  left join lateral (
    select c.* from usage_corrections c where c.record_key = o.record_key and c.position > o.since
    order by c.position desc, c.idx desc limit 1) c on true
)
select c.record_key, r.record_key is not null, r.series, r.at_ms, r.amount, r.dimensions, r.position, r.idx,
  c.is_kept, c.now_series, c.now_at_ms, c.now_amount, c.now_dimensions, c.position, c.idx, c.backfill_id,
  c.direct_series, c.direct_at_ms, c.direct_amount, c.direct_dimensions, c.direct_position, c.direct_idx,
  c.is_direct, c.replaced_by
from corrected c left join usage_records r using (record_key)
where (r.series, r.at_ms, r.amount, r.dimensions, r.position, r.idx)
    is distinct from (c.now_series, c.now_at_ms, c.now_amount, c.now_dimensions, c.position, c.idx)
  or c.was_replaced_by is distinct from c.replaced_by`;

/**
 * Works out, in the transaction's table `backfill_plan`, every record that counts otherwise once the backfill is committed,
 * or reverted. Reads only: the records stay as they are.
 */
export const planBackfill = async (
  tx: Sql,
  { tenantId, backfillId, position, isCommitted }: PlannedChange,
): Promise<void> => {
  await tx.query(makeTables);
  await tx.query(stagedKeys, [backfillId]);
  await tx.query(isCommitted ? directKeysInScope : replacedKeys, [backfillId]);
  await tx.query('analyze backfill_keys');
  await tx.query(fillPlan, [tenantId, backfillId, position, isCommitted]);
  await tx.query(indexPlan);
};

/** Works out, in the same table, what corrections would change. Reads only, too. */
export const planCorrections = async (tx: Sql, event: RecordedEvent): Promise<void> => {
  const records = await plannedCorrections(tx, event);
  await tx.query(makeTables);
  await tx.query(fillCorrected, [
    records.map(({ key }) => key),
    records.map(({ before }) => before?.series ?? null),
    records.map(({ before }) => before?.atMs ?? null),
    records.map(({ after }) => after?.series ?? null),
    records.map(({ after }) => after?.atMs ?? null),
    records.map(({ after }) => after?.amount ?? null),
  ]);
  await tx.query(indexPlan);
};

/** What quantities go by, and no more: such a plan is looked at and never carried out. */
const fillCorrected = `
insert into backfill_plan (record_key, is_known, before_series, before_at_ms, is_kept, after_series, after_at_ms, after_amount,
  is_direct)
select record_key, true, before_series, before_at_ms, true, after_series, after_at_ms, after_amount, true
from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[], $6::numeric[])
  as t(record_key, before_series, before_at_ms, after_series, after_at_ms, after_amount)`;

export type PlanCounts = {
  readonly staged: bigint;
  /** Names among the staged records. */
  readonly distinct: bigint;
  /** Records of the backfill that begin to count; of a revert, that cease to. */
  readonly taken: bigint;
  /** Direct records that cease to count; of a revert, that count again. */
  readonly replaced: bigint;
};

const counts = `
select s.staged, s.distinct, n.taken, n.replaced
from (
  select count(*) as staged, count(distinct r.record_key) as distinct
  from usage_backfill_pieces p join usage_backfill_parts t using (backfill_id, digest)
  join usage_backfill_records r using (position)
  where p.backfill_id = $1
) s cross join (
  select
    count(*) filter (where case when $2::boolean then n.backfill_id else w.backfill_id end = $1) as taken,
    count(*) filter (where case when $2::boolean
      then not n.is_direct and n.before_position = n.direct_position and n.before_series is not null
      else n.is_direct and n.after_series is not null end) as replaced
  from backfill_plan n left join usage_backfill_pieces w on w.position = n.before_position
) n`;

/** What the plan comes to. A plan has to be there. */
export const planCounts = async (
  tx: Sql,
  { backfillId, isCommitted }: Pick<PlannedChange, 'backfillId' | 'isCommitted'>,
): Promise<PlanCounts> => {
  const [row] = await tx.query<PlanCounts>(counts, [backfillId, isCommitted]);
  return row ?? { staged: 0n, distinct: 0n, taken: 0n, replaced: 0n };
};

/** A quarter of an hour as the plan has it: like `usageQuarters`. */
export type PlannedQuarter = {
  readonly atMs: bigint;
  readonly sum: Decimal;
  readonly count: number;
  readonly max: Decimal;
};

const plannedQuarters = `
select at_ms / 900000 * 900000 as "atMs", sum(amount) as sum, count(*)::int as count, max(amount) as max
from (
  select r.at_ms, r.amount from usage_records r
  where r.series = $1 and r.at_ms >= $2 and r.at_ms < $3
    and not exists (select from backfill_plan p where p.record_key = r.record_key)
  union all
  select p.after_at_ms, p.after_amount from backfill_plan p
  where p.after_series = $1 and p.after_at_ms >= $2 and p.after_at_ms < $3
) as counted group by 1 order by 1`;

/** What a series would have in a half-open span, by quarters of an hour. */
export const quartersByPlan = (
  tx: Sql,
  { series, fromMs, toMs }: { readonly series: string; readonly fromMs: number; readonly toMs: number },
): Promise<readonly PlannedQuarter[]> => tx.query<PlannedQuarter>(plannedQuarters, [series, fromMs, toMs]);
