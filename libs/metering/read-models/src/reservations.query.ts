import {
  type LimitState,
  backfilledUsageStream,
  reservationSource,
  untouched,
  usageCorrectionStream,
  usageStream,
} from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { identifiedKey, userSeries } from './keys';

/** One statement, hence one instant of the read model: what is counted, up to where, and which of these names are in it. */
const countedSql = `
select l.current, l.newest_at as "newestAt", l.window_from as "windowFrom", l.window_to as "windowTo",
  l.passed_over as "passedOver", s.override,
  coalesce((select max(position) from usage_streams where stream = any($3::text[])), -1) as "countedTo",
  array(select r.record_key::text from usage_records r where r.record_key = any($4::uuid[])) as keys
from (select $1::uuid as series) as asked
left join limit_standings s using (series)
left join usage_limits l on l.series = asked.series and l.subscription_id = $2`;

type Row = Omit<LimitState, 'current'> & {
  readonly current: LimitState['current'] | null;
  readonly countedTo: bigint;
  readonly keys: readonly string[];
};

type Asked = {
  readonly tenantId: string;
  readonly user: string;
  readonly unit: string;
  readonly subscriptionId: string | null;
  /** Reservations that were committed. */
  readonly committed: readonly string[];
};

/** Where a user stands with a unit, and which committed reservations are part of that, up to which position of the log. */
export const usageForReservation = async (
  sql: Sql,
  { tenantId, user, unit, subscriptionId, committed }: Asked,
): Promise<{ readonly state: LimitState; readonly counted: readonly string[]; readonly countedTo: bigint }> => {
  const idOf = new Map(committed.map((id) => [identifiedKey(tenantId, reservationSource, id), id]));
  const values = [
    userSeries(tenantId, user, unit),
    subscriptionId ?? '',
    // What is corrected, or backfilled, moves the count as usage does, and outdates what was counted before it.
    [usageStream(tenantId, user), usageCorrectionStream(tenantId), backfilledUsageStream(tenantId)],
    [...idOf.keys()],
  ];
  const [row] = await sql.query<Row>(countedSql, values, 'usage-for-reservation');
  if (row === undefined) return { state: untouched, counted: [], countedTo: -1n };
  const { current, countedTo, keys, ...state } = row;
  return {
    state: current === null ? { ...untouched, override: state.override } : { ...state, current },
    counted: keys.flatMap((key) => idOf.get(key.replaceAll('-', '')) ?? []),
    countedTo,
  };
};
