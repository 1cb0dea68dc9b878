import type { Pool } from 'pg';
import type { Total } from './dataset';

const totalsSql = `
select s.unit, count(*) as records, sum(r.amount) as amount
from metering.usage_records r join metering.usage_series s using (series) group by s.unit`;

/** What the read model of metering holds, by unit. */
export const storedTotals = async (pool: Pool): Promise<ReadonlyMap<string, Total>> => {
  const { rows } = await pool.query<{ unit: string; records: string; amount: string }>(totalsSql);
  return new Map(rows.map(({ unit, records, amount }) => [unit, { records: Number(records), amount: Number(amount) }]));
};

/** How far a count is from what it should be: what is missing, and what is there once more than it was sent. */
export type Difference = { readonly missing: number; readonly surplus: number };

type Totals = ReadonlyMap<string, Total>;

/** By unit, so that what is lost of one and doubled of another does not look right together. */
export const differenceOf = (before: Totals, after: Totals, wanted: Totals, what: keyof Total): Difference => {
  const units = new Set([...before.keys(), ...after.keys(), ...wanted.keys()]);
  const differences = [...units].map((unit) => {
    const of = (totals: Totals): number => totals.get(unit)?.[what] ?? 0;
    return of(after) - of(before) - of(wanted);
  });
  return {
    missing: -differences.filter((one) => one < 0).reduce((sum, one) => sum + one, 0),
    surplus: differences.filter((one) => one > 0).reduce((sum, one) => sum + one, 0),
  };
};

/** Throws unless exactly the records that were sent are there, with their amounts. */
export const expectExact = (before: Totals, after: Totals, wanted: Totals): void => {
  for (const what of ['records', 'amount'] as const) {
    const { missing, surplus } = differenceOf(before, after, wanted, what);
    if (missing + surplus > 0)
      throw new Error(`of the ${what} sent ${missing} are missing and ${surplus} are too many`);
  }
};

export const recordsOf = (totals: Totals): number =>
  [...totals.values()].reduce((sum, { records }) => sum + records, 0);

/** Waits until so many records are there in all. */
export const stored = async (pool: Pool, records: number): Promise<void> => {
  for (const deadline = Date.now() + 120_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const { rows } = await pool.query<{ count: string }>('select count(*) as count from metering.usage_records');
    if (Number(rows[0]?.count ?? 0) >= records) return;
    if (Date.now() > deadline) throw new Error(`of ${records} records ${rows[0]?.count ?? 0} came`);
  }
};
