import type { TransactionType } from '@billstream/payments-contracts';
import { returnableMinor } from './charges';
import { type Payment, capturableMinor, openTransaction } from './payment';
import type { RequestTransaction } from './payment.decider';

export type OperationRejection =
  | { readonly code: 'transaction-key-exists'; readonly externalKey: string }
  | { readonly code: 'transaction-under-way'; readonly transactionId: string }
  | { readonly code: 'currency-differs'; readonly currency: string }
  | { readonly code: 'operation-not-allowed'; readonly transactionType: TransactionType; readonly after: string }
  | { readonly code: 'account-differs'; readonly accountId: string }
  | { readonly code: 'amount-missing' }
  | { readonly code: 'item-unknown'; readonly invoiceItemId: string }
  | { readonly code: 'adjustment-too-high'; readonly invoiceItemId: string; readonly leftMinor: number }
  | { readonly code: 'amount-too-high'; readonly transactionType: TransactionType; readonly availableMinor: number };

/** Kill Bill's payment states: what may follow the last transaction that succeeded. */
const following: { readonly [Last in TransactionType | 'NOTHING']: readonly TransactionType[] } = {
  NOTHING: ['AUTHORIZE', 'PURCHASE', 'CREDIT'],
  AUTHORIZE: ['CAPTURE', 'VOID'],
  CAPTURE: ['CAPTURE', 'REFUND', 'CHARGEBACK'],
  PURCHASE: ['REFUND', 'CHARGEBACK'],
  REFUND: ['REFUND', 'CHARGEBACK'],
  CHARGEBACK: ['CHARGEBACK'],
  CREDIT: [],
  VOID: [],
};

type Wanted = RequestTransaction['data'];

const lastSuccess = ({ transactions }: Payment): TransactionType | 'NOTHING' =>
  transactions.findLast(({ state }) => state === 'SUCCESS')?.transactionType ?? 'NOTHING';

/** Most that the transaction may ask for; null: as much as somebody wants. */
export const availableMinor = (state: Payment, type: TransactionType): number | null => {
  switch (type) {
    case 'REFUND':
    case 'CHARGEBACK':
      return returnableMinor(state);
    case 'CAPTURE':
      return capturableMinor(state);
    case 'AUTHORIZE':
    case 'PURCHASE':
    case 'CREDIT':
    case 'VOID':
      return null;
  }
};

/** What it asks for: all that is left where the request names no amount. */
export const amountFor = ({ transactionType, amountMinor }: Wanted, state: Payment): number =>
  transactionType === 'VOID' ? 0 : (amountMinor ?? availableMinor(state, transactionType) ?? 0);

/** Why the payment cannot have this transaction now; null: it can. A failed one may be tried again under its key. */
export const refusalOf = (wanted: Wanted, state: Payment): OperationRejection | null => {
  const { transactionType, externalKey, opening, currency } = wanted;
  if (state.opened === null) return null;
  if (opening !== null && opening.accountId !== state.opened.accountId)
    return { code: 'account-differs', accountId: state.opened.accountId };
  const isTaken = state.transactions.some((one) => one.externalKey === externalKey && !hasFailed(one.state));
  if (isTaken) return { code: 'transaction-key-exists', externalKey };
  const open = openTransaction(state);
  if (open !== null) return { code: 'transaction-under-way', transactionId: open.transactionId };
  const last = lastSuccess(state);
  if (!following[last].includes(transactionType))
    return { code: 'operation-not-allowed', transactionType, after: last };
  if (currency !== null && currency !== state.opened.currency)
    return { code: 'currency-differs', currency: state.opened.currency };
  return amountRefusal(wanted, state) ?? itemRefusal(wanted, state.opened.invoiceId);
};

/** A refund would be made, and the item never lowered. */
const itemRefusal = (
  { itemAdjustments, adjustedItems = null }: Wanted,
  invoiceId: string | null,
): OperationRejection | null => {
  if (adjustedItems === null) return null;
  const asked = new Map<string, number>();
  for (const { invoiceItemId, amountMinor } of itemAdjustments) {
    const known = adjustedItems.find((one) => one.invoiceItemId === invoiceItemId && one.invoiceId === invoiceId);
    if (known === undefined) return { code: 'item-unknown', invoiceItemId };
    const { leftMinor } = known;
    const sum = (asked.get(invoiceItemId) ?? 0) + (amountMinor ?? leftMinor);
    if (sum > leftMinor || leftMinor <= 0) return { code: 'adjustment-too-high', invoiceItemId, leftMinor };
    asked.set(invoiceItemId, sum);
  }
  return null;
};

const hasFailed = (state: string): boolean => state === 'PAYMENT_FAILURE' || state === 'PLUGIN_FAILURE';

const amountRefusal = (wanted: Wanted, state: Payment): OperationRejection | null => {
  const { transactionType } = wanted;
  if (transactionType === 'VOID') return null;
  const amountMinor = amountFor(wanted, state);
  const available = availableMinor(state, transactionType);
  if (available === null) return amountMinor <= 0 ? { code: 'amount-missing' } : null;
  return amountMinor <= 0 || amountMinor > available
    ? { code: 'amount-too-high', transactionType, availableMinor: available }
    : null;
};
