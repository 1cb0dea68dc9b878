import { type Clock, type Instant, tenantClock } from '@billstream/kernel';
import type { Sql } from './database';

/**
 * How far each tenant's test clock was moved, and what due work waits while it is on its way; safe to run at every start.
 * A tenant without a row lives in wall time.
 */
export const tenantClockDdl = `
create table if not exists tenant_clock (
  tenant_id   text   primary key,
  distance_ms bigint not null
);
alter table tenant_clock add column if not exists held_after timestamptz;
alter table tenant_clock add column if not exists held_until timestamptz;
`;

/** `heldBack`: due work with a date after `after` and up to `until` waits for a later move. */
export type ClockPosition = {
  readonly distanceMs: number;
  readonly heldBack?: { readonly after: Instant; readonly until: Instant };
};

export type TenantClocks = {
  readonly clock: Clock;
  /** Takes the distances from the table, where another process may have moved them, unless one is moved meanwhile. */
  refresh(): Promise<void>;
  /** Moves a clock in the table and in this process at once. */
  move(tx: Sql, tenantId: string, position: ClockPosition): Promise<void>;
};

const moveSql = `
insert into tenant_clock (tenant_id, distance_ms, held_after, held_until) values ($1, $2, $3, $4)
on conflict (tenant_id) do update set
  distance_ms = excluded.distance_ms, held_after = excluded.held_after, held_until = excluded.held_until`;

export const tenantClocks = (database: Sql): TenantClocks => {
  const distances = new Map<string, number>();
  let moves = 0;
  return {
    clock: tenantClock((tenantId) => distances.get(tenantId) ?? 0),
    refresh: async () => {
      const movesBefore = moves;
      const rows = await database.query<{ tenant_id: string; distance_ms: bigint }>(
        'select tenant_id, distance_ms from tenant_clock',
        [],
        'tenant-clock-load',
      );
      // A clock that was moved meanwhile is known better here than in rows read before; the next time is soon.
      if (moves === movesBefore) for (const row of rows) distances.set(row.tenant_id, Number(row.distance_ms));
    },
    move: async (tx, tenantId, { distanceMs, heldBack }) => {
      const values = [tenantId, distanceMs, heldBack?.after ?? null, heldBack?.until ?? null];
      await tx.query(moveSql, values, 'tenant-clock-move');
      moves += 1;
      distances.set(tenantId, distanceMs);
    },
  };
};
