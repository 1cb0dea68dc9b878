import type { RecordedEvent } from '@billstream/event-sourcing';
import { type AccountInvoicesEvent, accountInvoicesSchema } from '@billstream/invoicing-domain';
import type { Sql } from '@billstream/postgres';

/** Items of large invoices until the event comes that makes them count. What was cut off stays here, unseen. */
export const drawnItemsDdl = `
create table invoice_items_drawn (
  invoice_id uuid not null,
  item_index int not null,
  item jsonb not null,
  primary key (invoice_id, item_index)
);
`;

const forgetDrawn = `delete from invoice_items_drawn where invoice_id = $1`;

const keepDrawn = `
insert into invoice_items_drawn
select $1::uuid, $2::int + (place - 1)::int, item
from jsonb_array_elements($3::jsonb) with ordinality as row(item, place)
on conflict (invoice_id, item_index) do update set item = excluded.item`;

const countDrawn = `
insert into invoice_items
select (item->>'itemId')::uuid, invoice_id, $2::uuid, item->>'type', (item->>'amountMinor')::bigint, $3::bigint,
  item_index, item
from invoice_items_drawn where invoice_id = $1`;

/** The invoice that an event closes with items drawn before; null for every other event. */
const closedBy = ({ type, data }: AccountInvoicesEvent): string | null =>
  (type === 'InvoiceCommitted' ||
    type === 'InvoiceDrafted' ||
    type === 'DraftExtended' ||
    type === 'InvoiceAdjusted') &&
  data.itemsDrawn !== undefined
    ? data.invoiceId
    : null;

/** Large invoices are rare: their events are applied one by one, in their order. */
export const applyDrawnItems = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  for (const recorded of events) {
    const event = accountInvoicesSchema.decode(recorded);
    if (event === null) continue;
    if (event.type === 'InvoiceItemsDrawn') {
      const { invoiceId, from, items } = event.data;
      if (from === 0) await tx.query(forgetDrawn, [invoiceId], 'invoice-items-forget-drawn');
      await tx.query(keepDrawn, [invoiceId, from, JSON.stringify(items)], 'invoice-items-keep-drawn');
    }
    const invoiceId = closedBy(event);
    if (invoiceId === null) continue;
    const { metadata, position } = recorded;
    await tx.query(countDrawn, [invoiceId, metadata.tenantId, String(position)], 'invoice-items-count-drawn');
    await tx.query(forgetDrawn, [invoiceId], 'invoice-items-forget-drawn');
  }
};
