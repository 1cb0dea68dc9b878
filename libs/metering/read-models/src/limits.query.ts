import type { LimitTransition } from '@billstream/metering-contracts';
import type { Instant } from '@billstream/kernel';
import { type LimitState, untouched } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';

const stateOf = `
select l.current, l.newest_at as "newestAt", l.window_from as "windowFrom", l.window_to as "windowTo",
  l.passed_over as "passedOver", s.override
from (select $1::uuid as series) as asked
left join limit_standings s using (series)
left join usage_limits l on l.series = asked.series and l.subscription_id = $2`;

const standingOf = `
select tenant_id as "tenantId", unit, user_name as "user", entries, changed > told as "hasNews", due_at as "dueAt"
from limit_standings where series = $1`;

const transitionColumns = `h.transition_id as "transitionId", h.ordinal, h.user_name as "user", h.unit,
  h.subscription_id as "subscriptionId", h.from_status as "from", h.to_status as "to", h.cause, h.current,
  h.limit_amount as limit, h.rule_version as "ruleVersion", h.at, h.reset_at as "resetAt", h.stream, h.revision,
  h.idx as index, h.actor, h.reason`;

const untoldOf = `
select ${transitionColumns} from limit_history h join limit_standings s using (series)
where h.series = $1 and h.ordinal > s.told and h.from_status <> h.to_status order by h.ordinal limit $2`;

const historyColumns = `${transitionColumns}, h.base_plan as "basePlan", h.addon_plan as "addonPlan",
  h.refresh_interval as "refreshInterval", h.position, h.recorded_at as "recordedAt"`;

const historyPage = (direction: 'asc' | 'desc'): string => `
select ${historyColumns}
from limit_history h
where h.tenant_id = $1 and ($2::text is null or h.user_name = $2) and ($3::text is null or h.unit = $3)
order by h.position ${direction}, h.series ${direction}, h.ordinal ${direction} limit $4 offset $5`;

/** Each user and unit knows how many entries it has, so that nobody counts a history for one page of it. */
const historyTotal = `
select coalesce(sum(kept), 0)::bigint as total from limit_standings
where tenant_id = $1 and ($2::text is null or user_name = $2) and ($3::text is null or unit = $3)`;

const historyEntry = `select ${historyColumns} from limit_history h where h.tenant_id = $1 and h.transition_id = $2`;

type Limited = {
  readonly tenantId: string;
  readonly user: string;
  readonly unit: string;
  readonly subscriptionId: string | null;
};

/** Where a user stands with a unit; `untouched` when nothing was counted yet. */
export const limitState = async (sql: Sql, { tenantId, user, unit, subscriptionId }: Limited): Promise<LimitState> => {
  type Row = Omit<LimitState, 'current'> & { readonly current: LimitState['current'] | null };
  const values = [userSeries(tenantId, user, unit), subscriptionId ?? ''];
  const [row] = await sql.query<Row>(stateOf, values, 'usage-limit');
  if (row === undefined) return untouched;
  const { current, override } = row;
  return current === null ? { ...untouched, override } : { ...row, current };
};

/** What somebody has to do about a limit. */
export type LimitDue = {
  readonly tenantId: string;
  readonly unit: string;
  readonly user: string;
  readonly entries: number;
  readonly hasNews: boolean;
  readonly dueAt: Instant | null;
};

export const limitDue = async (sql: Sql, series: string): Promise<LimitDue | null> =>
  (await sql.query<LimitDue>(standingOf, [series], 'limit-standing'))[0] ?? null;

type TransitionRow = Omit<LimitTransition, 'behind'> & {
  readonly stream: string;
  readonly revision: bigint;
  readonly index: number | null;
};

const transitionOf = ({ stream, revision, index, ...row }: TransitionRow): LimitTransition => ({
  transitionId: row.transitionId,
  ordinal: row.ordinal,
  user: row.user,
  unit: row.unit,
  subscriptionId: row.subscriptionId,
  from: row.from,
  to: row.to,
  cause: row.cause,
  current: row.current,
  limit: row.limit,
  ruleVersion: row.ruleVersion,
  at: row.at,
  resetAt: row.resetAt,
  behind: { stream, revision: String(revision), index },
  actor: row.actor,
  reason: row.reason,
});

const untoldMax = 100;

/** Changes of status that nobody was told of yet, oldest first; those of a long list that come first. */
export const untoldTransitions = async (sql: Sql, series: string): Promise<readonly LimitTransition[]> =>
  (await sql.query<TransitionRow>(untoldOf, [series, untoldMax], 'limit-untold')).map(transitionOf);

export type LimitHistorySearch = {
  readonly user: string | null;
  readonly unit: string | null;
  readonly limit: number;
  readonly offset: number;
  /** Newest first. */
  readonly descending?: boolean;
};

/** An entry with the rule it was judged by, and how fresh it is: where in the log it was decided, and when that was written. */
export type LimitHistoryEntry = LimitTransition & {
  readonly basePlan: string | null;
  readonly addonPlan: string | null;
  readonly refreshInterval: string | null;
  readonly position: bigint;
  readonly recordedAt: Instant;
};

type HistoryRow = TransitionRow & Omit<LimitHistoryEntry, keyof LimitTransition>;

const entryOf = (row: HistoryRow): LimitHistoryEntry => ({
  ...transitionOf(row),
  basePlan: row.basePlan,
  addonPlan: row.addonPlan,
  refreshInterval: row.refreshInterval,
  position: row.position,
  recordedAt: row.recordedAt,
});

export const limitHistoryEntry = async (
  sql: Sql,
  tenantId: string,
  transitionId: string,
): Promise<LimitHistoryEntry | null> => {
  const [row] = await sql.query<HistoryRow>(historyEntry, [tenantId, transitionId], 'limit-history-entry');
  return row === undefined ? null : entryOf(row);
};

/** A page of the history of limits in log order, and how many entries there are in all. */
export const limitHistory = async (
  sql: Sql,
  tenantId: string,
  { user, unit, limit, offset, descending = false }: LimitHistorySearch,
): Promise<{ readonly entries: readonly LimitHistoryEntry[]; readonly total: number }> => {
  const direction = descending ? 'desc' : 'asc';
  const values = [tenantId, user, unit];
  const [counted] = await sql.query<{ readonly total: bigint }>(historyTotal, values, 'limit-history-total');
  const page = [...values, limit, offset];
  const rows = await sql.query<HistoryRow>(historyPage(direction), page, `limit-history-${direction}`);
  return { entries: rows.map(entryOf), total: Number(counted?.total ?? 0n) };
};
