import { type AccountInvoicesEvent, accountInvoicesSchema, accountInvoicesStreams } from '@billstream/invoicing-domain';
import { type AuditRecord, type AuditedChange, type ChangeType, type Sql, auditTrail } from '@billstream/postgres';

/** Items are told apart: there may be thousands, and who made them is who made or changed the invoice then. */
const withoutItems = (data: object): object =>
  Object.fromEntries(Object.entries(data).filter(([name]) => name !== 'items'));

const changesOf = (event: AccountInvoicesEvent): readonly AuditedChange[] => {
  const { accountId } = event.data;
  const change = (invoiceId: string, changeType: ChangeType): AuditedChange => ({
    ...{ objectType: 'INVOICE', objectId: invoiceId, accountId, changeType, history: withoutItems(event.data) },
  });
  switch (event.type) {
    case 'InvoiceCommitted':
    case 'InvoiceDrafted':
      return [change(event.data.invoiceId, 'INSERT')];
    case 'DraftExtended':
    case 'DraftCommitted':
    case 'InvoiceVoided':
    case 'InvoiceAdjusted':
      return [change(event.data.invoiceId, 'UPDATE')];
    case 'CreditApplied':
      return [...new Set(event.data.items.map(({ invoiceId }) => invoiceId))].map((id) => change(id, 'UPDATE'));
    default:
      return [];
  }
};

/** Who made and changed invoices. */
export const auditReadModel = auditTrail([accountInvoicesStreams], (recorded) => {
  const event = accountInvoicesSchema.decode(recorded);
  return event === null ? [] : changesOf(event);
});

/** An item is never changed, so that its history is who brought it onto its invoice. */
const ofItem = `
select 'INVOICE_ITEM' as "objectType", t.item_id as "objectId", 'INSERT' as "changeType", a.changed_at as "changedAt",
  a.changed_by as "changedBy", a.reason, a.comment, a.user_token as "userToken", t.item as history
from invoice_items t
join audit_trail a on a.object_id = t.invoice_id and a.position >= t.created_position
where t.tenant_id = $1 and t.item_id = $2
order by a.position, a.place limit 1`;

/** At most one; the items of a large invoice were drawn just before the invoice was made. */
export const auditRecordsOfItem = (sql: Sql, tenantId: string, itemId: string): Promise<readonly AuditRecord[]> =>
  sql.query<AuditRecord>(ofItem, [tenantId, itemId], 'audit-of-item');
