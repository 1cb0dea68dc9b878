import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { AccountInvoicesEvent } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { creditInvoiceItem } from '../credit-item';
import type { NewItem } from '../generate';
import { commitInvoice } from '../make-invoice';
import type { AccountInvoicesRejection } from '../rejections';
import { type Given, billable, inSequence, occasionOf, todayOf } from '../steps';
import { namesIn } from '../book';

/** All credit of the account goes to its parent: an invoice uses it up here, and the parent is given as much. */
export type TransferCredit = Given & { readonly type: 'TransferCredit' };

export const transferCredit = (
  state: AccountInvoices,
  command: TransferCredit,
): Decision<AccountInvoicesEvent, AccountInvoicesRejection> => {
  const known = billable(state);
  if (known === null) return reject({ code: 'account-unknown' });
  const { accountId, parentAccountId } = known.account;
  if (parentAccountId === undefined) return reject({ code: 'account-without-parent', accountId });
  const amountMinor = state.creditMinor;
  if (amountMinor <= 0) return reject({ code: 'no-credit-to-transfer', accountId });
  const occasion = occasionOf(command);
  const today = todayOf(known.account, occasion);
  const charge: NewItem = {
    ...creditInvoiceItem(amountMinor, today),
    type: 'EXTERNAL_CHARGE',
    endDate: null,
    description: 'Account credit moved to the parent account',
  };
  return accept(
    ...inSequence(state, [
      commitInvoice([charge], { targetDate: today, today }, occasion),
      (after) => {
        const invoiceId = namesIn(after.invoices).at(-1);
        if (invoiceId === undefined) return [];
        const { currency } = known;
        return [{ type: 'CreditTransferred', data: { accountId, parentAccountId, invoiceId, amountMinor, currency } }];
      },
    ]),
  );
};
