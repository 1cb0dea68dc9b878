import type { AccountInvoicesEvent, InvoiceItem, Itemized } from './account-invoices.events';

/** Characters of items that one event holds; far below what a store takes at once. */
const charactersMax = 300_000;

/** Items in groups that each fit into one event. */
const groupsOf = (items: readonly InvoiceItem[]): readonly (readonly InvoiceItem[])[] => {
  const groups: InvoiceItem[][] = [];
  let left = 0;
  for (const item of items) {
    const characters = JSON.stringify(item).length;
    if (characters > left) {
      groups.push([]);
      left = charactersMax;
    }
    groups.at(-1)?.push(item);
    left -= characters;
  }
  return groups;
};

type Invoice = Itemized & { readonly accountId: string; readonly invoiceId: string };

/** A few items certainly fit where none has a long text: they are not measured. */
const isSmall = (items: readonly InvoiceItem[]): boolean =>
  items.length <= 100 &&
  items.every(({ trackingIds, itemDetails }) => trackingIds === undefined && (itemDetails?.length ?? 0) < 2_000);

/** The event that makes or extends an invoice, after the events that draw its items where these are too many for one. */
export const inParts = <Data extends Invoice>(
  invoice: Data,
  eventOf: (data: Data) => AccountInvoicesEvent,
): readonly AccountInvoicesEvent[] => {
  const { accountId, invoiceId, items } = invoice;
  const groups = isSmall(items) ? [items] : groupsOf(items);
  if (groups.length <= 1) return [eventOf(invoice)];
  let from = 0;
  const parts = groups.map((group): AccountInvoicesEvent => {
    const data = { accountId, invoiceId, from, items: group };
    from += group.length;
    return { type: 'InvoiceItemsDrawn', data };
  });
  return [...parts, eventOf({ ...invoice, items: [], itemsDrawn: items.length })];
};
