import { type Clock, tenantClock } from '@billstream/kernel';
import type { Sql } from './database';

/** How far each tenant's test clock was moved; safe to run at every start. A tenant without a row lives in wall time. */
export const tenantClockDdl = `
create table if not exists tenant_clock (
  tenant_id   text   primary key,
  distance_ms bigint not null
);
`;

export type TenantClocks = {
  readonly clock: Clock;
  /** Takes the distances from the table, where another process may have moved them. */
  refresh(): Promise<void>;
  /** Moves a clock in the table and in this process at once. */
  move(tx: Sql, tenantId: string, distanceMs: number): Promise<void>;
};

const moveSql = `
insert into tenant_clock (tenant_id, distance_ms) values ($1, $2)
on conflict (tenant_id) do update set distance_ms = excluded.distance_ms`;

export const tenantClocks = (database: Sql): TenantClocks => {
  const distances = new Map<string, number>();
  return {
    clock: tenantClock((tenantId) => distances.get(tenantId) ?? 0),
    refresh: async () => {
      const rows = await database.query<{ tenant_id: string; distance_ms: bigint }>(
        'select tenant_id, distance_ms from tenant_clock',
        [],
        'tenant-clock-load',
      );
      for (const row of rows) distances.set(row.tenant_id, Number(row.distance_ms));
    },
    move: async (tx, tenantId, distanceMs) => {
      await tx.query(moveSql, [tenantId, distanceMs], 'tenant-clock-move');
      distances.set(tenantId, distanceMs);
    },
  };
};
