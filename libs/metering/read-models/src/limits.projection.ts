import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Instant, instantOfMs } from '@billstream/kernel';
import {
  type CountingMethod,
  type CycleFacts,
  type LimitEntry,
  type LimitFacts,
  type LimitMove,
  type LimitState,
  type LimitTerms,
  type PlanInterval,
  type Rule,
  anonymousUser,
  chooseRule,
  followLimit,
  heldAt,
  limitNewsSchema,
  untouched,
  usageLimitSchema,
  versionInForce,
} from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';
import { type LimitRecord, loadLimits, saveLimits } from './limit-tables';
import type { Sample } from './usage.projection';

/** Units that limits are followed of, by tenant and name: those with a limit, and those that something else is told about. */
export type LimitedUnits = ReadonlyMap<string, LimitedUnit>;
export type LimitedUnit = {
  readonly tenantId: string;
  readonly name: string;
  readonly method: CountingMethod;
  /** It has a limit, or had one; else it is here because of something that is told about it. */
  readonly hasLimit: boolean;
  /** The newest versions of its rules, oldest first; some may be yet to come. */
  readonly versions: readonly RulesInForce[];
};
type RulesInForce = {
  readonly version: number;
  readonly effectiveAt: Instant;
  /** Null: the unit had been removed. */
  readonly rules: readonly Rule[] | null;
};

/** A unit whose newest rules have no limit may still be under older ones that have. */
const versionsMax = 16;

const limitedUnitsOf = `
select u.tenant_id as "tenantId", u.name, u.counting_method as method, u.has_limit as "hasLimit", (
  select jsonb_agg(jsonb_build_object('version', v.version, 'rules', v.rules, 'effectiveAt',
    to_char(v.effective_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by v.version)
  from meter_unit_versions v where v.unit_id = u.unit_id and v.version > u.version - ${versionsMax}) as versions
from meter_units u where u.tenant_id = any($1::text[]) and (u.has_limit or u.name = any($2::text[]))`;

export const usersWithPlans = `
select a.tenant_id as "tenantId", a.user_name as "user", a.time_zone as "timeZone",
  a.bill_cycle_day as "accountCycleDay",
  coalesce(jsonb_agg(p.intervals order by p.subscription_id) filter (where p.subscription_id is not null), '[]') as plans
from metered_accounts a left join metered_plans p using (account_id)
where (a.tenant_id, a.user_name) in (select * from unnest($1::text[], $2::text[]))
group by a.account_id, a.tenant_id, a.user_name, a.time_zone, a.bill_cycle_day
order by a.account_id`;

export type UserRow = {
  readonly tenantId: string;
  readonly user: string;
  readonly timeZone: string;
  readonly accountCycleDay: number;
  readonly plans: readonly (readonly PlanInterval[])[];
};

export const nameOf = (tenantId: string, name: string): string => `${tenantId} ${name}`;

export const limitedUnits = async (
  tx: Sql,
  tenantIds: readonly string[],
  named: readonly string[],
): Promise<LimitedUnits> => {
  const rows = await tx.query<LimitedUnit>(limitedUnitsOf, [[...new Set(tenantIds)], named], 'meter-units-limited');
  return new Map(rows.map((unit) => [nameOf(unit.tenantId, unit.name), unit]));
};

/** Something that may move a limit, with the event it comes from and its record's place in there. */
export type Moved = {
  readonly unit: LimitedUnit;
  readonly user: string;
  readonly series: string;
  readonly event: RecordedEvent;
  readonly index: number | null;
  readonly move: LimitMove;
};

/** Names of units that events other than records are about. */
export const unitsNamed = (events: readonly RecordedEvent[]): readonly string[] =>
  events.flatMap((event) => aboutLimit(event)?.unit ?? []);

type Batch = {
  readonly events: readonly RecordedEvent[];
  readonly samples: readonly Sample[];
  readonly limited: LimitedUnits;
};

/** Follows what new records, acts by hand and news do to limits, in log order. Gives the limits as they are then. */
export const applyLimits = (tx: Sql, batch: Batch): Promise<readonly LimitRecord[]> => applyMoves(tx, movesOf(batch));

/**
 * What is known of all touched limits is read at once and written back once. The rule is chosen by what the user holds at
 * the business time of the event.
 */
export const applyMoves = async (tx: Sql, moves: readonly Moved[]): Promise<readonly LimitRecord[]> => {
  const limits = await followMoves(tx, moves);
  if (limits.length > 0) await saveLimits(tx, limits);
  return limits;
};

/** The touched limits as the moves leave them, in memory. */
export const followMoves = async (tx: Sql, moves: readonly Moved[]): Promise<readonly LimitRecord[]> => {
  if (moves.length === 0) return [];
  const holders = await loadHolders(tx, moves);
  const limits = await loadLimits(
    tx,
    moves.map(({ series, unit, user }) => ({ series, tenantId: unit.tenantId, unit: unit.name, user })),
  );
  for (const moved of moves) {
    const limit = limits.get(moved.series);
    if (limit !== undefined) follow(limit, moved, holders.get(nameOf(moved.unit.tenantId, moved.user)) ?? nobody);
  }
  return [...limits.values()];
};

/** A user and unit whose limit an event may move. */
export type LimitTarget = Pick<Moved, 'unit' | 'user' | 'series' | 'event'>;

/** By series: the counter that an event would move, and what it is judged by then. */
export const limitsOf = async (
  tx: Sql,
  targets: readonly LimitTarget[],
): Promise<ReadonlyMap<string, { readonly state: LimitState; readonly terms: LimitTerms | null }>> => {
  const holders = await loadHolders(tx, targets);
  const limits = await loadLimits(
    tx,
    targets.map(({ series, unit, user }) => ({ series, tenantId: unit.tenantId, unit: unit.name, user })),
  );
  return new Map(
    targets.flatMap(({ unit, user, series, event }) => {
      const limit = limits.get(series);
      if (limit === undefined) return [];
      const now = event.metadata.at;
      const facts = factsOf(unit, holders.get(nameOf(unit.tenantId, user)) ?? nobody, { limit, now });
      const { subscriptionId, terms } = facts.judgedBy(now);
      return [[series, { state: facts.counterOf(subscriptionId), terms }] as const];
    }),
  );
};

const follow = (limit: LimitRecord, { unit, move, event, index }: Moved, holder: Holder): void => {
  const facts = factsOf(unit, holder, { limit, now: event.metadata.at });
  const { standing, counter, entries } = followLimit(limit.standing, move, facts);
  limit.standing = standing;
  if (counter !== null) {
    const key = counter.subscriptionId ?? '';
    limit.counters.set(key, counter.state);
    limit.movedCounters.add(key);
  }
  for (const entry of entries) {
    const rule = facts.judgedBy(entry.at).terms?.rule ?? null;
    const ruleVersion = versionInForce(unit.versions, entry.at)?.version ?? 0;
    limit.entries.push({ ...entry, ruleVersion, rule, event, index, ...actOf(entry, { move, event }) });
  }
};

const actOf = ({ cause }: LimitEntry, { move, event }: Pick<Moved, 'move' | 'event'>) => {
  const { createdBy, reason } = event.metadata.actor;
  if (cause === 'COUNTER_SET') return { actor: createdBy, reason: reason ?? null };
  if (cause !== 'OVERRIDDEN' || move.kind !== 'override') return { actor: null, reason: null };
  return { actor: createdBy, reason: (move.override?.reason ?? '') || (reason ?? null) };
};

const factsOf = (
  { method, versions }: LimitedUnit,
  { timeZone, accountCycleDay, intervals, changes }: Holder,
  { limit, now }: { readonly limit: LimitRecord; readonly now: Instant },
): LimitFacts => {
  const cycleOf = (subscriptionId: string | null): CycleFacts | null => {
    const own = intervals.filter((interval) => interval.subscriptionId === subscriptionId);
    const cycle = own.findLast((interval) => interval.fromAt <= now)?.cycle;
    const startedAt = own[0]?.fromAt;
    return cycle === undefined || startedAt === undefined ? null : { cycle, startedAt, accountCycleDay, timeZone };
  };
  const judgedBy = (at: Instant) => {
    const rules = versionInForce(versions, at)?.rules ?? [];
    const { rule, subscriptionId } = chooseRule(rules, heldAt(intervals, at));
    const cycle = rule?.limitRefreshInterval === 'SUBSCRIPTION_CYCLE' ? cycleOf(subscriptionId) : null;
    return { subscriptionId, terms: rule === null ? null : { method, rule, timeZone, cycle } };
  };
  const atNow = judgedBy(now);
  return {
    now,
    judgedBy: (at) => (at === now ? atNow : judgedBy(at)),
    counterOf: (subscriptionId) => limit.counters.get(subscriptionId ?? '') ?? untouched,
    nextChange: earliest([...changes, ...versions.map(({ effectiveAt }) => effectiveAt)].filter((at) => at > now)),
  };
};

const earliest = (instants: readonly Instant[]): Instant | null =>
  instants.reduce<Instant | null>((first, at) => (first === null || at < first ? at : first), null);

const movesOf = ({ events, samples, limited }: Batch): readonly Moved[] => {
  const byEvent = new Map<RecordedEvent, Sample[]>();
  for (const sample of samples) {
    const own = byEvent.get(sample.event);
    if (own) own.push(sample);
    else byEvent.set(sample.event, [sample]);
  }
  return events.flatMap((event) => [
    ...(byEvent.get(event) ?? []).flatMap((sample) => sampleMove(sample, limited)),
    ...actMove(event, limited),
  ]);
};

/**
 * Nobody can be told to stop who has no name, so anonymous usage has no limit (M16). Nor do records move what has no limit,
 * whatever else the page is about.
 */
const sampleMove = (
  { tenantId, unit: name, user, series, atMs, amount, event, index }: Sample,
  limited: LimitedUnits,
): readonly Moved[] => {
  const unit = limited.get(nameOf(tenantId, name));
  if (unit?.hasLimit !== true || user === null || user === anonymousUser) return [];
  return [{ unit, user, series, event, index, move: { kind: 'sample', sample: { at: instantOfMs(atMs), amount } } }];
};

const actMove = (event: RecordedEvent, limited: LimitedUnits): readonly Moved[] => {
  const about = aboutLimit(event);
  const { tenantId } = event.metadata;
  const unit = about === null ? undefined : limited.get(nameOf(tenantId, about.unit));
  if (about === null || unit === undefined) return [];
  const { user, dueAt } = about;
  const isOfRules = unit.versions.some(({ effectiveAt }) => effectiveAt === dueAt);
  const move: LimitMove = isOfRules ? { kind: 'look', cause: 'RULES_CHANGED' } : about.move;
  return [{ unit, user, series: userSeries(tenantId, user, unit.name), event, index: null, move }];
};

type About = {
  readonly unit: string;
  readonly user: string;
  readonly move: LimitMove;
  /** What was due, when only time has passed. */
  readonly dueAt?: Instant;
};

const aboutLimit = (recorded: RecordedEvent): About | null => {
  const act = recorded.stream.startsWith('usageLimit-') ? usageLimitSchema.decode(recorded) : null;
  if (act !== null) {
    const { unit, user } = act.data;
    return act.type === 'CounterSet'
      ? { unit, user, move: { kind: 'counter', amount: act.data.amount } }
      : { unit, user, move: { kind: 'override', override: act.data.override } };
  }
  const news = recorded.stream.startsWith('limitNews-') ? limitNewsSchema.decode(recorded) : null;
  if (news === null) return null;
  const { unit, user } = news.data;
  return news.type === 'TimePassed'
    ? { unit, user, move: { kind: 'look', cause: 'PLANS_CHANGED' }, ...(news.data.dueAt && { dueAt: news.data.dueAt }) }
    : { unit, user, move: { kind: 'told', ordinal: news.data.ordinal } };
};

/** Of plans, `changes` are the instants at which any begins or ends, in their order. */
type Holder = {
  readonly timeZone: string;
  readonly accountCycleDay: number;
  readonly intervals: readonly PlanInterval[];
  readonly changes: readonly Instant[];
};
const nobody: Holder = { timeZone: 'UTC', accountCycleDay: 0, intervals: [], changes: [] };

const loadHolders = async (
  tx: Sql,
  moves: readonly Pick<Moved, 'unit' | 'user'>[],
): Promise<ReadonlyMap<string, Holder>> => {
  const asked = [
    ...new Map(moves.map(({ unit, user }) => [nameOf(unit.tenantId, user), [unit.tenantId, user] as const])).values(),
  ];
  const rows = await tx.query<UserRow>(
    usersWithPlans,
    [asked.map(([tenantId]) => tenantId), asked.map(([, user]) => user)],
    'metered-users',
  );
  return new Map(
    rows.map(({ tenantId, user, timeZone, accountCycleDay, plans }) => {
      const intervals = plans.flat();
      const changes = intervals.flatMap(({ fromAt, toAt }) => (toAt === null ? [fromAt] : [fromAt, toAt])).sort();
      return [nameOf(tenantId, user), { timeZone, accountCycleDay, intervals, changes }];
    }),
  );
};
