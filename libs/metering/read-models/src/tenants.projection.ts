import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Sql } from '@billstream/postgres';

const insertTenants = `
insert into metered_tenants select * from unnest($1::text[]) on conflict (tenant_id) do nothing`;

const knownTenant = `select tenant_id as "tenantId" from metered_tenants where tenant_id = $1`;

/** Whoever something is known of is a tenant; of one that accounts told of nothing else need be. */
export const applyTenants = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const tenantIds = [...new Set(events.map(({ metadata }) => metadata.tenantId))];
  await tx.query(insertTenants, [tenantIds], 'metered-tenants-insert');
};

export const isKnownTenant = async (sql: Sql, tenantId: string): Promise<boolean> =>
  (await sql.query(knownTenant, [tenantId], 'metered-tenant')).length > 0;
