import type { Decimal, Instant } from '@billstream/kernel';
import type { Dimensions } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { correctionKey, identifiedKey } from './keys';

type Counted = {
  readonly unit: string;
  readonly user: string;
  readonly atMs: number;
  readonly amount: Decimal;
  readonly dimensions: Dimensions | null;
};

/** A correction as it was carried out. `kind` UNKNOWN: there was no such record then, and nothing changed. */
export type CorrectionView = {
  readonly correctionId: string;
  readonly kind: 'VOID' | 'REPLACE' | 'UNKNOWN';
  readonly source: string;
  readonly id: string;
  readonly reason: string;
  readonly actor: string;
  readonly correctedAt: Instant;
  readonly before: Counted | null;
  readonly after: Counted | null;
  readonly position: bigint;
  readonly index: number;
};

const counted = (prefix: string, series: string): string => `
  case when c.${prefix}_series is not null then jsonb_build_object('unit', ${series}.unit, 'user', ${series}.user_name,
    'atMs', c.${prefix}_at_ms, 'amount', c.${prefix}_amount::text, 'dimensions', c.${prefix}_dimensions) end`;

const page = `
select c.correction_id as "correctionId", c.kind, c.source, c.record_id as id, c.reason, c.actor,
  c.corrected_at as "correctedAt", ${counted('before', 'b')} as before, ${counted('after', 'a')} as after,
  c.position, c.idx as index
from usage_corrections c
left join usage_series b on b.series = c.before_series
left join usage_series a on a.series = c.after_series
where c.tenant_id = $1 and ($2::uuid is null or c.record_key = $2) and (c.position, c.idx) > ($3::bigint, $4::bigint)
order by c.position, c.idx limit $5`;

const known = `select correction_id as id from usage_corrections where correction_key = any($1::uuid[])`;

export type CorrectionSearch = {
  /** Null: of all records. */
  readonly record: { readonly source: string; readonly id: string } | null;
  readonly after: { readonly position: bigint; readonly index: number };
  readonly limit: number;
};

/** Corrections in the order of the log. */
export const correctionsPage = (
  sql: Sql,
  tenantId: string,
  { record, after, limit }: CorrectionSearch,
): Promise<readonly CorrectionView[]> =>
  sql.query<CorrectionView>(
    page,
    [
      tenantId,
      record === null ? null : identifiedKey(tenantId, record.source, record.id),
      after.position,
      after.index,
      limit,
    ],
    'usage-corrections-page',
  );

/** Those of the names that were used by a correction. */
export const usedCorrectionIds = async (
  sql: Sql,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> => {
  const keys = ids.map((id) => correctionKey(tenantId, id));
  const rows = await sql.query<{ id: string }>(known, [keys], 'usage-corrections-used');
  return new Set(rows.map(({ id }) => id));
};
