import type { AccountInvoicesEvent } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { settleCredit } from '../settle-credit';
import { type Given, type Step, inSequence, occasionOf } from '../steps';
import { entryOf } from '../book';

/** What the parent has paid of what it was charged for an invoice of the account. Minor units. */
export type Covered = { readonly invoiceId: string; readonly coveredMinor: number };

/** What a parent has paid for these invoices of the account, after one of its own was paid, or was not any more. */
export type RecordParentPayment = Given & {
  readonly type: 'RecordParentPayment';
  readonly invoices: readonly Covered[];
};

/**
 * What the parent has paid is what it was charged, whatever the invoice asks for by now: what grew since is still owed,
 * and what the parent had paid before it heard of an adjustment is the child's credit.
 */
const settleOne =
  ({ invoiceId, coveredMinor: settledMinor }: Covered): Step =>
  ({ account, invoices }) => {
    const invoice = entryOf(invoices, invoiceId);
    if (account === null || invoice === undefined) return [];
    if (invoice.settledMinor === settledMinor) return [];
    return [{ type: 'SettledByParent', data: { accountId: account.accountId, invoiceId, settledMinor } }];
  };

export const recordParentPayment = (
  state: AccountInvoices,
  command: RecordParentPayment,
): readonly AccountInvoicesEvent[] => {
  const { invoices } = command;
  const settled = inSequence(state, invoices.map(settleOne));
  if (settled.length === 0) return [];
  const touched = invoices.map(({ invoiceId }) => invoiceId);
  return inSequence(state, [() => settled, settleCredit(touched, occasionOf(command))]);
};
