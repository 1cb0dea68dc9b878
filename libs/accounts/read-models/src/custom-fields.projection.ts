import { objectFieldsSchema } from '@billstream/accounts-domain';
import type { ReadModel } from '@billstream/postgres';

const ddl = `
create table custom_fields (
  custom_field_id uuid primary key,
  tenant_id uuid not null,
  account_id uuid not null,
  object_type text not null,
  object_id uuid not null,
  name text not null,
  value text not null,
  is_active boolean not null,
  created_position bigint not null
);
create index custom_fields_of_tenant on custom_fields (tenant_id, created_position) where is_active;
create index custom_fields_of_account on custom_fields (account_id) where is_active;
create index custom_fields_of_object on custom_fields (object_id) where is_active;
`;

const upsert = `
insert into custom_fields
select * from jsonb_to_recordset($1::jsonb) as row(
  custom_field_id uuid, tenant_id uuid, account_id uuid, object_type text, object_id uuid, name text, value text,
  is_active boolean, created_position bigint)
on conflict (custom_field_id) do update set value = excluded.value, is_active = excluded.is_active`;

/** Custom fields of objects; what was removed stays and is not active. */
export const customFieldsReadModel: ReadModel = {
  name: 'custom-fields',
  tables: ['custom_fields'],
  ddl,
  prefixes: ['objectFields-'],
  apply: async (tx, events) => {
    const rows = new Map<string, object>();
    for (const recorded of events) {
      const event = objectFieldsSchema.decode(recorded);
      if (event === null) continue;
      const { data, type } = event;
      rows.set(data.customFieldId, {
        created_position: String(recorded.position),
        ...rows.get(data.customFieldId),
        custom_field_id: data.customFieldId,
        tenant_id: recorded.metadata.tenantId,
        account_id: data.accountId,
        object_type: data.objectType,
        object_id: data.objectId,
        name: data.name,
        value: data.value,
        is_active: type !== 'CustomFieldRemoved',
      });
    }
    if (rows.size > 0) await tx.query(upsert, [JSON.stringify([...rows.values()])], 'custom-fields-upsert');
  },
};
