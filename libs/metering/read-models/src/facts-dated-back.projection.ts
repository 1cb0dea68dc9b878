import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Instant, epochMs } from '@billstream/kernel';
import { type PlanInterval, meteredAccountSchema, plansDifferFrom, unitSchema } from '@billstream/metering-domain';
import { type Sql, schedule } from '@billstream/postgres';
import { lateUsageItem } from './closings.projection';

/** Rules or plans that hold from an instant on: periods that were closed after it may come to something else now. */
type ChangedFacts = {
  readonly tenantId: string;
  /** Whose rules; null: plans changed. */
  readonly unit: string | null;
  /** Whose plans, and of which subscription; null: rules changed. */
  readonly subscriptionId: string | null;
  /** Whose the plans are, as it was known when they were recorded; null: not yet. */
  readonly user: string | null;
  readonly fromMs: number;
  readonly position: bigint;
  readonly at: Instant;
};

/** Before all usage: a unit that is defined counts what was sent before, too (M12). */
const alwaysMs = -1;
const plansOf = `
select subscription_id as "subscriptionId", intervals from metered_plans where subscription_id = any($1::text[])`;

const usersOf = `
select account_id as "accountId", user_name as "user" from metered_accounts where account_id = any($1::text[])`;

/** What changes with these facts; to be asked before they are applied. */
export const changedFacts = async (tx: Sql, events: readonly RecordedEvent[]): Promise<readonly ChangedFacts[]> => {
  const [plans, users] = [await plansBefore(tx, events), await usersBefore(tx, events)];
  return events.flatMap((recorded): readonly ChangedFacts[] => {
    const { position, metadata } = recorded;
    const about = { tenantId: metadata.tenantId, position, at: metadata.at };
    const rules = unitSchema.decode(recorded);
    if (rules !== null) {
      const { name, effectiveAt } = rules.data;
      const fromMs = rules.type === 'UnitDefined' ? alwaysMs : epochMs(effectiveAt);
      return [{ ...about, unit: name, subscriptionId: null, user: null, fromMs }];
    }
    const told = meteredAccountSchema.decode(recorded);
    if (told?.type === 'AccountRecorded') users.set(told.data.accountId, told.data.user);
    if (told?.type !== 'PlansRecorded') return [];
    const { accountId, subscriptionId, intervals } = told.data;
    const from = plansDifferFrom(plans.get(subscriptionId) ?? [], intervals);
    plans.set(subscriptionId, intervals);
    const user = users.get(accountId) ?? null;
    return from === null ? [] : [{ ...about, unit: null, subscriptionId, user, fromMs: epochMs(from) }];
  });
};

const plansBefore = async (
  tx: Sql,
  events: readonly RecordedEvent[],
): Promise<Map<string, readonly PlanInterval[]>> => {
  const ids = events.flatMap((recorded) => {
    const event = meteredAccountSchema.decode(recorded);
    return event?.type === 'PlansRecorded' ? [event.data.subscriptionId] : [];
  });
  if (ids.length === 0) return new Map();
  type Row = { readonly subscriptionId: string; readonly intervals: readonly PlanInterval[] };
  const rows = await tx.query<Row>(plansOf, [[...new Set(ids)]], 'metered-plans-before');
  return new Map(rows.map(({ subscriptionId, intervals }) => [subscriptionId, intervals]));
};

/** In the order of the log: an account that is recorded later in the same page is not known yet. */
const usersBefore = async (tx: Sql, events: readonly RecordedEvent[]): Promise<Map<string, string>> => {
  const ids = events.flatMap((recorded) => {
    const event = meteredAccountSchema.decode(recorded);
    return event?.type === 'PlansRecorded' ? [event.data.accountId] : [];
  });
  if (ids.length === 0) return new Map();
  type Row = { readonly accountId: string; readonly user: string };
  const rows = await tx.query<Row>(usersOf, [[...new Set(ids)]], 'metered-accounts-before');
  return new Map(rows.map(({ accountId, user }) => [accountId, user]));
};

/**
 * A subscription counts as on the plan that its invoice asks for, so its own plans change no period of its own: invoicing
 * asks anew for those. They decide whose usage it is among the user's subscriptions, and by which rule. Where nothing was
 * metered there is nothing to decide: what was reported for a subscription is its own.
 */
const markLateSql = `
with hit as (
  select c.closing_key, c.late_to is null as is_first, min(f.position) as first, max(f.position) as last
  from jsonb_to_recordset($1::jsonb)
    as f(tenant_id text, unit text, user_name text, subscription_id text, from_ms bigint, position bigint)
  join usage_closings c on c.tenant_id = f.tenant_id and c.to_ms > f.from_ms and c.counted_to < f.position
    and (c.unit = f.unit or (c.user_name = f.user_name and c.subscription_id <> f.subscription_id))
  where exists (select from usage_records r where r.series = c.series and r.at_ms >= c.from_ms and r.at_ms < c.to_ms)
  group by c.closing_key, c.late_to
)
update usage_closings c set late_to = greatest(c.late_to, hit.last) from hit where c.closing_key = hit.closing_key
returning c.closing_key as key, c.tenant_id as "tenantId", c.account_id as "accountId", hit.is_first as "isFirst", hit.first`;

/**
 * For periods that are being closed meanwhile. All of them: a plan is recorded a moment after it holds, and a period may end
 * within that moment, however short it is.
 */
const insertDatedBack = `
insert into usage_dated_back
select f.tenant_id, f.unit, f.user_name, f.subscription_id, f.from_ms, f.position
from jsonb_to_recordset($1::jsonb)
  as f(tenant_id text, unit text, user_name text, subscription_id text, from_ms bigint, position bigint)`;

/** Finds closed periods that the facts may change, and plans that they are counted again; to be asked after they are applied. */
export const markLateByFacts = async (tx: Sql, changes: readonly ChangedFacts[]): Promise<void> => {
  if (changes.length === 0) return;
  const rows = await tx.query<{ key: string; tenantId: string; accountId: string; isFirst: boolean; first: bigint }>(
    markLateSql,
    [JSON.stringify(changes.map(rowOf))],
    'usage-closings-mark-by-facts',
  );
  const atOf = new Map(changes.map(({ position, at }) => [position, at]));
  await schedule(
    tx,
    rows.flatMap(({ key, tenantId, accountId, isFirst, first }) => {
      const at = atOf.get(first);
      return isFirst && at !== undefined ? [lateUsageItem({ tenantId, accountId, key, at })] : [];
    }),
  );
  await tx.query(insertDatedBack, [JSON.stringify(changes.map(rowOf))], 'usage-dated-back');
};

const rowOf = ({ tenantId, unit, user, subscriptionId, fromMs, position }: ChangedFacts): object => ({
  ...{ tenant_id: tenantId, unit, user_name: user, subscription_id: subscriptionId, from_ms: fromMs },
  position: String(position),
});
