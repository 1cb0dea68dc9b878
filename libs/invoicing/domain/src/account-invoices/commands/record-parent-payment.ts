import type { AccountInvoicesEvent } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { rawBalanceOf } from '../invoice-totals';
import { settleCredit } from '../settle-credit';
import { type Given, type Step, inSequence, occasionOf } from '../steps';

/** The parent's invoice that these invoices of the account are summed up in is paid, or is not any more. */
export type RecordParentPayment = Given & {
  readonly type: 'RecordParentPayment';
  readonly invoiceIds: readonly string[];
  readonly isPaid: boolean;
};

const settleOne =
  (invoiceId: string, isPaid: boolean): Step =>
  ({ account, invoices }) => {
    const invoice = invoices[invoiceId];
    if (account === null || invoice === undefined) return [];
    const isSettled = invoice.settledMinor !== 0;
    const settledMinor = isPaid ? rawBalanceOf(invoice) : 0;
    if (isSettled === isPaid || (isPaid && settledMinor <= 0)) return [];
    return [{ type: 'SettledByParent', data: { accountId: account.accountId, invoiceId, settledMinor } }];
  };

export const recordParentPayment = (
  state: AccountInvoices,
  command: RecordParentPayment,
): readonly AccountInvoicesEvent[] => {
  const { invoiceIds, isPaid } = command;
  const settled = inSequence(
    state,
    invoiceIds.map((invoiceId) => settleOne(invoiceId, isPaid)),
  );
  if (settled.length === 0) return [];
  return inSequence(state, [() => settled, settleCredit(invoiceIds, occasionOf(command))]);
};
