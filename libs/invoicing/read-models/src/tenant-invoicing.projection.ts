import {
  type InvoiceTextKey,
  type InvoicingSettings,
  defaultSettings,
  settingsFrom,
  tenantInvoicingSchema,
  tenantInvoicingStreams,
} from '@billstream/invoicing-domain';
import type { ReadModel, Sql } from '@billstream/postgres';

const ddl = `
create table invoicing_settings (
  tenant_id uuid primary key,
  settings jsonb not null
);
create table invoice_texts (
  tenant_id uuid not null,
  kind text not null,
  locale text not null,
  content text not null,
  primary key (tenant_id, kind, locale)
);
`;

const settings = `
insert into invoicing_settings
select * from jsonb_to_recordset($1::jsonb) as row(tenant_id uuid, settings jsonb)
on conflict (tenant_id) do update set settings = excluded.settings`;

const texts = `
insert into invoice_texts
select * from jsonb_to_recordset($1::jsonb) as row(tenant_id uuid, kind text, locale text, content text)
on conflict (tenant_id, kind, locale) do update set content = excluded.content`;

/** What each tenant has set for its invoices. */
export const tenantInvoicingReadModel: ReadModel = {
  name: 'tenant-invoicing',
  tables: ['invoicing_settings', 'invoice_texts'],
  ddl,
  prefixes: [tenantInvoicingStreams],
  apply: async (tx, events) => {
    const settingsRows = new Map<string, object>();
    const textRows = new Map<string, object>();
    for (const recorded of events) {
      const event = tenantInvoicingSchema.decode(recorded);
      if (event === null) continue;
      const { tenantId } = event.data;
      if (event.type === 'SettingsRecorded')
        settingsRows.set(tenantId, { tenant_id: tenantId, settings: event.data.settings });
      else {
        const { kind, locale, text } = event.data;
        const row = { tenant_id: tenantId, kind, locale: locale ?? '', content: text };
        textRows.set(`${tenantId} ${kind} ${locale ?? ''}`, row);
      }
    }
    await write(tx, settings, settingsRows, 'invoicing-settings');
    await write(tx, texts, textRows, 'invoice-texts');
  },
};

const write = async (tx: Sql, statement: string, rows: ReadonlyMap<string, object>, name: string): Promise<void> => {
  if (rows.size > 0) await tx.query(statement, [JSON.stringify([...rows.values()])], name);
};

/** By which rules each tenant's invoices are made: Kill Bill's defaults where it has set nothing. */
export const invoicingSettings = async (
  sql: Sql,
  tenantIds: readonly string[],
): Promise<readonly InvoicingSettings[]> => {
  const rows = await sql.query<{ readonly tenantId: string; readonly settings: Readonly<Record<string, string>> }>(
    'select tenant_id as "tenantId", settings from invoicing_settings where tenant_id = any($1::uuid[])',
    [[...new Set(tenantIds)]],
    'invoicing-settings-of',
  );
  const set = new Map(rows.map(({ tenantId, settings: texts }) => [tenantId, settingsFrom(texts)]));
  return tenantIds.map((tenantId) => set.get(tenantId) ?? defaultSettings);
};

/** A text that a tenant uploaded; null where it uploaded none. */
export const invoiceText = async (
  sql: Sql,
  tenantId: string,
  { kind, locale }: InvoiceTextKey,
): Promise<string | null> => {
  const rows = await sql.query<{ readonly content: string }>(
    'select content from invoice_texts where tenant_id = $1 and kind = $2 and locale = $3',
    [tenantId, kind, locale ?? ''],
    'invoice-text',
  );
  return rows[0]?.content ?? null;
};
