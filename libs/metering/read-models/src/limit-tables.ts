import type { RecordedEvent } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import { type LimitEntry, type LimitStanding, type LimitState, type Rule, released } from '@billstream/metering-domain';
import { type Sql, schedule, unschedule } from '@billstream/postgres';

/** Kind of due work: news of a limit wait to be told, or time has come to look at it again. Its key is the series. */
export const tellLimit = 'tell-limit';

/** All that is known of the limit of one user and unit, on its way through a page of events. */
export type LimitRecord = {
  readonly series: string;
  readonly tenantId: string;
  readonly unit: string;
  readonly user: string;
  standing: LimitStanding;
  /** By subscription id; '' is none. */
  readonly counters: Map<string, LimitState>;
  readonly movedCounters: Set<string>;
  readonly entries: HistoryEntry[];
  /** As it was when the page began. */
  readonly loaded: LimitStanding;
};

/** An entry of the history with what it follows from. */
export type HistoryEntry = LimitEntry & {
  readonly ruleVersion: number;
  /** Null: no rule held for the user. */
  readonly rule: Rule | null;
  readonly event: RecordedEvent;
  readonly index: number | null;
  readonly actor: string | null;
  readonly reason: string | null;
};

export type LimitKey = Pick<LimitRecord, 'series' | 'tenantId' | 'unit' | 'user'>;

/** Columns of a counter as a `LimitState`; of overrides the standing knows. */
export const counterColumns = `current, newest_at as "newestAt", window_from as "windowFrom", window_to as "windowTo",
  passed_over as "passedOver", null as override`;

const countersOf = `
select series, subscription_id as "subscriptionId", ${counterColumns} from usage_limits where series = any($1::uuid[])`;

const standingsOf = `
select series, status, nullif(subscription_id, '') as "subscriptionId", override, entries, changed,
  changed_at as "changedAt", told, due_at as "dueAt"
from limit_standings where series = any($1::uuid[])`;

const upsertCounters = `
insert into usage_limits
select * from jsonb_to_recordset($1::jsonb) as row(
  series uuid, subscription_id text, current numeric, newest_at timestamptz, window_from timestamptz,
  window_to timestamptz, passed_over int)
on conflict (series, subscription_id) do update set
  current = excluded.current, newest_at = excluded.newest_at, window_from = excluded.window_from,
  window_to = excluded.window_to, passed_over = excluded.passed_over`;

const upsertStandings = `
insert into limit_standings
select * from jsonb_to_recordset($1::jsonb) as row(
  series uuid, tenant_id text, unit text, user_name text, subscription_id text, status text, override jsonb, entries int,
  changed int, changed_at timestamptz, told int, due_at timestamptz, kept int)
on conflict (series) do update set
  subscription_id = excluded.subscription_id, status = excluded.status, override = excluded.override,
  entries = excluded.entries, changed = excluded.changed, changed_at = excluded.changed_at, told = excluded.told,
  due_at = excluded.due_at, kept = limit_standings.kept + excluded.kept`;

const insertHistory = `
insert into limit_history
select * from jsonb_to_recordset($1::jsonb) as row(
  series uuid, ordinal int, transition_id uuid, tenant_id text, unit text, user_name text, subscription_id text,
  from_status text, to_status text, cause text, current numeric, limit_amount numeric, rule_version int, at timestamptz,
  reset_at timestamptz, stream text, revision bigint, idx int, actor text, reason text, base_plan text,
  addon_plan text, refresh_interval text, position bigint, recorded_at timestamptz)`;

const plain = (uuid: string): string => uuid.replaceAll('-', '');

export const loadLimits = async (tx: Sql, keys: readonly LimitKey[]): Promise<ReadonlyMap<string, LimitRecord>> => {
  const distinct = new Map(keys.map((key) => [key.series, key]));
  const series = [...distinct.keys()];
  const standings = new Map(
    (await tx.query<LimitStanding & { series: string }>(standingsOf, [series], 'limit-standings-load')).map(
      ({ series: uuid, ...standing }) => [plain(uuid), standing],
    ),
  );
  const records = new Map<string, LimitRecord>();
  for (const { tenantId, unit, user, series: one } of distinct.values()) {
    const loaded = standings.get(one) ?? released;
    const own = { counters: new Map<string, LimitState>(), movedCounters: new Set<string>(), entries: [] };
    records.set(one, { series: one, tenantId, unit, user, standing: loaded, loaded, ...own });
  }
  type CounterRow = LimitState & { readonly series: string; readonly subscriptionId: string };
  for (const { series: uuid, subscriptionId, ...counter } of await tx.query<CounterRow>(
    countersOf,
    [series],
    'usage-limits-load',
  ))
    records.get(plain(uuid))?.counters.set(subscriptionId, counter);
  return records;
};

export const saveLimits = async (tx: Sql, records: readonly LimitRecord[]): Promise<void> => {
  const counters = records.flatMap(counterRows);
  if (counters.length > 0) await tx.query(upsertCounters, [JSON.stringify(counters)], 'usage-limits-upsert');
  const changed = records.filter(isChanged);
  if (changed.length === 0) return;
  await tx.query(upsertStandings, [JSON.stringify(changed.map(standingRow))], 'limit-standings-upsert');
  const history = changed.flatMap((record) => record.entries.map((entry) => historyRow(record, entry)));
  if (history.length > 0) await tx.query(insertHistory, [JSON.stringify(history)], 'limit-history-insert');
  await saveDueWork(tx, changed);
};

/** Who had nothing to be said about and has again has a row all the same: another page might have ended in between. */
const isChanged = ({ standing, loaded }: LimitRecord): boolean =>
  loaded === released ? standing !== released : JSON.stringify(standing) !== JSON.stringify(loaded);

const saveDueWork = async (tx: Sql, changed: readonly LimitRecord[]): Promise<void> => {
  const moved = changed.filter(({ standing, loaded }) => standing.dueAt !== loaded.dueAt);
  const over = moved.filter(({ standing }) => standing.dueAt === null);
  await unschedule(
    tx,
    over.map(({ series: key }) => ({ kind: tellLimit, key })),
  );
  const items = moved.flatMap(({ series: key, tenantId, standing: { dueAt } }) =>
    dueAt === null ? [] : [{ kind: tellLimit, key, tenantId, dueAt, payload: {} }],
  );
  await schedule(tx, items);
};

const counterRows = ({ series, counters, movedCounters }: LimitRecord): readonly object[] =>
  [...movedCounters].flatMap((subscriptionId) => {
    const counter = counters.get(subscriptionId);
    if (counter === undefined) return [];
    const { current, newestAt, windowFrom, windowTo, passedOver } = counter;
    const window = { window_from: windowFrom, window_to: windowTo };
    return [
      { series, subscription_id: subscriptionId, current, newest_at: newestAt, ...window, passed_over: passedOver },
    ];
  });

const standingRow = ({ series, tenantId, unit, user, standing, entries }: LimitRecord): object => ({
  series,
  tenant_id: tenantId,
  unit,
  user_name: user,
  subscription_id: standing.subscriptionId ?? '',
  status: standing.status,
  override: standing.override,
  entries: standing.entries,
  changed: standing.changed,
  changed_at: standing.changedAt,
  told: standing.told,
  due_at: standing.dueAt,
  kept: entries.length,
});

const historyRow = ({ series, tenantId, unit, user }: LimitRecord, entry: HistoryEntry): object => ({
  series,
  ordinal: entry.ordinal,
  transition_id: derivedId('limit-transition', series, String(entry.ordinal)),
  tenant_id: tenantId,
  unit,
  user_name: user,
  subscription_id: entry.subscriptionId,
  from_status: entry.from,
  to_status: entry.to,
  cause: entry.cause,
  current: entry.current,
  limit_amount: entry.limit,
  rule_version: entry.ruleVersion,
  at: entry.at,
  reset_at: entry.resetAt,
  stream: entry.event.stream,
  revision: String(entry.event.revision),
  idx: entry.index,
  actor: entry.actor,
  reason: entry.reason,
  base_plan: entry.rule?.basePlan ?? null,
  addon_plan: entry.rule?.addonPlan ?? null,
  refresh_interval: entry.rule?.limitRefreshInterval ?? null,
  position: String(entry.event.position),
  recorded_at: entry.event.metadata.recordedAt,
});
