import type { Sql } from '@billstream/postgres';

/**
 * What the read model is doing with a commit or a revert: working out what changes, moving limits, writing records, marking
 * closed periods.
 */
export const backfillSteps = ['PLANNING', 'LIMITS', 'RECORDS', 'PERIODS'] as const;
export type BackfillStep = (typeof backfillSteps)[number];

/** `done` of `of` records that change; null while that is not known yet. */
export type BackfillProgress = { readonly step: BackfillStep; readonly done: number; readonly of: number | null };

const nameOf = (backfillId: string): string => `backfill ${backfillId.replaceAll('-', '')}`;

/**
 * Says how far the transaction is. Nothing that it writes can be seen before it ends, but the name of its connection can:
 * it holds for the transaction alone, and is gone with a process that dies.
 */
export const tellProgress = async (
  tx: Sql,
  backfillId: string,
  { step, done, of }: BackfillProgress,
): Promise<void> => {
  const text = `${nameOf(backfillId)} ${String(backfillSteps.indexOf(step))} ${String(done)} ${String(of ?? '')}`;
  await tx.query(`select set_config('application_name', $1, true)`, [text.trimEnd()]);
};

const working = `
select application_name as name from pg_stat_activity
where datname = current_database() and starts_with(application_name, $1) limit 1`;

/** How far the read model is with a commit or a revert; null: it is not at it. */
export const backfillProgress = async (sql: Sql, backfillId: string): Promise<BackfillProgress | null> => {
  const prefix = `${nameOf(backfillId)} `;
  const [row] = await sql.query<{ name: string }>(working, [prefix], 'usage-backfill-progress');
  const [step = '', done, of] = row?.name.slice(prefix.length).split(' ') ?? [];
  const named = backfillSteps[Number(step)];
  if (row === undefined || named === undefined) return null;
  return { step: named, done: Number(done), of: of === undefined ? null : Number(of) };
};
