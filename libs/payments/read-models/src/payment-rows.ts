import type { InvoicePaymentsEvent, PaymentEvent } from '@billstream/payments-domain';
import type { LoggedEvent } from './payment-patches';

/** A row as the statements name its columns; what is named here is its key and what later events may change. */
type Row<Named> = Named & Readonly<Record<string, unknown>>;
export type InvoiceRow = Row<{ readonly invoice_id: string; readonly balance_minor: number }>;
export type PaymentRow = Row<{
  readonly payment_id: string;
  readonly payment_method_id: string;
  readonly retry_at: string | null;
}>;
type TransactionRow = Row<{ readonly transaction_id: string }>;

export type NewRows = {
  readonly invoices: readonly InvoiceRow[];
  readonly payments: readonly PaymentRow[];
  readonly transactions: readonly TransactionRow[];
};

type Of<Type extends InvoicePaymentsEvent['type']> = Extract<InvoicePaymentsEvent, { readonly type: Type }>['data'];
type OfPayment<Type extends PaymentEvent['type']> = Extract<PaymentEvent, { readonly type: Type }>['data'];

/** What a batch of events, in log order, adds to the tables. Rows that are there already are left as they are. */
export const newRows = (events: readonly LoggedEvent[]): NewRows => {
  const invoices: InvoiceRow[] = [];
  const payments = new Map<string, PaymentRow>();
  const transactions: TransactionRow[] = [];
  for (const { event, tenantId, position } of events) {
    if (event.type === 'InvoiceRecorded') invoices.push(invoiceRow(event.data, tenantId));
    const payment = paymentRowOf(event, tenantId, payments.size);
    if (payment !== null && !payments.has(payment.payment_id)) payments.set(payment.payment_id, payment);
    const transaction = transactionRowOf(event);
    if (transaction !== null) transactions.push({ ...transaction, place: String(position) });
  }
  return { invoices, payments: [...payments.values()], transactions };
};

const invoiceRow = (data: Of<'InvoiceRecorded'>, tenantId: string): InvoiceRow => ({
  invoice_id: data.invoiceId,
  tenant_id: tenantId,
  account_id: data.accountId,
  invoice_number: data.invoiceNumber,
  invoice_date: data.invoiceDate,
  target_date: data.targetDate ?? data.invoiceDate,
  currency: data.currency,
  balance_minor: data.balanceMinor,
});

const paymentRowOf = (event: LoggedEvent['event'], tenantId: string, place: number): PaymentRow | null => {
  if (event.type === 'PaymentRequested') {
    const { paymentId, paymentKey, paymentMethodId, pluginName } = event.data;
    return paymentRow(event.data, {
      tenant_id: tenantId,
      place,
      external_key: paymentKey ?? paymentId,
      payment_method_id: paymentMethodId,
      plugin_name: pluginName,
    });
  }
  if (event.type !== 'PaymentOpened') return null;
  const { externalKey, paidBy } = event.data;
  return paymentRow(event.data, {
    tenant_id: tenantId,
    place,
    external_key: externalKey,
    payment_method_id: paidBy.paymentMethodId,
    plugin_name: paidBy.pluginName,
  });
};

type Begun = Pick<OfPayment<'PaymentOpened'>, 'paymentId' | 'accountId' | 'invoiceId' | 'currency'>;
type HowPaid = Pick<PaymentRow, 'payment_method_id'> & {
  readonly tenant_id: string;
  readonly place: number;
  readonly external_key: string;
  readonly plugin_name: string;
};

const paymentRow = ({ paymentId, accountId, invoiceId, currency }: Begun, how: HowPaid): PaymentRow => ({
  ...how,
  payment_id: paymentId,
  account_id: accountId,
  invoice_id: invoiceId,
  currency,
  retry_at: null,
});

/** Method and plugin are the payment's own where they are not said. */
const transactionRowOf = (event: LoggedEvent['event']): TransactionRow | null => {
  if (event.type === 'PaymentRequested') return attemptRow(event.data);
  if (event.type === 'TransactionRequested') return transactionRow(event.data);
  if (event.type !== 'ChargebackReversed') return null;
  return {
    ...transactionRow({ ...event.data, isRecordOnly: true }),
    ...{ transaction_id: event.data.reversalId, state: 'PAYMENT_FAILURE', processed_minor: 0 },
  };
};

const attemptRow = (data: Of<'PaymentRequested'>): TransactionRow => ({
  transaction_id: data.transactionId,
  payment_id: data.paymentId,
  transaction_type: 'PURCHASE',
  external_key: data.transactionKey ?? data.transactionId,
  is_attempt: true,
  payment_method_id: data.paymentMethodId,
  plugin_name: data.pluginName,
  amount_minor: data.amountMinor,
  requested_at: data.at,
  state: 'REQUESTED',
  effective_at: data.at,
});

const transactionRow = (data: OfPayment<'TransactionRequested'>): TransactionRow => ({
  transaction_id: data.transactionId,
  payment_id: data.paymentId,
  transaction_type: data.transactionType,
  external_key: data.externalKey,
  is_attempt: false,
  amount_minor: data.amountMinor,
  requested_at: data.at,
  state: 'REQUESTED',
  effective_at: data.at,
  adjustments: data.isAdjusted === true ? (data.itemAdjustments ?? []) : null,
});
