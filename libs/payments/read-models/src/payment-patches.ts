import type { InvoicePaymentsEvent, PaymentEvent } from '@billstream/payments-domain';
import { type InvoiceRow, type NewRows, type PaymentRow, newRows } from './payment-rows';

/** Either kind of stream: attempts at an invoice, or what else is asked of a payment. */
export type PaymentsEvent = InvoicePaymentsEvent | PaymentEvent;
export type LoggedEvent = { readonly event: PaymentsEvent; readonly tenantId: string; readonly position: bigint };

/**
 * REQUESTED and DISPATCHED are attempts without an outcome yet; ABORTED ones were never sent. The rest are Kill Bill's
 * transaction states.
 */
export type TransactionState =
  'REQUESTED' | 'DISPATCHED' | 'SUCCESS' | 'PENDING' | 'UNKNOWN' | 'PAYMENT_FAILURE' | 'PLUGIN_FAILURE' | 'ABORTED';

export type TransactionPatch = {
  readonly transaction_id: string;
  readonly state: TransactionState;
  readonly effective_at: string;
  readonly processed_minor: number | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  /** The provider's id of the movement. */
  readonly first_reference: string | null;
  /** What the provider knows the attempt by. */
  readonly second_reference: string | null;
};

export type PaymentPatch = {
  readonly payment_id: string;
  readonly payment_method_id: string | null;
  readonly retry_at: string | null;
};

/** `set_minor`: invoicing's figure, null when it said nothing; `paid_minor`: what moved after that. */
export type DebtPatch = { readonly invoice_id: string; readonly set_minor: number | null; readonly paid_minor: number };

export type FoldedPayments = NewRows & {
  readonly paymentPatches: readonly PaymentPatch[];
  readonly transactionPatches: readonly TransactionPatch[];
  readonly debtPatches: readonly DebtPatch[];
};

/** A batch of events, in log order, as one row of change per thing. */
export const foldPayments = (events: readonly LoggedEvent[]): FoldedPayments => {
  const paymentPatches = new Map<string, PaymentPatch>();
  const transactionPatches = new Map<string, TransactionPatch>();
  const debts = new Map<string, DebtPatch>();
  for (const { event } of events) {
    const payment = paymentPatchOf(event, paymentPatches);
    if (payment !== null) paymentPatches.set(payment.payment_id, payment);
    const transaction = transactionPatchOf(event, transactionPatches);
    if (transaction !== null) transactionPatches.set(transaction.transaction_id, transaction);
    const debt = debtPatchOf(event, debts);
    if (debt !== null) debts.set(debt.invoice_id, debt);
  }
  const rows = newRows(events);
  const known = new Set(rows.invoices.map(({ invoice_id }) => invoice_id));
  return {
    invoices: rows.invoices.map((invoice) => patchedInvoice(invoice, debts.get(invoice.invoice_id))),
    payments: rows.payments.map((payment) => patchedPayment(payment, paymentPatches.get(payment.payment_id))),
    transactions: rows.transactions.map((row) => ({ ...row, ...transactionPatches.get(row.transaction_id) })),
    paymentPatches: [...paymentPatches.values()],
    transactionPatches: [...transactionPatches.values()],
    debtPatches: [...debts.values()].filter(({ invoice_id }) => !known.has(invoice_id)),
  };
};

/** New rows come with what the rest of the batch makes of them, so that they are written once. */
const patchedInvoice = (invoice: InvoiceRow, patch: DebtPatch | undefined): InvoiceRow =>
  patch === undefined
    ? invoice
    : { ...invoice, balance_minor: (patch.set_minor ?? invoice.balance_minor) - patch.paid_minor };

const patchedPayment = (payment: PaymentRow, patch: PaymentPatch | undefined): PaymentRow =>
  patch === undefined
    ? payment
    : {
        ...payment,
        payment_method_id: patch.payment_method_id ?? payment.payment_method_id,
        retry_at: patch.retry_at,
      };

const paymentPatchOf = (event: PaymentsEvent, before: ReadonlyMap<string, PaymentPatch>): PaymentPatch | null => {
  if (event.type === 'PaymentRequested')
    return { payment_id: event.data.paymentId, payment_method_id: event.data.paymentMethodId, retry_at: null };
  const endsRetry = event.type === 'PaymentSucceeded' || event.type === 'PaymentAborted';
  if (!endsRetry && event.type !== 'RetryScheduled') return null;
  const { paymentId } = event.data;
  const retryAt = event.type === 'RetryScheduled' ? event.data.retryAt : null;
  return {
    payment_id: paymentId,
    payment_method_id: before.get(paymentId)?.payment_method_id ?? null,
    retry_at: retryAt,
  };
};

const debtPatchOf = (event: PaymentsEvent, before: ReadonlyMap<string, DebtPatch>): DebtPatch | null => {
  if (event.type === 'BalanceRecorded') {
    const { invoiceId, balanceMinor, unconfirmedMinor = 0 } = event.data;
    return { invoice_id: invoiceId, set_minor: balanceMinor - unconfirmedMinor, paid_minor: 0 };
  }
  if (event.type !== 'PaymentSucceeded') return null;
  const { invoiceId, amountMinor } = event.data;
  const known = before.get(invoiceId) ?? { invoice_id: invoiceId, set_minor: null, paid_minor: 0 };
  return { ...known, paid_minor: known.paid_minor + amountMinor };
};

type Change = Omit<TransactionPatch, 'transaction_id' | 'effective_at'>;

const silent = {
  processed_minor: null,
  error_code: null,
  error_message: null,
  first_reference: null,
  second_reference: null,
} as const;

/** An event says all that is shown of its transaction, but the references, which earlier events may have told. */
const transactionPatchOf = (
  event: PaymentsEvent,
  before: ReadonlyMap<string, TransactionPatch>,
): TransactionPatch | null => {
  if (!changesTransaction(event) || event.data.transactionId === null) return null;
  const change = changeOf(event);
  const known = before.get(event.data.transactionId);
  return {
    ...change,
    transaction_id: event.data.transactionId,
    effective_at: event.data.at,
    first_reference: change.first_reference ?? known?.first_reference ?? null,
    second_reference: change.second_reference ?? known?.second_reference ?? null,
  };
};

/** They open a transaction, which is a row of its own, or say nothing of one. */
const leaveTransactions = [
  'InvoiceRecorded',
  'BalanceRecorded',
  'WriteOffChanged',
  'PaymentSkipped',
  'PaymentRequested',
  'RetryScheduled',
  'PaymentOpened',
  'PurchaseFound',
  'TransactionRequested',
  'ChargebackReversed',
] as const satisfies readonly PaymentsEvent['type'][];

type TransactionChanged = Exclude<PaymentsEvent, { readonly type: (typeof leaveTransactions)[number] }>;

const changesTransaction = (event: PaymentsEvent): event is TransactionChanged =>
  !leaveTransactions.some((type) => type === event.type);

const changeOf = (event: TransactionChanged): Change => {
  switch (event.type) {
    case 'PaymentDispatched':
    case 'TransactionDispatched':
      return { ...silent, state: 'DISPATCHED', second_reference: event.data.transactionId };
    case 'PaymentSucceeded':
    case 'TransactionSucceeded':
      return {
        ...silent,
        state: 'SUCCESS',
        processed_minor: event.data.amountMinor,
        first_reference: event.data.gatewayRef,
      };
    case 'PaymentPending':
    case 'TransactionPending':
      return { ...silent, state: 'PENDING', first_reference: event.data.gatewayRef };
    case 'PaymentUnknown':
    case 'TransactionUnknown':
      return { ...silent, state: 'UNKNOWN', error_code: event.data.code };
    case 'PaymentDeclined':
      return {
        ...silent,
        state: 'PAYMENT_FAILURE',
        processed_minor: 0,
        error_code: event.data.code,
        error_message: event.data.message,
      };
    case 'PaymentNotExecuted':
      return {
        ...silent,
        state: 'PLUGIN_FAILURE',
        processed_minor: 0,
        error_code: event.data.code ?? event.data.why,
        error_message: event.data.message,
      };
    case 'TransactionFailed':
      return {
        ...silent,
        state: event.data.status,
        processed_minor: 0,
        error_code: event.data.code,
        error_message: event.data.message,
      };
    case 'PaymentAborted':
      return { ...silent, state: 'ABORTED', processed_minor: 0, error_code: event.data.reason };
  }
};
