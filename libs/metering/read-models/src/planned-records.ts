import type { Sql } from '@billstream/postgres';
import { tellProgress } from './backfill-progress';

const slice = 'p.record_key >= $1::uuid and p.record_key <= $2::uuid';

const removeRecords = `
delete from usage_records r using backfill_plan p
where p.record_key = r.record_key and p.is_known and not p.is_kept and ${slice}`;

const changeRecords = `
update usage_records r set series = p.after_series, at_ms = p.after_at_ms, amount = p.after_amount,
  dimensions = p.after_dimensions, position = p.after_position, idx = p.after_idx
from backfill_plan p where p.record_key = r.record_key and p.is_known and p.is_kept and ${slice}`;

const addRecords = `
insert into usage_records (record_key, series, at_ms, amount, position, idx, dimensions)
select record_key, after_series, after_at_ms, after_amount, after_position, after_idx, after_dimensions
from backfill_plan p where not is_known and is_kept and ${slice}`;

const countSlice = `select count(*)::int as count from backfill_plan p where ${slice}`;
const countAll = 'select count(*)::int as count from backfill_plan';

/** Some seconds of work: often enough to see it move, and too seldom to cost anything. */
const sliceRecords = 50_000;

/** Names are digests, so ranges of them hold about the same. */
const prefixes = 65_536;

/** Both ends of each range are in it. */
const rangesOf = (count: number): readonly (readonly [first: string, last: string])[] => {
  const slices = Math.min(Math.max(count, 1), prefixes);
  const prefix = (index: number): string => index.toString(16).padStart(4, '0');
  return Array.from({ length: slices }, (_, index) => [
    `${prefix(Math.floor((index * prefixes) / slices))}0000-0000-0000-0000-000000000000`,
    `${prefix(Math.floor(((index + 1) * prefixes) / slices) - 1)}ffff-ffff-ffff-ffff-ffffffffffff`,
  ]);
};

/** Writes what the plan makes of records, and says how many of them are written. */
export const writePlanned = async (tx: Sql, backfillId: string, most = sliceRecords): Promise<void> => {
  const countOf = async (statement: string, values: readonly string[]): Promise<number> =>
    (await tx.query<{ count: number }>(statement, [...values]))[0]?.count ?? 0;
  const of = await countOf(countAll, []);
  let done = 0;
  for (const range of rangesOf(Math.ceil(of / most))) {
    await tellProgress(tx, backfillId, { step: 'RECORDS', done, of });
    for (const statement of [removeRecords, changeRecords, addRecords]) await tx.query(statement, [...range]);
    done += await countOf(countSlice, range);
  }
  await tellProgress(tx, backfillId, { step: 'PERIODS', done, of });
};
