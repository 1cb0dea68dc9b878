import { type RequestContext, unwrap } from '@billstream/http';
import {
  type AccountInvoicesCommand,
  type AccountInvoicesEvent,
  type InvoiceItem,
  accountInvoicesStream,
} from '@billstream/invoicing-domain';
import { type InvoiceView, invoiceById } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { type Invoicing, contextOf } from '../invoicing';
import { lookTwice } from './find-account';
import { invoiceProblem, unknownInvoice } from './problems';

/** Has a command on an account's invoices decided, and waits until what it decided can be read. */
export const issue = async (
  invoicing: Invoicing,
  request: RequestContext,
  accountId: string,
  command: AccountInvoicesCommand,
): Promise<readonly AccountInvoicesEvent[]> => {
  const handled = await invoicing.accountInvoices(
    accountInvoicesStream(accountId),
    command,
    contextOf(request, invoicing),
  );
  const { events, position } = unwrap(handled, invoiceProblem(accountId));
  await invoicing.runtime.visible(position);
  return events;
};

/** The tenant's invoice, or Kill Bill's 404. */
export const existingInvoice = async (invoicing: Invoicing, tenantId: string, text: string): Promise<InvoiceView> => {
  const id = parseUuid(text);
  const found =
    id === null ? null : await lookTwice(invoicing, () => invoiceById(invoicing.runtime.database, tenantId, id));
  if (found === null) throw unknownInvoice(text);
  return found;
};

export type PlacedItem = { readonly item: InvoiceItem; readonly invoiceId: string };

/** The items that a command made, each with the invoice it is on. Credit that was applied is no item of its own here. */
export const itemsMadeBy = (events: readonly AccountInvoicesEvent[]): readonly PlacedItem[] =>
  events.flatMap(({ data }): readonly PlacedItem[] =>
    'invoiceId' in data && 'items' in data ? data.items.map((item) => ({ item, invoiceId: data.invoiceId })) : [],
  );
