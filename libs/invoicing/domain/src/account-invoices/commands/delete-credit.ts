import { type Decision, accept, reject } from '@billstream/event-sourcing';
import { type LocalDate, derivedId } from '@billstream/kernel';
import type { AccountInvoicesEvent, CreditItem } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { creditInvoiceItem } from '../credit-item';
import { itemIdOf } from '../generate';
import { type InvoiceTotals, type KnownItem, leftOf, takenBack } from '../invoice-totals';
import type { AccountInvoicesRejection } from '../rejections';
import { settleCredit } from '../settle-credit';
import { type Given, type Step, billable, inSequence, occasionOf, todayOf } from '../steps';
import { entriesOf, entryOf, namesIn } from '../book';

/** Takes back credit that somebody gave; what of it was used is owed again (Kill Bill 2.11). */
export type DeleteCredit = Given & {
  readonly type: 'DeleteCredit';
  readonly invoiceId: string;
  readonly itemId: string;
};

/** Lets credit that was used flow back from the invoices that used it, the newest first, until there is enough. */
const reclaimed = (state: AccountInvoices, neededMinor: number): readonly Omit<CreditItem, 'itemId' | 'date'>[] => {
  let needed = neededMinor;
  return entriesOf(state.invoices)
    .filter(([, { status, creditMinor }]) => status === 'COMMITTED' && creditMinor < 0)
    .reverse()
    .flatMap(([invoiceId, { creditMinor }]) => {
      const amountMinor = Math.min(needed, -creditMinor);
      if (amountMinor <= 0) return [];
      needed -= amountMinor;
      return [{ invoiceId, amountMinor }];
    });
};

/** What was given (CREDIT_ADJ) is taken back with the credit that it made, so that the invoice stays at zero. */
const takeBack =
  (command: DeleteCredit, item: KnownItem, date: LocalDate): Step =>
  (state) => {
    const known = billable(state);
    const invoice = entryOf(state.invoices, command.invoiceId);
    if (known === null || invoice === undefined) return [];
    const { accountId } = known.account;
    const { invoiceId, itemId } = command;
    const amountMinor = item.amountMinor;
    const given = { ...creditInvoiceItem(amountMinor, date), type: 'CREDIT_ADJ' as const };
    const moves = [
      ...reclaimed(state, amountMinor - state.creditMinor),
      { invoiceId, amountMinor: -amountMinor, linkedItemId: itemId },
    ].map((move, index) => ({
      ...move,
      date,
      itemId: derivedId('credit-item', accountId, String(state.creditItems + index)),
    }));
    return [
      {
        type: 'InvoiceAdjusted',
        data: { accountId, invoiceId, items: [{ ...given, itemId: itemIdOf(invoiceId, invoice.items.length) }] },
      },
      { type: 'CreditApplied', data: { accountId, currency: known.currency, items: moves } },
    ];
  };

const isGiven = ({ items }: InvoiceTotals): boolean => items.some(({ type }) => type === 'CREDIT_ADJ');

export const deleteCredit = (
  state: AccountInvoices,
  command: DeleteCredit,
): Decision<AccountInvoicesEvent, AccountInvoicesRejection> => {
  const { invoiceId, itemId } = command;
  const { account } = state;
  const invoice = entryOf(state.invoices, invoiceId);
  if (account === null || invoice === undefined) return reject({ code: 'invoice-unknown', invoiceId });
  const item = invoice.items.find((one) => one.itemId === itemId);
  if (item === undefined) return reject({ code: 'item-unknown', itemId });
  const isWhole =
    item.type === 'CBA_ADJ' && item.amountMinor > 0 && leftOf(item, takenBack(state.invoices)) === item.amountMinor;
  if (!isWhole || !isGiven(invoice) || invoice.status !== 'COMMITTED')
    return reject({ code: 'credit-not-deletable', itemId });
  const occasion = occasionOf(command);
  const touched = namesIn(state.invoices);
  return accept(
    ...inSequence(state, [
      takeBack(command, item, todayOf(account, occasion)),
      (after) =>
        settleCredit(
          touched.filter(
            (id) =>
              entryOf(after.invoices, id)?.creditMinor !== entryOf(state.invoices, id)?.creditMinor || id === invoiceId,
          ),
          occasion,
        )(after),
    ]),
  );
};
