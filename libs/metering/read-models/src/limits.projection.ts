import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Instant, instantOfMs } from '@billstream/kernel';
import {
  type CountingMethod,
  type LimitState,
  type LimitTerms,
  type PlanInterval,
  type Rule,
  type UsageLimitEvent,
  afterReset,
  afterSample,
  anonymousUser,
  chooseRule,
  heldAt,
  untouched,
  usageLimitSchema,
} from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';
import type { Sample } from './usage.projection';

/** A unit that has a rule with a limit, by tenant and name. */
export type LimitedUnits = ReadonlyMap<string, LimitedUnit>;
export type LimitedUnit = {
  readonly tenantId: string;
  readonly name: string;
  readonly method: CountingMethod;
  readonly rules: readonly Rule[];
};

const limitedUnitsOf = `
select tenant_id as "tenantId", name, counting_method as method, rules
from meter_units where tenant_id = any($1::text[]) and has_limit`;

export const usersWithPlans = `
select a.tenant_id as "tenantId", a.user_name as "user", a.time_zone as "timeZone",
  coalesce(jsonb_agg(p.intervals order by p.subscription_id) filter (where p.subscription_id is not null), '[]') as plans
from metered_accounts a left join metered_plans p using (account_id)
where (a.tenant_id, a.user_name) in (select * from unnest($1::text[], $2::text[]))
group by a.account_id, a.tenant_id, a.user_name, a.time_zone
order by a.account_id`;

const statesOf = `
select series, subscription_id as "subscriptionId", current, newest_at as "newestAt", window_from as "windowFrom",
  window_to as "windowTo", override
from usage_limits where series = any($1::uuid[])`;

const upsertStates = `
insert into usage_limits
select * from jsonb_to_recordset($1::jsonb) as row(
  series uuid, subscription_id text, current numeric, newest_at timestamptz, window_from timestamptz,
  window_to timestamptz, override jsonb)
on conflict (series, subscription_id) do update set
  current = excluded.current, newest_at = excluded.newest_at, window_from = excluded.window_from,
  window_to = excluded.window_to, override = excluded.override`;

export type UserRow = {
  readonly tenantId: string;
  readonly user: string;
  readonly timeZone: string;
  readonly plans: readonly (readonly PlanInterval[])[];
};
export type LimitRow = LimitState & { readonly series: string; readonly subscriptionId: string };

export const nameOf = (tenantId: string, name: string): string => `${tenantId} ${name}`;

export const limitedUnits = async (tx: Sql, tenantIds: readonly string[]): Promise<LimitedUnits> => {
  const rows = await tx.query<LimitedUnit>(limitedUnitsOf, [[...new Set(tenantIds)]], 'meter-units-limited');
  return new Map(rows.map((unit) => [nameOf(unit.tenantId, unit.name), unit]));
};

/** Something that moves a limit, in log order: a new record, or a hand. */
export type Move = {
  readonly unit: LimitedUnit;
  readonly user: string;
  readonly series: string;
  readonly now: Instant;
  readonly apply: (state: LimitState, terms: LimitTerms) => LimitState;
};

type Batch = {
  readonly events: readonly RecordedEvent[];
  readonly samples: readonly Sample[];
  readonly limited: LimitedUnits;
};

/**
 * Follows what new records and acts by hand do to limits, in log order: states are read for all touched series at once,
 * and written back once. The rule is chosen by what the user holds at the business time of the event.
 */
export const applyLimits = (tx: Sql, batch: Batch): Promise<void> => applyMoves(tx, movesOf(batch));

export const applyMoves = async (tx: Sql, moves: readonly Move[]): Promise<void> => {
  if (moves.length === 0) return;
  const users = await loadUsers(tx, moves);
  const states = await loadStates(tx, moves);
  const touched = new Map<string, LimitRow>();
  for (const { unit, user, series, now, apply } of moves) {
    const known = users.get(nameOf(unit.tenantId, user));
    const { rule, subscriptionId } = chooseRule(unit.rules, heldAt(known?.intervals ?? [], now));
    if (rule?.limitAmount == null) continue;
    const key = `${series} ${subscriptionId ?? ''}`;
    const state = touched.get(key) ?? states.get(key) ?? untouched;
    const terms = { method: unit.method, rule, timeZone: known?.timeZone ?? 'UTC' };
    touched.set(key, { ...apply(state, terms), series, subscriptionId: subscriptionId ?? '' });
  }
  if (touched.size > 0)
    await tx.query(upsertStates, [JSON.stringify([...touched.values()].map(rowOf))], 'usage-limits-upsert');
};

const rowOf = ({ series, subscriptionId, current, newestAt, windowFrom, windowTo, override }: LimitRow): object => ({
  series,
  subscription_id: subscriptionId,
  current,
  newest_at: newestAt,
  window_from: windowFrom,
  window_to: windowTo,
  override,
});

const movesOf = ({ events, samples, limited }: Batch): readonly Move[] => {
  const byEvent = new Map<RecordedEvent, Sample[]>();
  for (const sample of samples) {
    const own = byEvent.get(sample.event);
    if (own) own.push(sample);
    else byEvent.set(sample.event, [sample]);
  }
  return events.flatMap((event) => [
    ...(byEvent.get(event) ?? []).flatMap((sample) => sampleMove(sample, limited)),
    ...(event.stream.startsWith('usageLimit-') ? handMove(event, limited) : []),
  ]);
};

/** Nobody can be told to stop who has no name, so anonymous usage has no limit (M16). */
const sampleMove = (
  { tenantId, unit: name, user, series, atMs, amount, event }: Sample,
  limited: LimitedUnits,
): readonly Move[] => {
  const unit = limited.get(nameOf(tenantId, name));
  if (unit === undefined || user === null || user === anonymousUser) return [];
  const now = event.metadata.at;
  return [
    {
      unit,
      user,
      series,
      now,
      apply: (state, terms) => afterSample(state, { at: instantOfMs(atMs), amount }, now, terms),
    },
  ];
};

const handMove = (recorded: RecordedEvent, limited: LimitedUnits): readonly Move[] => {
  const { tenantId, at: now } = recorded.metadata;
  const event: UsageLimitEvent | null = usageLimitSchema.decode(recorded);
  const unit = event === null ? undefined : limited.get(nameOf(tenantId, event.data.unit));
  if (event === null || unit === undefined) return [];
  const { user } = event.data;
  const series = userSeries(tenantId, user, unit.name);
  return event.type === 'CounterSet'
    ? [{ unit, user, series, now, apply: (state, terms) => afterReset(state, event.data.amount, now, terms) }]
    : [{ unit, user, series, now, apply: (state) => ({ ...state, override: event.data.override }) }];
};

type Holder = { readonly timeZone: string; readonly intervals: readonly PlanInterval[] };

const loadUsers = async (tx: Sql, moves: readonly Move[]): Promise<ReadonlyMap<string, Holder>> => {
  const asked = [
    ...new Map(moves.map(({ unit, user }) => [nameOf(unit.tenantId, user), [unit.tenantId, user] as const])).values(),
  ];
  const rows = await tx.query<UserRow>(
    usersWithPlans,
    [asked.map(([tenantId]) => tenantId), asked.map(([, user]) => user)],
    'metered-users',
  );
  return new Map(
    rows.map(({ tenantId, user, timeZone, plans }) => [nameOf(tenantId, user), { timeZone, intervals: plans.flat() }]),
  );
};

const loadStates = async (tx: Sql, moves: readonly Move[]): Promise<ReadonlyMap<string, LimitState>> => {
  const series = [...new Set(moves.map((move) => move.series))];
  const rows = await tx.query<LimitRow>(statesOf, [series], 'usage-limits-load');
  return new Map(
    rows.map(({ series: uuid, subscriptionId, ...state }) => [`${uuid.replaceAll('-', '')} ${subscriptionId}`, state]),
  );
};
