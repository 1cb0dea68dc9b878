import { type AccountInvoicesEvent, accountInvoicesSchema, accountInvoicesStreams } from '@billstream/invoicing-domain';
import { type AuditRecord, type AuditedChange, type ChangeType, type Sql, auditTrail } from '@billstream/postgres';

/** Items are told apart: there may be thousands, and who made them is who made or changed the invoice then. */
const withoutItems = (data: object): object =>
  Object.fromEntries(Object.entries(data).filter(([name]) => name !== 'items'));

/** What an event is to the invoice that it names; the others change none. */
const changeTypes: { readonly [Type in AccountInvoicesEvent['type']]?: ChangeType } = {
  InvoiceCommitted: 'INSERT',
  InvoiceDrafted: 'INSERT',
  DraftExtended: 'UPDATE',
  DraftCommitted: 'UPDATE',
  InvoiceVoided: 'UPDATE',
  InvoiceAdjusted: 'UPDATE',
};

const changesOf = (event: AccountInvoicesEvent): readonly AuditedChange[] => {
  const { accountId } = event.data;
  const change = (invoiceId: string, changeType: ChangeType): AuditedChange => ({
    ...{ objectType: 'INVOICE', objectId: invoiceId, accountId, changeType, history: withoutItems(event.data) },
  });
  if (event.type === 'CreditApplied')
    return [...new Set(event.data.items.map(({ invoiceId }) => invoiceId))].map((id) => change(id, 'UPDATE'));
  const changeType = changeTypes[event.type];
  return changeType !== undefined && 'invoiceId' in event.data ? [change(event.data.invoiceId, changeType)] : [];
};

/** Who made and changed invoices. */
export const auditReadModel = auditTrail([accountInvoicesStreams], (recorded) => {
  const event = accountInvoicesSchema.decode(recorded);
  return event === null ? [] : changesOf(event);
});

/** An item is never changed, so that its history is who brought it onto its invoice. */
const ofItems = `
select distinct on (t.item_id) 'INVOICE_ITEM' as "objectType", t.item_id as "objectId", 'INSERT' as "changeType",
  a.changed_at as "changedAt", a.changed_by as "changedBy", a.reason, a.comment, a.user_token as "userToken",
  t.item as history
from invoice_items t
join audit_trail a on a.object_id = t.invoice_id and a.position >= t.created_position
where t.tenant_id = $1 and t.item_id = any($2::uuid[])
order by t.item_id, a.position, a.place`;

/** At most one an item; the items of a large invoice were drawn just before the invoice was made. */
export const auditRecordsOfItems = (
  sql: Sql,
  tenantId: string,
  itemIds: readonly string[],
): Promise<readonly AuditRecord[]> => sql.query<AuditRecord>(ofItems, [tenantId, itemIds], 'audit-of-items');
