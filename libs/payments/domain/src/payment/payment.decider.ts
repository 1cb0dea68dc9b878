import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Currency, Instant } from '@billstream/kernel';
import type { TransactionType } from '@billstream/payments-contracts';
import { type Payment, capturableMinor, evolvePayment, noPayment, openTransaction, transactionOf } from './payment';
import type { InvoicePurchase, ItemAdjustment, PaidBy, PaymentEvent, PaymentRef } from './payment.events';
import { chargeIdFor, refundableMinor } from './charges';
import { type OperationRejection, amountFor, availableMinor, refusalOf } from './payment-operations';
import {
  type CorrectTransaction,
  type RecordTransactionOutcome,
  correctTransaction,
  factsOf,
  recordTransactionOutcome,
} from './transaction-outcome';

/** How the payment begins, should this be the first that is asked of it. */
export type Opening = PaymentRef & {
  readonly externalKey: string;
  readonly currency: Currency;
  readonly paidBy: PaidBy;
  /** What a payment of an invoice had moved, mostly once. */
  readonly purchases: readonly InvoicePurchase[];
};

/** An item of an invoice, and what of it can be taken back. Minor units. */
export type AdjustedItem = {
  readonly invoiceItemId: string;
  readonly invoiceId: string;
  readonly leftMinor: number;
};

/** `opening` null: the payment must be there already. `amountMinor` null: all that is left. */
export type RequestTransaction = {
  readonly type: 'RequestTransaction';
  readonly data: {
    readonly opening: Opening | null;
    readonly transactionId: string;
    readonly externalKey: string;
    readonly transactionType: TransactionType;
    readonly amountMinor: number | null;
    /** As the request names it; null: the payment's own. */
    readonly currency: string | null;
    readonly isRecordOnly: boolean;
    readonly isAdjusted: boolean;
    readonly itemAdjustments: readonly ItemAdjustment[];
    /** What invoicing says of the items that are to be adjusted; null: nobody asked it. */
    readonly adjustedItems?: readonly AdjustedItem[] | null;
    readonly now: Instant;
  };
};

/** As for attempts at invoices: granted when the state afterwards names this `holder`. */
export type DispatchTransaction = {
  readonly type: 'DispatchTransaction';
  readonly data: {
    readonly transactionId: string;
    readonly holder: string;
    readonly after: string | null;
    /** The payer has done what was asked for: a transaction that was pending is sent once more. */
    readonly isCompletion: boolean;
    readonly dispatchedAt: Instant;
    readonly now: Instant;
  };
};

/** `externalKey` null: the last chargeback. */
export type ReverseChargeback = {
  readonly type: 'ReverseChargeback';
  readonly data: { readonly reversalId: string; readonly externalKey: string | null; readonly now: Instant };
};

export type PaymentCommand =
  | RequestTransaction
  | DispatchTransaction
  | RecordTransactionOutcome
  | CorrectTransaction
  | ReverseChargeback
  /** Changes nothing; its answer carries the state that a decision would see now. */
  | { readonly type: 'Look' };

export type PaymentRejection =
  | OperationRejection
  | { readonly code: 'payment-unknown' }
  | { readonly code: 'transaction-unknown'; readonly transactionId: string }
  | { readonly code: 'chargeback-unknown' };

export const payment: Decider<PaymentCommand, PaymentEvent, Payment, PaymentRejection> = {
  initial: noPayment,
  decide: (command, state) => {
    switch (command.type) {
      case 'RequestTransaction':
        return request(command.data, state);
      case 'DispatchTransaction':
        return dispatch(command.data, state);
      case 'RecordTransactionOutcome':
        return accept(...recordTransactionOutcome(command.data, state));
      case 'CorrectTransaction':
        return correct(command.data, state);
      case 'ReverseChargeback':
        return reverse(command.data, state);
      case 'Look':
        return accept();
    }
  },
  evolve: evolvePayment,
};

/** The beginning of the payment, and what it has moved that its stream does not know. */
const openedBy = ({ purchases, ...opening }: Opening, before: Payment, at: Instant): readonly PaymentEvent[] => {
  const { paymentId, accountId, invoiceId } = opening;
  const found = (purchase: InvoicePurchase): PaymentEvent => ({
    type: 'PurchaseFound',
    data: { paymentId, accountId, invoiceId, purchase, at },
  });
  const news = purchases.filter(({ transactionId }) => transactionOf(before, transactionId) === null);
  if (before.opened !== null) return news.map(found);
  const [first = null, ...more] = news;
  return [{ type: 'PaymentOpened', data: { ...opening, purchase: first, at } }, ...more.map(found)];
};

type PaymentDecision = Decision<PaymentEvent, PaymentRejection>;

const request = (data: RequestTransaction['data'], before: Payment): PaymentDecision => {
  const { opening, now } = data;
  if (before.opened === null && opening === null) return reject({ code: 'payment-unknown' });
  const opened = opening === null ? [] : openedBy(opening, before, now);
  const state = opened.reduce(evolvePayment, before);
  if (state.opened === null) return reject({ code: 'payment-unknown' });
  const refusal = refusalOf(data, state);
  if (refusal !== null) return reject(refusal);
  const amountMinor = amountFor(data, state);
  const { paymentId, accountId, invoiceId, currency } = state.opened;
  const { transactionId, externalKey, transactionType, isRecordOnly, isAdjusted, itemAdjustments } = data;
  const facts = {
    ...{ paymentId, accountId, invoiceId, transactionId, externalKey, transactionType, amountMinor, currency, at: now },
    ...(isAdjusted ? { isAdjusted, itemAdjustments } : {}),
  };
  const events: readonly PaymentEvent[] = [
    { type: 'TransactionRequested', data: { ...facts, isRecordOnly, ...chargeIdFor(state, facts) } },
  ];
  const done: readonly PaymentEvent[] = isRecordOnly
    ? [{ type: 'TransactionSucceeded', data: { ...facts, gatewayRef: null } }]
    : [];
  return accept(...opened, ...events, ...done);
};

const dispatch = (data: DispatchTransaction['data'], state: Payment): PaymentDecision => {
  const transaction = transactionOf(state, data.transactionId);
  if (state.opened === null || transaction === null) return accept();
  const again = data.isCompletion ? ['PENDING'] : ['DISPATCHED', 'UNKNOWN'];
  // Who was granted the right since then may be calling at this moment: one call at a time.
  const maySend =
    data.after === null
      ? transaction.state === 'REQUESTED'
      : again.includes(transaction.state) && transaction.holder === data.after;
  if (!maySend) return accept();
  const { paymentId, accountId, invoiceId } = state.opened;
  const { transactionId, externalKey, transactionType } = transaction;
  const { holder, dispatchedAt, now: at } = data;
  const ref = { paymentId, accountId, invoiceId, transactionId, externalKey, transactionType };
  return accept<PaymentEvent>({ type: 'TransactionDispatched', data: { ...ref, holder, dispatchedAt, at } });
};

/** Whether more was given back than charged, or more captured than authorised. */
const isOverdrawn = (state: Payment): boolean => refundableMinor(state) < 0 || capturableMinor(state) < 0;

/** What somebody says is checked against what else is known: a provider's own word is not. */
const correct = (data: CorrectTransaction['data'], state: Payment): PaymentDecision => {
  const transaction = transactionOf(state, data.transactionId);
  if (transaction === null) return reject({ code: 'transaction-unknown', transactionId: data.transactionId });
  const open = openTransaction(state);
  const opens = data.state === 'PENDING' || data.state === 'UNKNOWN';
  if (opens && open !== null && open !== transaction)
    return reject({ code: 'transaction-under-way', transactionId: open.transactionId });
  const events = correctTransaction(data, state);
  const { transactionType } = transaction;
  if (!isOverdrawn(state) && isOverdrawn(events.reduce(evolvePayment, state)))
    return reject({
      code: 'amount-too-high',
      transactionType,
      availableMinor: availableMinor(state, transactionType) ?? 0,
    });
  return accept(...events);
};

const reverse = ({ reversalId, externalKey, now }: ReverseChargeback['data'], state: Payment): PaymentDecision => {
  if (state.opened === null) return reject({ code: 'payment-unknown' });
  const open = openTransaction(state);
  if (open !== null) return reject({ code: 'transaction-under-way', transactionId: open.transactionId });
  const chargeback = state.transactions.findLast(
    (one) =>
      one.transactionType === 'CHARGEBACK' &&
      one.state === 'SUCCESS' &&
      (externalKey === null || one.externalKey === externalKey),
  );
  if (chargeback === undefined) return reject({ code: 'chargeback-unknown' });
  const facts = factsOf(state.opened, chargeback, now);
  return accept<PaymentEvent>({ type: 'ChargebackReversed', data: { ...facts, reversalId } });
};
