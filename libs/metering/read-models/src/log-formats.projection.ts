import type { RecordedEvent } from '@billstream/event-sourcing';
import { type LogFormat, logFormatSchema, noLogFormat } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';

const upsertFormats = `
insert into log_formats select * from jsonb_to_recordset($1::jsonb) as row(tenant_id text, format jsonb)
on conflict (tenant_id) do update set format = excluded.format`;

const formatOf = `select format from log_formats where tenant_id = $1`;

export const applyLogFormats = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const formats = new Map<string, object>();
  for (const recorded of events) {
    const event = logFormatSchema.decode(recorded);
    const { tenantId } = recorded.metadata;
    if (event !== null) formats.set(tenantId, { tenant_id: tenantId, format: event.data });
  }
  if (formats.size > 0) await tx.query(upsertFormats, [JSON.stringify([...formats.values()])], 'log-formats-upsert');
};

/** How a tenant's log lines are read; without patterns when it has set none. */
export const logFormatOf = async (sql: Sql, tenantId: string): Promise<LogFormat> =>
  (await sql.query<{ format: LogFormat }>(formatOf, [tenantId], 'log-format'))[0]?.format ?? noLogFormat;
