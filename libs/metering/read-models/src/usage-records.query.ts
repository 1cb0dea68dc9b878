import type { Decimal } from '@billstream/kernel';
import type { Dimensions } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { identifiedKey } from './keys';

/** A record by its name, as it counts now; `isVoid`: it does not, and these are its last values. */
export type NamedRecord = {
  readonly source: string;
  readonly id: string;
  readonly unit: string | null;
  readonly user: string | null;
  readonly atMs: number;
  readonly amount: Decimal;
  readonly dimensions: Dimensions | null;
  readonly isVoid: boolean;
  /** A backfill took it away, so it does not count, whatever it is corrected to. */
  readonly isReplaced: boolean;
};

export type RecordName = { readonly source: string; readonly id: string };

/** A voided record is remembered under the unit and user that its last correction took it from. */
const byKeys = `
select r.record_key as key, coalesce(s.unit, v.unit) as unit, coalesce(s.user_name, v.user_name) as "user",
  r.at_ms as "atMs", r.amount, r.dimensions, r.series is null as "isVoid", (
  select b.replaced_by is not null from usage_shadowed b where b.record_key = r.record_key) is true as "isReplaced"
from usage_records r
left join usage_series s using (series)
left join lateral (
  select was.unit, was.user_name from usage_corrections c join usage_series was on was.series = c.before_series
  where r.series is null and c.record_key = r.record_key order by c.position desc, c.idx desc limit 1
) v on true
where r.record_key = any($1::uuid[])`;

type Row = Omit<NamedRecord, 'source' | 'id' | 'atMs'> & { readonly key: string; readonly atMs: bigint };

/** The records of a tenant that have these names, by `nameKey`; those that are not there are not known. */
export const recordsNamed = async (
  sql: Sql,
  tenantId: string,
  names: readonly RecordName[],
): Promise<ReadonlyMap<string, NamedRecord>> => {
  const nameOf = new Map(names.map((name) => [identifiedKey(tenantId, name.source, name.id), name]));
  const rows = await sql.query<Row>(byKeys, [[...nameOf.keys()]], 'usage-records-named');
  return new Map(
    rows.flatMap(({ key, atMs, ...rest }) => {
      const name = nameOf.get(key.replaceAll('-', ''));
      return name === undefined
        ? []
        : [[nameKey(name), { ...rest, source: name.source, id: name.id, atMs: Number(atMs) }] as const];
    }),
  );
};

export const nameKey = ({ source, id }: RecordName): string => `${source.length} ${source} ${id}`;
