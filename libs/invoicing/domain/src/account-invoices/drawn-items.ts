import type { AccountInvoicesEvent, Itemized } from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';

type Drawn = Extract<AccountInvoicesEvent, { readonly type: 'InvoiceItemsDrawn' }>['data'];

/** The state with items of a large invoice that do not count yet. */
export const withDrawn = (state: AccountInvoices, { invoiceId, from, items }: Drawn): AccountInvoices => ({
  ...state,
  drawn: { ...state.drawn, [invoiceId]: from === 0 ? items : [...(state.drawn[invoiceId] ?? []), ...items] },
});

/** The event with all its items, and the state without those that were drawn before it. */
export const whole = <Data extends Itemized & { readonly invoiceId: string }>(
  state: AccountInvoices,
  data: Data,
): readonly [AccountInvoices, Data] => {
  if (data.itemsDrawn === undefined) return [state, data];
  const { [data.invoiceId]: items = [], ...drawn } = state.drawn;
  return [
    { ...state, drawn },
    { ...data, items: [...items, ...data.items] },
  ];
};
