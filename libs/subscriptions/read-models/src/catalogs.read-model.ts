import type { ReadModel, Sql } from '@billstream/postgres';
import { type TenantCatalog, catalogSchema, evolveCatalog, noCatalog } from '@billstream/subscriptions-domain';

const prefix = 'catalog-';

const ddl = `
create table catalogs (
  tenant_id text primary key,
  revision bigint not null,
  state jsonb not null
);
`;

const loadSql = 'select tenant_id, state from catalogs where tenant_id = any($1::text[])';
const upsertSql = `
insert into catalogs (tenant_id, revision, state) select * from unnest($1::text[], $2::bigint[], $3::jsonb[])
on conflict (tenant_id) do update set revision = excluded.revision, state = excluded.state`;
const findSql = `
select revision, case when revision = $2::bigint then null else state end as state from catalogs where tenant_id = $1`;

/** Every tenant's catalog versions, as parsed at upload. */
export const catalogsReadModel: ReadModel = {
  name: 'catalogs',
  tables: ['catalogs'],
  ddl,
  prefixes: [prefix],
  apply: async (tx, events) => {
    const tenants = [...new Set(events.map(({ stream }) => stream.slice(prefix.length)))];
    const rows = await tx.query<{ readonly tenant_id: string; readonly state: TenantCatalog }>(
      loadSql,
      [tenants],
      'catalogs-load',
    );
    const states = new Map(rows.map((row) => [row.tenant_id, row.state]));
    const revisions = new Map<string, bigint>();
    for (const recorded of events) {
      const event = catalogSchema.decode(recorded);
      if (event === null) continue;
      const tenantId = recorded.stream.slice(prefix.length);
      states.set(tenantId, evolveCatalog(states.get(tenantId) ?? noCatalog, event));
      revisions.set(tenantId, recorded.revision);
    }
    const changed = [...revisions.keys()];
    await tx.query(
      upsertSql,
      [changed, changed.map((id) => String(revisions.get(id))), changed.map((id) => JSON.stringify(states.get(id)))],
      'catalogs-upsert',
    );
  },
};

export type CatalogAtRevision = { readonly revision: bigint; readonly state: TenantCatalog };

/** A catalog is large and seldom changes: what is known already is not sent again. Null: nothing is known of the tenant. */
export const catalogOfTenant = async (
  sql: Sql,
  tenantId: string,
  known: CatalogAtRevision | null,
): Promise<CatalogAtRevision | null> => {
  const rows = await sql.query<{ readonly revision: bigint; readonly state: TenantCatalog | null }>(
    findSql,
    [tenantId, String(known?.revision ?? -1)],
    'catalog-of-tenant',
  );
  const [row] = rows;
  if (row === undefined) return null;
  return row.state === null ? known : { revision: row.revision, state: row.state };
};
