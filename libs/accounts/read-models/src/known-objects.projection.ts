import type { TaggableObjectType } from '@billstream/accounts-contracts';
import { knownObjectsSchema } from '@billstream/accounts-domain';
import type { ReadModel, Sql } from '@billstream/postgres';

const ddl = `
create table known_objects (
  object_id uuid not null,
  object_type text not null,
  tenant_id uuid not null,
  account_id uuid not null,
  primary key (object_id, object_type)
);
`;

const insertObjects = `
insert into known_objects
select * from jsonb_to_recordset($1::jsonb) as row(object_id uuid, object_type text, tenant_id uuid, account_id uuid)
on conflict (object_id, object_type) do update set account_id = excluded.account_id`;

/** Which account an object of another context belongs to. */
export const knownObjectsReadModel: ReadModel = {
  name: 'known-objects',
  tables: ['known_objects'],
  ddl,
  prefixes: ['accountObjects-'],
  apply: async (tx, events) => {
    const rows = new Map<string, object>();
    for (const recorded of events)
      for (const { objectId, objectType } of knownObjectsSchema.decode(recorded)?.data.objects ?? [])
        rows.set(`${objectType} ${objectId}`, {
          object_id: objectId,
          object_type: objectType,
          tenant_id: recorded.metadata.tenantId,
          account_id: knownObjectsSchema.decode(recorded)?.data.accountId,
        });
    if (rows.size > 0) await tx.query(insertObjects, [JSON.stringify([...rows.values()])], 'known-objects-upsert');
  },
};

const owner = `select account_id as "accountId" from known_objects where tenant_id = $1 and object_type = $2 and object_id = $3`;

/** The account an object belongs to; null: nobody told of it. */
export const ownerOf = async (
  sql: Sql,
  tenantId: string,
  object: { readonly objectType: TaggableObjectType; readonly objectId: string },
): Promise<string | null> => {
  const values = [tenantId, object.objectType, object.objectId];
  return (await sql.query<{ accountId: string }>(owner, values, 'owner-of-object'))[0]?.accountId ?? null;
};
