import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { AccountInvoicesEvent } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { commitDraft } from '../make-invoice';
import type { AccountInvoicesRejection } from '../rejections';
import { type Given, occasionOf } from '../steps';
import { entryOf } from '../book';

/** Makes a draft an invoice that is owed. */
export type CommitDraft = Given & { readonly type: 'CommitDraft'; readonly invoiceId: string };

export const commitDraftInvoice = (
  state: AccountInvoices,
  command: CommitDraft,
): Decision<AccountInvoicesEvent, AccountInvoicesRejection> => {
  const { invoiceId } = command;
  const invoice = entryOf(state.invoices, invoiceId);
  if (invoice === undefined) return reject({ code: 'invoice-unknown', invoiceId });
  if (invoice.status !== 'DRAFT') return reject({ code: 'invoice-not-draft', invoiceId, status: invoice.status });
  return accept(...commitDraft(invoiceId, occasionOf(command))(state));
};
