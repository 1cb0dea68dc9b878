import { type TenantEvent, tenantSchema } from '@billstream/accounts-domain';
import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel } from '@billstream/postgres';

const ddl = `
create table tenants (
  tenant_id uuid primary key,
  api_key text not null unique,
  secret_hash text not null,
  external_key text not null
);
create table tenant_clocks (
  tenant_id uuid primary key,
  distance_ms bigint not null,
  held_until timestamptz
);
`;

const insertTenants = `
insert into tenants
select * from jsonb_to_recordset($1::jsonb) as row(tenant_id uuid, api_key text, secret_hash text, external_key text)
on conflict (tenant_id) do nothing`;

const insertClocks = `
insert into tenant_clocks
select * from jsonb_to_recordset($1::jsonb) as row(tenant_id uuid, distance_ms bigint, held_until timestamptz)
on conflict (tenant_id) do update set distance_ms = excluded.distance_ms, held_until = excluded.held_until`;

/** Tenants by id and by API key, and how far their test clocks were moved; until when due work is held back for them. */
export const tenantsReadModel: ReadModel = {
  name: 'tenants',
  tables: ['tenants', 'tenant_clocks'],
  ddl,
  prefixes: ['tenant-'],
  apply: async (tx, events) => {
    const decoded = events.map(tenantEvent).filter((event) => event !== null);
    const created = decoded.flatMap((event) => (event.type === 'TenantCreated' ? [event.data] : []));
    const moved = new Map(
      decoded.flatMap((event) =>
        event.type === 'TenantClockMoved' ? [[event.data.tenantId, event.data] as const] : [],
      ),
    );
    const tenants = created.map(({ tenantId, apiKey, secretHash, externalKey }) => ({
      tenant_id: tenantId,
      api_key: apiKey,
      secret_hash: secretHash,
      external_key: externalKey,
    }));
    const clocks = [...moved].map(([tenantId, { distanceMs, heldBack }]) => ({
      tenant_id: tenantId,
      distance_ms: distanceMs,
      held_until: heldBack?.until ?? null,
    }));
    if (tenants.length > 0) await tx.query(insertTenants, [JSON.stringify(tenants)], 'tenants-insert');
    if (clocks.length > 0) await tx.query(insertClocks, [JSON.stringify(clocks)], 'tenant-clocks-upsert');
  },
};

const tenantEvent = (recorded: RecordedEvent): TenantEvent | null => tenantSchema.decode(recorded);
