import type { RecordedEvent } from '@billstream/event-sourcing';
import { meteredAccountSchema, unitSchema } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { applyFacts } from './facts.projection';
import { userSeries } from './keys';
import { type LimitedUnit, type Moved, applyMoves, limitedUnits, nameOf } from './limits.projection';

/** A user and unit with a counter or a standing: whoever has neither cannot be judged otherwise by other rules or plans. */
type Known = { readonly tenantId: string; readonly unit: string; readonly user: string };

const knownOfUnits = `
select s.tenant_id as "tenantId", s.unit, s.user_name as "user"
from usage_series s where (s.tenant_id, s.unit) in (select * from unnest($1::text[], $2::text[])) and s.user_name is not null
  and exists (select from usage_limits l where l.series = s.series)
union
select tenant_id, unit, user_name from limit_standings
where (tenant_id, unit) in (select * from unnest($1::text[], $2::text[]))
order by 1, 2, 3`;

const knownSeries = `
select series from usage_limits where series = any($1::uuid[])
union select series from limit_standings where series = any($1::uuid[])`;

const usersOfAccounts = `
select account_id as "accountId", user_name as "user" from metered_accounts where account_id = any($1::text[])`;

/**
 * Applies facts, and looks at the limits that they may change. Facts that change none go in together; one that does is
 * looked at before the next one counts, so that the history is the same in whatever pages the log comes.
 */
export const applyFactsAndLimits = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const touched = await limitsTouched(tx, events);
  let waiting: RecordedEvent[] = [];
  for (const event of events) {
    waiting.push(event);
    const known = touched.get(event);
    if (known === undefined) continue;
    await applyFacts(tx, waiting);
    waiting = [];
    await applyMoves(tx, await looksAt(tx, event, known));
  }
  if (waiting.length > 0) await applyFacts(tx, waiting);
};

const looksAt = async (tx: Sql, event: RecordedEvent, known: readonly Known[]): Promise<readonly Moved[]> => {
  const cause = event.stream.startsWith('meterUnit-') ? 'RULES_CHANGED' : 'PLANS_CHANGED';
  const names = [...new Set(known.map(({ unit }) => unit))];
  const units = await limitedUnits(tx, [event.metadata.tenantId], names);
  return known.flatMap(({ tenantId, unit: name, user }): readonly Moved[] => {
    const unit: LimitedUnit | undefined = units.get(nameOf(tenantId, name));
    if (unit === undefined) return [];
    return [
      { unit, user, series: userSeries(tenantId, user, name), event, index: null, move: { kind: 'look', cause } },
    ];
  });
};

const limitsTouched = async (
  tx: Sql,
  events: readonly RecordedEvent[],
): Promise<ReadonlyMap<RecordedEvent, readonly Known[]>> =>
  new Map([...(await touchedByRules(tx, events)), ...(await touchedByPlans(tx, events))]);

type Touched = readonly (readonly [RecordedEvent, readonly Known[]])[];

const touchedByRules = async (tx: Sql, events: readonly RecordedEvent[]): Promise<Touched> => {
  const units = events.flatMap((event) => {
    const change = unitSchema.decode(event);
    return change === null ? [] : [{ event, name: change.data.name, tenantId: event.metadata.tenantId }];
  });
  if (units.length === 0) return [];
  const columns = [units.map(({ tenantId }) => tenantId), units.map(({ name }) => name)];
  const known = await tx.query<Known>(knownOfUnits, columns, 'limits-of-units');
  return units.flatMap(({ event, name, tenantId }) => {
    const own = known.filter((one) => one.unit === name && one.tenantId === tenantId);
    return own.length === 0 ? [] : [[event, own] as const];
  });
};

const touchedByPlans = async (tx: Sql, events: readonly RecordedEvent[]): Promise<Touched> => {
  const changes = events.flatMap((event) => {
    const change = meteredAccountSchema.decode(event);
    return change === null ? [] : [{ event, change, tenantId: event.metadata.tenantId }];
  });
  if (changes.length === 0) return [];
  // Limits are of users who have a counter already, and of units that have a limit or had one.
  const units = await limitedUnits(
    tx,
    changes.map(({ tenantId }) => tenantId),
    [],
  );
  if (units.size === 0) return [];
  const users = await usersOf(tx, changes);
  const candidates = changes.flatMap(({ event, change, tenantId }) => {
    const named = users.get(change.data.accountId) ?? [];
    const own = [...units.values()].filter((unit) => unit.tenantId === tenantId);
    return named.flatMap((user) => own.map(({ name: unit }) => ({ event, tenantId, unit, user })));
  });
  const series = candidates.map(({ tenantId, user, unit }) => userSeries(tenantId, user, unit));
  const found = await tx.query<{ series: string }>(knownSeries, [[...new Set(series)]], 'limits-of-users');
  const known = new Set(found.map((row) => row.series.replaceAll('-', '')));
  const touched = new Map<RecordedEvent, Known[]>();
  for (const [index, { event, ...one }] of candidates.entries())
    if (known.has(series[index] ?? '')) touched.set(event, [...(touched.get(event) ?? []), one]);
  return [...touched];
};

type Change = { readonly change: NonNullable<ReturnType<typeof meteredAccountSchema.decode>> };

/** Names that each account has or is given now. */
const usersOf = async (tx: Sql, changes: readonly Change[]): Promise<ReadonlyMap<string, readonly string[]>> => {
  const accountIds = [...new Set(changes.map(({ change }) => change.data.accountId))];
  const rows = await tx.query<{ accountId: string; user: string }>(usersOfAccounts, [accountIds], 'users-of-accounts');
  const users = new Map<string, Set<string>>(rows.map(({ accountId, user }) => [accountId, new Set([user])]));
  for (const { change } of changes)
    if (change.type === 'AccountRecorded')
      users.set(change.data.accountId, (users.get(change.data.accountId) ?? new Set()).add(change.data.user));
  return new Map([...users].map(([accountId, names]) => [accountId, [...names]]));
};
