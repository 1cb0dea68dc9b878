import { instantOfMs } from '@billstream/kernel';
import { type LimitSample, anonymousUser } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import type { CorrectedUsage, Counting } from './corrections.projection';
import { type LimitedUnit, type LimitedUnits, type Moved, applyMoves, limitedUnits, nameOf } from './limits.projection';

const newestSamples = `
select asked.series, newest.at_ms as "atMs", newest.amount
from unnest($1::uuid[]) as asked(series)
cross join lateral (
  select at_ms, amount from usage_records r where r.series = asked.series
  order by at_ms desc, position desc, idx desc limit 1
) as newest`;

/** Limits follow corrections: what was taken out of the open window or put into it, and a gauge's newest sample. */
export const applyCorrectedLimits = async (tx: Sql, changes: readonly CorrectedUsage[]): Promise<void> => {
  if (changes.length === 0) return;
  const limited = await limitedUnits(
    tx,
    changes.map(({ event }) => event.metadata.tenantId),
    [],
  );
  if (limited.size === 0) return;
  const parts = changes.flatMap((change) => partsOf(change, limited));
  const newest = await newestOf(
    tx,
    parts.filter(({ unit }) => unit.method !== 'SUM').map(({ series }) => series),
  );
  await applyMoves(
    tx,
    parts.map(({ before, after, ...moved }) => ({
      ...moved,
      move: { kind: 'correction', corrected: { before, after, newest: newest.get(moved.series) ?? null } },
    })),
  );
};

type Part = Omit<Moved, 'move'> & { readonly before: LimitSample | null; readonly after: LimitSample | null };

const sampleOf = ({ atMs, amount }: Counting): LimitSample => ({ at: instantOfMs(atMs), amount });

/** A record that is somebody else's now is taken from the one and given to the other. */
const partsOf = ({ event, index, before, after }: CorrectedUsage, limited: LimitedUnits): readonly Part[] => {
  const unitOf = ({ unit, user }: Counting): LimitedUnit | undefined =>
    user === anonymousUser ? undefined : limited.get(nameOf(event.metadata.tenantId, unit));
  const part = (counting: Counting, change: Pick<Part, 'before' | 'after'>): readonly Part[] => {
    const unit = unitOf(counting);
    return unit === undefined ? [] : [{ unit, user: counting.user, series: counting.series, event, index, ...change }];
  };
  if (before !== null && after?.series === before.series)
    return part(before, { before: sampleOf(before), after: sampleOf(after) });
  return [
    ...(before === null ? [] : part(before, { before: sampleOf(before), after: null })),
    ...(after === null ? [] : part(after, { before: null, after: sampleOf(after) })),
  ];
};

const newestOf = async (tx: Sql, series: readonly string[]): Promise<ReadonlyMap<string, LimitSample>> => {
  if (series.length === 0) return new Map();
  const rows = await tx.query<{ series: string; atMs: bigint; amount: LimitSample['amount'] }>(
    newestSamples,
    [[...new Set(series)]],
    'usage-newest-samples',
  );
  return new Map(
    rows.map(({ series: uuid, atMs, amount }) => [uuid.replaceAll('-', ''), { at: instantOfMs(Number(atMs)), amount }]),
  );
};
