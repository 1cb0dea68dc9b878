import type { Pool } from 'pg';

const positionSql = `select (select coalesce(max(position), 0) from eventstore.events)::text as head, (select min(position) from metering.read_models)::text as reached`;

/** Waits until metering's read models have passed everything that the log held when this was called. */
export const counted = async (pool: Pool, everyMs = 10): Promise<void> => {
  let head: bigint | undefined;
  for (const deadline = Date.now() + 120_000; ; await new Promise((resolve) => setTimeout(resolve, everyMs))) {
    const { rows } = await pool.query<{ head: string; reached: string | null }>({
      name: 'bench-position',
      text: positionSql,
      values: [],
    });
    head ??= BigInt(rows[0]?.head ?? 0);
    if (BigInt(rows[0]?.reached ?? -1) >= head) return;
    if (Date.now() > deadline) throw new Error('the read model did not follow');
  }
};
