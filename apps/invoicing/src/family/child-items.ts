import { type InvoiceView, childInvoices } from '@billstream/invoicing-read-models';
import { invoiceJson, itemJson } from '../http/invoice-json';
import type { Invoicing } from '../invoicing';

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true';

/** Kill Bill's Invoice JSON; with `withChildrenItems=true` each summary shows the items of the child that it stands for. */
export const shownInvoice = async (
  { runtime }: Invoicing,
  tenantId: string,
  invoice: InvoiceView,
  withChildrenItems: string | undefined,
) => {
  const json = invoiceJson(invoice);
  if (!isTrue(withChildrenItems) || !invoice.isParentInvoice) return json;
  const children = await childInvoices(runtime.database, tenantId, [invoice.invoiceId]);
  const items = json.items.map((item) =>
    item.itemType === 'PARENT_SUMMARY' ? { ...item, childItems: itemsOf(children, item.childAccountId) } : item,
  );
  return { ...json, items };
};

const itemsOf = (children: readonly InvoiceView[], childAccountId: string | null) =>
  children
    .filter(({ accountId }) => accountId === childAccountId)
    .flatMap((child) => child.items.map((item) => itemJson(item, child)));
