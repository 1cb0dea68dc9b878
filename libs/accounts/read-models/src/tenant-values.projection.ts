import { type TenantConfigEvent, perTenantConfigKey, tenantConfigSchema } from '@billstream/accounts-domain';
import type { ReadModel } from '@billstream/postgres';

const ddl = `
create table tenant_values (
  tenant_id uuid not null,
  kind text not null,
  key text not null,
  texts jsonb not null,
  settings jsonb,
  primary key (tenant_id, kind, key)
);
`;

const insertValues = `
insert into tenant_values
select * from jsonb_to_recordset($1::jsonb) as row(tenant_id uuid, kind text, key text, texts jsonb, settings jsonb)
on conflict (tenant_id, kind, key) do update set texts = excluded.texts, settings = excluded.settings`;

const deleteValues = `
delete from tenant_values using jsonb_to_recordset($1::jsonb) as gone(tenant_id uuid, kind text, key text)
where tenant_values.tenant_id = gone.tenant_id and tenant_values.kind = gone.kind and tenant_values.key = gone.key`;

/** `plugin`: the text is sealed. `config`: the tenant's own settings. `value`: Kill Bill's other keys and users' own. */
export type TenantValueKind = 'plugin' | 'config' | 'value';

/** What a tenant keeps here under a key. */
export const tenantValuesReadModel: ReadModel = {
  name: 'tenant-values',
  tables: ['tenant_values'],
  ddl,
  prefixes: ['tenantConfig-'],
  apply: async (tx, events) => {
    const last = new Map<string, Entry>();
    for (const recorded of events) {
      const event = tenantConfigSchema.decode(recorded);
      if (event === null) continue;
      const entry = entryOf(event);
      last.set(JSON.stringify([entry.tenant_id, entry.kind, entry.key]), entry);
    }
    const kept = [...last.values()].filter((entry) => entry.texts !== null);
    const gone = [...last.values()].filter((entry) => entry.texts === null);
    if (kept.length > 0) await tx.query(insertValues, [JSON.stringify(kept)], 'tenant-values-upsert');
    if (gone.length > 0) await tx.query(deleteValues, [JSON.stringify(gone)], 'tenant-values-delete');
  },
};

/** Texts null: removed. */
type Entry = {
  readonly tenant_id: string;
  readonly kind: TenantValueKind;
  readonly key: string;
  readonly texts: readonly string[] | null;
  readonly settings: object | null;
};

const entryOf = ({ type, data }: TenantConfigEvent): Entry => {
  const base = { tenant_id: data.tenantId, settings: null };
  switch (type) {
    case 'PluginConfigUploaded':
      return { ...base, kind: 'plugin', key: data.pluginName, texts: [data.sealedConfig] };
    case 'PluginConfigRemoved':
      return { ...base, kind: 'plugin', key: data.pluginName, texts: null };
    case 'PerTenantConfigUploaded':
      return { ...base, kind: 'config', key: perTenantConfigKey, texts: [data.text], settings: data.settings };
    case 'PerTenantConfigRemoved':
      return { ...base, kind: 'config', key: perTenantConfigKey, texts: null };
    case 'TenantValuesRecorded':
      return { ...base, kind: 'value', key: data.key, texts: data.values };
    case 'TenantValuesRemoved':
      return { ...base, kind: 'value', key: data.key, texts: null };
  }
};
