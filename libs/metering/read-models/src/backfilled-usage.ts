import type { Sql } from '@billstream/postgres';
import type { Sample } from './usage.projection';

const shadow = `
insert into usage_shadowed (record_key, series, at_ms, amount, position, idx, dimensions)
select t.* from jsonb_to_recordset($1::jsonb) as t(record_key uuid, series uuid, at_ms bigint, amount numeric,
  position bigint, idx int, dimensions jsonb)
join usage_records r using (record_key)
join usage_backfill_pieces p on p.position = r.position
on conflict (record_key) do nothing`;

/** Keeps records that came directly and lost to a backfilled one of their name: a revert makes them count. */
export const shadowUsage = async (tx: Sql, samples: readonly Sample[]): Promise<void> => {
  if (samples.length === 0) return;
  const rows = samples.map(({ key, series, atMs, amount, event, index, dimensions }) => ({
    ...{ record_key: key, series, at_ms: atMs, amount, position: String(event.position), idx: index, dimensions },
  }));
  await tx.query(shadow, [JSON.stringify(rows)], 'usage-shadow');
};
