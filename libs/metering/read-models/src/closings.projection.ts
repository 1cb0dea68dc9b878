import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Instant, epochMs } from '@billstream/kernel';
import { type UsageClosingEvent, usageClosingSchema } from '@billstream/metering-domain';
import { type DueItem, type Sql, schedule, unschedule } from '@billstream/postgres';
import { closingKey, userSeries } from './keys';

/** Due work: a closed period whose usage has changed since is to be counted again. */
export const lateUsageKind = 'late-usage';

/** Usage that began, or ceased, to count at a position of the log. */
export type UsagePoint = {
  readonly tenantId: string;
  readonly series: string;
  readonly atMs: number;
  readonly position: bigint;
  /** Business time of the event behind it. */
  readonly at: Instant;
};

/** By tenant, because the maximum of several at once would read all that was ever closed. */
const newestClosed = `
select max(newest.to_ms) as "toMs",
  exists (select from usage_backfills b where b.tenant_id = any($1::text[]) and b.status = 'COMMITTED') as "isBackfilled"
from unnest($1::text[]) as asked(tenant_id)
cross join lateral (
  select c.to_ms from usage_closings c where c.tenant_id = asked.tenant_id order by c.to_ms desc limit 1
) as newest`;

const markLateSql = `
with hit as (
  select c.closing_key, c.late_to is null as is_first, min(p.position) as first, max(p.position) as last
  from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as p(series, at_ms, position)
  join usage_closings c on c.series = p.series and p.at_ms >= c.from_ms and p.at_ms < c.to_ms and p.position > c.counted_to
  group by c.closing_key, c.late_to
)
update usage_closings c set late_to = greatest(c.late_to, hit.last) from hit where c.closing_key = hit.closing_key
returning c.closing_key as key, c.tenant_id as "tenantId", c.account_id as "accountId", hit.is_first as "isFirst", hit.first`;

/** Of a period that is closed again, usage that came after the count stays late. */
const upsertClosings = `
insert into usage_closings as known (closing_key, tenant_id, account_id, subscription_id, user_name, plan_name, time_zone,
  series, unit, usage_name, from_ms, to_ms, quantity, counted_to)
select * from jsonb_to_recordset($1::jsonb) as row(closing_key uuid, tenant_id text, account_id text,
  subscription_id text, user_name text, plan_name text, time_zone text, series uuid, unit text, usage_name text,
  from_ms bigint, to_ms bigint, quantity numeric, counted_to bigint)
on conflict (closing_key) do update set
  user_name = excluded.user_name, plan_name = excluded.plan_name, time_zone = excluded.time_zone,
  series = excluded.series, quantity = excluded.quantity, counted_to = excluded.counted_to,
  late_to = case when known.late_to > excluded.counted_to then known.late_to end
returning closing_key as key, late_to as "lateTo", counted_to as "countedTo", xmax = 0 as "isNew"`;

/** Position of the last event that changed usage, or how it counts, of each tenant asked for. */
const lastChange = `
select asked.tenant_id as "tenantId", greatest((select max(accepted_position) from usage_batches),
  (select max(position) from usage_corrections c where c.tenant_id = asked.tenant_id),
  (select b.position from usage_backfilled_to b where b.tenant_id = asked.tenant_id),
  (select max(f.position) from usage_dated_back f where f.tenant_id = asked.tenant_id)) as last
from unnest($1::text[]) as asked(tenant_id)`;

/** A change takes usage from the period in which it was before, and brings it to the one in which it is after. */
const touchedBy = (changes: 'usage_corrections' | 'usage_backfill_changes', side: 'before' | 'after'): string => `
  select c.closing_key, x.position
  from usage_closings c
  join ${changes} x on x.${side}_series = c.series and x.${side}_at_ms >= c.from_ms and x.${side}_at_ms < c.to_ms
  where c.closing_key = any($1::uuid[]) and x.position > c.counted_to`;

/** Usage that came between the count and the event that tells of it, and facts that were dated back meanwhile. */
const lateAlready = `
with changed as (
  select c.closing_key, b.accepted_position as position
  from usage_closings c
  join usage_records r on r.series = c.series and r.at_ms >= c.from_ms and r.at_ms < c.to_ms
  join usage_batches b on b.position = r.position
  where c.closing_key = any($1::uuid[]) and b.accepted_position > c.counted_to
  union all
  ${touchedBy('usage_corrections', 'before')}
  union all
  ${touchedBy('usage_corrections', 'after')}
  union all
  ${touchedBy('usage_backfill_changes', 'before')}
  union all
  ${touchedBy('usage_backfill_changes', 'after')}
  union all
  select c.closing_key, f.position
  from usage_closings c
  join usage_dated_back f on f.tenant_id = c.tenant_id and f.from_ms < c.to_ms
    and (f.unit = c.unit or (f.user_name = c.user_name and f.subscription_id <> c.subscription_id))
  where c.closing_key = any($1::uuid[]) and f.position > c.counted_to
    and exists (select from usage_records r where r.series = c.series and r.at_ms >= c.from_ms and r.at_ms < c.to_ms)
)
update usage_closings c set late_to = late.position
from (select closing_key, max(position) as position from changed group by closing_key) late
where c.closing_key = late.closing_key
returning c.closing_key as key`;

/**
 * The period may have been closed again while it was counted. Then the count was compared with a quantity that is gone, and
 * perhaps nobody was told: what was closed stands, and usage that came after it stays late.
 */
const countedAgain = `
update usage_closings c set quantity = t.quantity, counted_to = t.counted_to,
  late_to = case when c.late_to > t.counted_to then c.late_to end
from unnest($1::uuid[], $2::numeric[], $3::bigint[], $4::numeric[]) as t(closing_key, quantity, counted_to, closed_quantity)
where c.closing_key = t.closing_key and c.counted_to <= t.counted_to and c.quantity = t.closed_quantity
returning c.closing_key as key, c.late_to as "lateTo"`;

export const isClosing = ({ stream }: RecordedEvent): boolean => stream.startsWith('usageClosing-');

type Event<Type extends UsageClosingEvent['type']> = {
  readonly recorded: RecordedEvent;
  readonly data: Extract<UsageClosingEvent, { readonly type: Type }>['data'];
};

/**
 * In the order of the log: closed periods from now on notice usage that changes them. Thousands close at the end of a
 * month, so closings that follow each other are written together; a period that is named again waits for its turn.
 */
export const applyClosings = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  let together = new Map<string, ClosingRow>();
  const write = async (): Promise<void> => {
    if (together.size > 0) await applyClosed(tx, [...together.values()]);
    together = new Map();
  };
  for (const recorded of events) {
    const event = usageClosingSchema.decode(recorded);
    if (event?.type === 'UsageClosed') {
      const rows = closingRows({ recorded, data: event.data });
      if (rows.some(({ row }) => together.has(row.closing_key))) await write();
      for (const closing of rows) together.set(closing.row.closing_key, closing);
    }
    if (event?.type === 'LateUsageCounted') {
      await write();
      await applyCounted(tx, { recorded, data: event.data });
    }
  }
  await write();
};

type ClosingRow = {
  readonly row: { readonly closing_key: string; readonly tenant_id: string; readonly account_id: string };
  readonly at: Instant;
};

/** Closings from before it was recorded whose usage it is cannot be counted again: their next period does it. */
const closingRows = ({
  recorded: { metadata },
  data: { asked, accountId, subscriptionId, usages },
}: Event<'UsageClosed'>): readonly ClosingRow[] =>
  asked === undefined
    ? []
    : usages.map(({ unit, usageName, fromAt, toAt, quantity, countedTo }) => ({
        at: metadata.at,
        row: {
          closing_key: closingKey({ subscriptionId, unit, usageName, fromAt, toAt }),
          tenant_id: metadata.tenantId,
          account_id: accountId,
          subscription_id: subscriptionId,
          user_name: asked.user,
          plan_name: asked.planName,
          time_zone: asked.timeZone,
          series: userSeries(metadata.tenantId, asked.user, unit),
          unit,
          usage_name: usageName,
          from_ms: epochMs(fromAt),
          to_ms: epochMs(toAt),
          quantity,
          counted_to: countedTo,
        },
      }));

type Upserted = {
  readonly key: string;
  readonly lateTo: bigint | null;
  readonly countedTo: bigint;
  readonly isNew: boolean;
};

/** Closings of periods that are all different. */
const applyClosed = async (tx: Sql, closings: readonly ClosingRow[]): Promise<void> => {
  const upserted = await tx.query<Upserted>(
    upsertClosings,
    [JSON.stringify(closings.map(({ row }) => row))],
    'usage-closings-upsert',
  );
  const closingOf = new Map(closings.map((closing) => [closing.row.closing_key, closing]));
  const closed = upserted.flatMap((one) => {
    // PostgreSQL writes keys with dashes.
    const closing = closingOf.get(one.key.replaceAll('-', ''));
    return closing === undefined ? [] : [{ ...one, ...closing }];
  });
  const fresh = closed.filter(({ isNew }) => isNew);
  const late = new Set(
    await lateSince(
      tx,
      fresh.map(({ key, row, countedTo }) => ({ key, tenantId: row.tenant_id, countedTo })),
    ),
  );
  // Nothing was planned before for a period that was never closed before.
  const concerned = closed.filter(({ isNew, key }) => !isNew || late.has(key));
  await plan(
    tx,
    concerned.map(({ key, row, at, lateTo }) => ({
      ...{ tenantId: row.tenant_id, accountId: row.account_id, key, at },
      isLate: lateTo !== null || late.has(key),
    })),
  );
};

type FreshClosing = { readonly key: string; readonly tenantId: string; readonly countedTo: bigint };

const lateSince = async (tx: Sql, closings: readonly FreshClosing[]): Promise<readonly string[]> => {
  if (closings.length === 0) return [];
  const tenantIds = [...new Set(closings.map(({ tenantId }) => tenantId))];
  const changes = await tx.query<{ tenantId: string; last: bigint | null }>(
    lastChange,
    [tenantIds],
    'usage-last-changes',
  );
  const lastOf = new Map(changes.map(({ tenantId, last }) => [tenantId, last ?? -1n]));
  const doubtful = closings.filter(({ tenantId, countedTo }) => countedTo < (lastOf.get(tenantId) ?? -1n));
  if (doubtful.length === 0) return [];
  const rows = await tx.query<{ key: string }>(lateAlready, [doubtful.map(({ key }) => key)], 'usage-closings-late');
  return rows.map(({ key }) => key);
};

const applyCounted = async (tx: Sql, { recorded, data }: Event<'LateUsageCounted'>): Promise<void> => {
  const { accountId, quantity, countedTo, closedQuantity } = data;
  const counted = [[closingKey(data)], [quantity], [countedTo], [closedQuantity]];
  const rows = await tx.query<{ key: string; lateTo: bigint | null }>(countedAgain, counted, 'usage-closings-counted');
  const { tenantId, at } = recorded.metadata;
  await plan(
    tx,
    rows.map(({ key, lateTo }) => ({ tenantId, accountId, key, at, isLate: lateTo !== null })),
  );
};

type Due = { readonly tenantId: string; readonly accountId: string; readonly key: string; readonly at: Instant };

const plan = async (tx: Sql, periods: readonly (Due & { readonly isLate: boolean })[]): Promise<void> => {
  await schedule(tx, periods.filter(({ isLate }) => isLate).map(lateUsageItem));
  await unschedule(
    tx,
    periods.filter(({ isLate }) => !isLate).map(({ key }) => ({ kind: lateUsageKind, key })),
  );
};

/** The piece of work that counts a closed period again. */
export const lateUsageItem = ({ tenantId, accountId, key, at }: Due): DueItem => ({
  tenantId,
  kind: lateUsageKind,
  key,
  dueAt: at,
  payload: { accountId },
});

/** What on-time usage is looked at for: both are rare, and one look a page tells. */
export type BeyondUsage = {
  /** End of the newest period that was closed of any of the tenants; null: none was. Usage comes on time as a rule, and is younger. */
  readonly closedUntil: number | null;
  /** A backfill of one of them stands, and may stand in front of what comes. */
  readonly isBackfilled: boolean;
};

export const beyondUsage = async (tx: Sql, tenantIds: readonly string[]): Promise<BeyondUsage> => {
  type Row = { readonly toMs: bigint | null; readonly isBackfilled: boolean };
  const [row] = await tx.query<Row>(newestClosed, [[...new Set(tenantIds)]], 'usage-closed-to');
  return { closedUntil: row?.toMs == null ? null : Number(row.toMs), isBackfilled: row?.isBackfilled ?? false };
};

/** Finds closed periods that the usage belongs to, and plans that they are counted again. */
export const markLate = async (tx: Sql, points: readonly UsagePoint[]): Promise<void> => {
  if (points.length === 0) return;
  const values = [
    points.map(({ series }) => series),
    points.map(({ atMs }) => atMs),
    points.map(({ position }) => position),
  ];
  const rows = await tx.query<{ key: string; tenantId: string; accountId: string; isFirst: boolean; first: bigint }>(
    markLateSql,
    values,
    'usage-closings-mark',
  );
  const atOf = new Map(points.map(({ position, at }) => [position, at]));
  await schedule(
    tx,
    rows.flatMap(({ key, tenantId, accountId, isFirst, first }) => {
      const at = atOf.get(first);
      return isFirst && at !== undefined ? [lateUsageItem({ tenantId, accountId, key, at })] : [];
    }),
  );
};
