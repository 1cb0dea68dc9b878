import type { Pool } from 'pg';
import { inLanes } from './measure';

export const rowsPerInsert = 500;

export type UsageRow = {
  readonly unit: string;
  readonly user: string;
  readonly amount: number;
  readonly time: number;
  readonly source: string;
  readonly id: string;
};

export const piecesOf = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

const bareInsert = `
insert into bench_usage (source, id, unit, user_name, amount, at_ms)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::bigint[])
on conflict (source, id) do nothing`;

/** The same records straight into a table whose key keeps duplicates out: nothing else is done with them. */
export const bareInserts = async (pool: Pool, connections: number, records: readonly UsageRow[]): Promise<number> => {
  await pool.query('drop table if exists bench_usage');
  await pool.query(
    'create table bench_usage (source text, id text, unit text not null, user_name text not null, amount numeric not null, at_ms bigint not null, primary key (source, id))',
  );
  const inserts = piecesOf(records, rowsPerInsert);
  const { seconds } = await inLanes(connections, inserts.length, async (piece) => {
    // In one order everywhere, or two statements with the same keys wait for each other.
    const rows = [...(inserts[piece] ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
    const values = [
      rows.map((r) => r.source),
      rows.map((r) => r.id),
      rows.map((r) => r.unit),
      rows.map((r) => r.user),
      rows.map((r) => r.amount),
      rows.map((r) => r.time),
    ];
    await pool.query({ name: 'bench-usage', text: bareInsert, values });
  });
  return records.length / seconds;
};
