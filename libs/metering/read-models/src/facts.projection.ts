import type { RecordedEvent } from '@billstream/event-sourcing';
import {
  type CountingMethod,
  type MeteredAccountEvent,
  type Rule,
  type UnitEvent,
  meteredAccountSchema,
  unitSchema,
} from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { applyLogFormats } from './log-formats.projection';
import { applyTenants } from './tenants.projection';

const upsertUnits = `
insert into meter_units
select * from jsonb_to_recordset($1::jsonb) as row(
  unit_id uuid, tenant_id text, name text, counting_method text, version int, rules jsonb, has_limit boolean,
  defined_position bigint)
on conflict (unit_id) do update set
  counting_method = excluded.counting_method, version = excluded.version, rules = excluded.rules,
  has_limit = meter_units.has_limit or excluded.has_limit`;

const insertVersions = `
insert into meter_unit_versions
select * from jsonb_to_recordset($1::jsonb) as row(
  unit_id uuid, version int, effective_at timestamptz, counting_method text, rules jsonb)`;

const methodsOfUnits = `
select unit_id as "unitId", counting_method as "countingMethod" from meter_units where unit_id = any($1::uuid[])`;

const upsertAccounts = `
insert into metered_accounts
select * from jsonb_to_recordset($1::jsonb) as row(
  account_id text, tenant_id text, user_name text, time_zone text, bill_cycle_day int)
on conflict (account_id) do update set 
  user_name = excluded.user_name, time_zone = excluded.time_zone, bill_cycle_day = excluded.bill_cycle_day`;

const upsertPlans = `
insert into metered_plans
select * from jsonb_to_recordset($1::jsonb) as row(subscription_id text, account_id text, tenant_id text, intervals jsonb)
on conflict (subscription_id) do update set account_id = excluded.account_id, intervals = excluded.intervals`;

/** Facts are what rules and plans are known from; everything else is usage. */
export const isFact = ({ stream }: RecordedEvent): boolean =>
  /^(meterUnit|meteredTenant|meteredAccount|logFormat)-/.test(stream);

export const applyFacts = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  await applyUnits(tx, events);
  await applyAccounts(tx, events);
  await applyLogFormats(tx, events);
  await applyTenants(tx, events);
};

type Told<Event> = { readonly event: Event; readonly recorded: RecordedEvent };
type UnitRow = {
  readonly unit_id: string;
  readonly tenant_id: string;
  readonly name: string;
  readonly counting_method: CountingMethod;
  readonly version: number;
  readonly rules: readonly Rule[] | null;
  readonly has_limit: boolean;
  readonly defined_position: string;
};

const applyUnits = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const told = events.flatMap((recorded): readonly Told<UnitEvent>[] => {
    const event = unitSchema.decode(recorded);
    return event === null ? [] : [{ event, recorded }];
  });
  if (told.length === 0) return;
  const methods = await knownMethods(tx, told);
  const units = new Map<string, UnitRow>();
  const versions: object[] = [];
  for (const { event, recorded } of told) {
    const { unitId, name, version, effectiveAt } = event.data;
    const method = event.type === 'UnitDefined' ? event.data.countingMethod : methods.get(unitId);
    if (method === undefined)
      throw new TypeError(`${recorded.stream}@${recorded.revision} is about a unit that was never defined`);
    methods.set(unitId, method);
    const rules = event.type === 'UnitRemoved' ? null : event.data.rules;
    versions.push({ unit_id: unitId, version, effective_at: effectiveAt, counting_method: method, rules });
    units.set(unitId, {
      unit_id: unitId,
      tenant_id: recorded.metadata.tenantId,
      name,
      counting_method: method,
      version,
      rules,
      // Once a unit had a limit it is looked at: newer rules may be yet to come, and who was limited must be released.
      has_limit: units.get(unitId)?.has_limit === true || (rules ?? []).some(({ limitAmount }) => limitAmount !== null),
      // Of a unit that exists the database keeps its own.
      defined_position: units.get(unitId)?.defined_position ?? String(recorded.position),
    });
  }
  await tx.query(upsertUnits, [JSON.stringify([...units.values()])], 'meter-units-upsert');
  await tx.query(insertVersions, [JSON.stringify(versions)], 'meter-unit-versions-insert');
};

const knownMethods = async (tx: Sql, told: readonly Told<UnitEvent>[]): Promise<Map<string, CountingMethod>> => {
  const rows = await tx.query<{ unitId: string; countingMethod: CountingMethod }>(
    methodsOfUnits,
    [[...new Set(told.map(({ event }) => event.data.unitId))]],
    'meter-units-methods',
  );
  return new Map(rows.map(({ unitId, countingMethod }) => [unitId, countingMethod]));
};

const applyAccounts = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const accounts = new Map<string, object>();
  const plans = new Map<string, object>();
  for (const recorded of events) {
    const event: MeteredAccountEvent | null = meteredAccountSchema.decode(recorded);
    const { tenantId } = recorded.metadata;
    if (event?.type === 'AccountRecorded') {
      const { accountId, user, timeZone, billCycleDay = 0 } = event.data;
      accounts.set(accountId, {
        account_id: accountId,
        tenant_id: tenantId,
        user_name: user,
        time_zone: timeZone,
        bill_cycle_day: billCycleDay,
      });
    } else if (event?.type === 'PlansRecorded') {
      const { accountId, subscriptionId, intervals } = event.data;
      plans.set(subscriptionId, {
        subscription_id: subscriptionId,
        account_id: accountId,
        tenant_id: tenantId,
        intervals,
      });
    }
  }
  if (accounts.size > 0)
    await tx.query(upsertAccounts, [JSON.stringify([...accounts.values()])], 'metered-accounts-upsert');
  if (plans.size > 0) await tx.query(upsertPlans, [JSON.stringify([...plans.values()])], 'metered-plans-upsert');
};
