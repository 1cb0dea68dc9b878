import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import { type LimitSample, anonymousUser, firstUseAfter, windowForUse } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import type { LimitRecord } from './limit-tables';
import { saveLimits } from './limit-tables';
import { type LimitTarget, type Moved, followMoves, limitedUnits, limitsOf, nameOf } from './limits.projection';

/** Series that the plan touches; those of a backfill that was not committed yet are known by it alone. */
const touchedSeries = `
with touched as (
  select before_series as series from backfill_plan where before_series is not null
  union select after_series from backfill_plan where after_series is not null
)
select t.series, coalesce(s.unit, b.unit) as unit, coalesce(s.user_name, b.user_name) as "user"
from touched t
left join usage_series s using (series)
left join lateral (select unit, user_name from usage_backfill_series b where b.series = t.series limit 1) b on true
where s.unit = any($1::text[]) or b.unit = any($1::text[])
order by t.series`;

const firstUses = `
select a.series, min(p.after_at_ms) as "atMs"
from unnest($1::uuid[], $2::bigint[]) as a(series, after_ms)
join backfill_plan p on p.after_series = a.series and p.after_at_ms > a.after_ms
group by a.series`;

/** Open windows: what the plan takes out of each and puts into it. Null is without end. */
const sumsInWindows = `
select w.n::int as n, taken.amount as taken, taken.at_ms as "takenAt", put.amount as put, put.at_ms as "putAt"
from unnest($1::uuid[], $2::bigint[], $3::bigint[]) with ordinality as w(series, from_ms, to_ms, n)
left join lateral (
  select sum(p.before_amount) as amount, max(p.before_at_ms) as at_ms from backfill_plan p
  where p.before_series = w.series and (w.from_ms is null or p.before_at_ms >= w.from_ms)
    and (w.to_ms is null or p.before_at_ms < w.to_ms)) taken on true
left join lateral (
  -- A window that nobody has opened yet begins with the first of them.
  select sum(p.after_amount) as amount, min(p.after_at_ms) as at_ms from backfill_plan p
  where p.after_series = w.series and (w.from_ms is null or p.after_at_ms >= w.from_ms)
    and (w.to_ms is null or p.after_at_ms < w.to_ms)) put on true
order by w.n`;

const newestByPlan = `
select a.series, newest.at_ms as "atMs", newest.amount
from unnest($1::uuid[]) as a(series)
cross join lateral (
  select at_ms, amount from (
    (select r.at_ms, r.amount, r.position, r.idx from usage_records r
      where r.series = a.series and not exists (select from backfill_plan p where p.record_key = r.record_key)
      order by r.at_ms desc, r.position desc, r.idx desc limit 1)
    union all
    (select p.after_at_ms, p.after_amount, p.after_position, p.after_idx from backfill_plan p
      where p.after_series = a.series
      order by p.after_at_ms desc, p.after_position desc, p.after_idx desc limit 1)
  ) as both_kinds order by at_ms desc, position desc, idx desc limit 1
) as newest`;

const plain = (uuid: string): string => uuid.replaceAll('-', '');

/** What the plan does to limits. Before its records are changed: the plan says what will be. */
export const applyBackfilledLimits = async (tx: Sql, event: RecordedEvent): Promise<void> =>
  saveLimits(tx, await backfilledLimits(tx, event));

/**
 * Limits as the plan leaves them, in memory. A sum is moved by what is taken out of its open window and put into it, all
 * at once; a level stands where its newest sample is.
 */
export const backfilledLimits = async (tx: Sql, event: RecordedEvent): Promise<readonly LimitRecord[]> => {
  const { tenantId } = event.metadata;
  const limited = await limitedUnits(tx, [tenantId], []);
  if (limited.size === 0) return [];
  const rows = await tx.query<{ series: string; unit: string; user: string }>(touchedSeries, [
    [...limited.values()].filter(({ hasLimit }) => hasLimit).map(({ name }) => name),
  ]);
  const targets = rows.flatMap(({ series, unit: name, user }): readonly LimitTarget[] => {
    const unit = limited.get(nameOf(tenantId, name));
    return unit === undefined || user === anonymousUser ? [] : [{ series: plain(series), unit, user, event }];
  });
  if (targets.length === 0) return [];
  const levels = targets.filter(({ unit }) => unit.method !== 'SUM');
  const sums = targets.filter(({ unit }) => unit.method === 'SUM');
  return followMoves(tx, [...(await sumMoves(tx, sums)), ...(await levelMoves(tx, levels))]);
};

const levelMoves = async (tx: Sql, targets: readonly LimitTarget[]): Promise<readonly Moved[]> => {
  if (targets.length === 0) return [];
  const rows = await tx.query<{ series: string; atMs: bigint; amount: Decimal }>(newestByPlan, [
    targets.map(({ series }) => series),
  ]);
  const newest = new Map(rows.map((row) => [plain(row.series), sample(row.atMs, row.amount)]));
  return targets.map((target) => moved(target, null, null, newest.get(target.series) ?? null));
};

const sumMoves = async (tx: Sql, targets: readonly LimitTarget[]): Promise<readonly Moved[]> => {
  if (targets.length === 0) return [];
  const standing = await limitsOf(tx, targets);
  const judged = targets.flatMap((target) => {
    const { state, terms } = standing.get(target.series) ?? { state: null, terms: null };
    if (state === null || terms?.rule.limitAmount == null) return [];
    return [{ target, state, terms, now: target.event.metadata.at }];
  });
  const firsts = await firstUsesOf(
    tx,
    judged.flatMap(({ target: { series }, terms, now }) => {
      const after = firstUseAfter(terms, now);
      return after === null ? [] : [{ series, after }];
    }),
  );
  const windows = judged.flatMap(({ target, state, terms, now }) => {
    const window = windowForUse(state, terms, { now, firstUseAt: firsts.get(target.series) ?? null });
    return window === null ? [] : [{ target, window }];
  });
  if (windows.length === 0) return [];
  type Sums = { takenAt: bigint | null; taken: Decimal | null; putAt: bigint | null; put: Decimal | null };
  const rows = await tx.query<Sums>(sumsInWindows, [
    windows.map(({ target }) => target.series),
    windows.map(({ window }) => (window.from === null ? null : epochMs(window.from))),
    windows.map(({ window }) => (window.to === null ? null : epochMs(window.to))),
  ]);
  return windows.flatMap(({ target }, index) => {
    const row = rows[index];
    if (row === undefined || (row.takenAt === null && row.putAt === null)) return [];
    return [moved(target, sample(row.takenAt, row.taken), sample(row.putAt, row.put), null)];
  });
};

/** A window that opens with its first use opens with a backfilled one, if that reaches until now. */
const firstUsesOf = async (tx: Sql, asked: readonly { readonly series: string; readonly after: Instant }[]) => {
  if (asked.length === 0) return new Map<string, Instant>();
  const rows = await tx.query<{ series: string; atMs: bigint }>(firstUses, [
    asked.map(({ series }) => series),
    asked.map(({ after }) => epochMs(after)),
  ]);
  return new Map(rows.map(({ series, atMs }) => [plain(series), instantOfMs(Number(atMs))]));
};

function sample(atMs: bigint | null, amount: Decimal | null): LimitSample | null {
  return atMs === null || amount === null ? null : { at: instantOfMs(Number(atMs)), amount };
}

const moved = (
  target: LimitTarget,
  before: LimitSample | null,
  after: LimitSample | null,
  newest: LimitSample | null,
): Moved => ({ ...target, index: null, move: { kind: 'correction', corrected: { before, after, newest } } });
