import type { Instant } from '@billstream/kernel';
import type { CountingMethod, Rule, UnitVersion } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';

/** A unit as it is now. */
export type UnitView = {
  readonly unitId: string;
  readonly name: string;
  readonly countingMethod: CountingMethod;
  readonly version: number;
  readonly rules: readonly Rule[];
};

const columns = `unit_id as "unitId", name, counting_method as "countingMethod", version, rules`;
const byId = `select ${columns} from meter_units where tenant_id = $1 and unit_id = $2 and rules is not null`;
const byName = `select ${columns} from meter_units where tenant_id = $1 and name = $2 and rules is not null`;
/** By the rules in force at $3: the newest of those that have begun, else the first to come. Of tenant $1, named $2. */
export const unitInForceFrom = `
select u.unit_id as "unitId", u.name, u.counting_method as "countingMethod", v.version, coalesce(v.rules, '[]') as rules
from meter_units u cross join lateral (
  select version, rules from meter_unit_versions v where v.unit_id = u.unit_id
  order by v.effective_at <= $3 desc, case when v.effective_at <= $3 then -v.version else v.version end limit 1
) v
where u.tenant_id = $1 and u.name = $2 and u.rules is not null`;
const page = (direction: 'asc' | 'desc'): string => `
select ${columns}, count(*) over () as total from meter_units
where tenant_id = $1 and rules is not null and ($2::text is null or strpos(lower(name), lower($2)) > 0)
order by defined_position ${direction} limit $3 offset $4`;
const versions = `
select v.version, v.effective_at as "effectiveAt", v.counting_method as "countingMethod", v.rules
from meter_units u join meter_unit_versions v using (unit_id)
where u.tenant_id = $1 and u.name = $2 order by v.version`;
const methods = `
select name, counting_method as "countingMethod" from meter_units
where tenant_id = $1 and name = any($2::text[]) and rules is not null`;

export const unitById = async (sql: Sql, tenantId: string, unitId: string): Promise<UnitView | null> =>
  (await sql.query<UnitView>(byId, [tenantId, unitId], 'unit-by-id'))[0] ?? null;

export const unitByName = async (sql: Sql, tenantId: string, name: string): Promise<UnitView | null> =>
  (await sql.query<UnitView>(byName, [tenantId, name], 'unit-by-name'))[0] ?? null;

/** A unit by the rules that are in force at an instant, which need not be the newest. */
export const unitInForce = async (sql: Sql, tenantId: string, name: string, at: Instant): Promise<UnitView | null> =>
  (await sql.query<UnitView>(unitInForceFrom, [tenantId, name, at], 'unit-in-force'))[0] ?? null;

export type UnitPage = { readonly units: readonly UnitView[]; readonly total: number };
export type UnitSearch = {
  readonly nameLike: string | null;
  readonly limit: number;
  readonly offset: number;
  /** Newest first. */
  readonly descending?: boolean;
};

/** In the order in which they were first defined. `nameLike` finds a part of the name, whatever the case. */
export const unitsPage = async (
  sql: Sql,
  tenantId: string,
  { nameLike, limit, offset, descending = false }: UnitSearch,
): Promise<UnitPage> => {
  const direction = descending ? 'desc' : 'asc';
  const rows = await sql.query<UnitView & { total: bigint }>(
    page(direction),
    [tenantId, nameLike, limit, offset],
    `units-page-${direction}`,
  );
  return { units: rows, total: Number(rows[0]?.total ?? 0n) };
};

/** Every version a unit ever had, oldest first; also those of one that was removed. Empty: nobody ever defined it. */
export const unitVersions = (sql: Sql, tenantId: string, name: string): Promise<readonly UnitVersion[]> =>
  sql.query<UnitVersion & { effectiveAt: Instant }>(versions, [tenantId, name], 'unit-versions');

export const countingMethods = async (
  sql: Sql,
  tenantId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, CountingMethod>> => {
  const rows = await sql.query<{ name: string; countingMethod: CountingMethod }>(
    methods,
    [tenantId, names],
    'unit-methods',
  );
  return new Map(rows.map(({ name, countingMethod }) => [name, countingMethod]));
};
