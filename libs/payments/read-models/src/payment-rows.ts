import type { InvoicePaymentsEvent, PaymentEvent } from '@billstream/payments-domain';
import type { LoggedEvent } from './payment-patches';

export type NewRows = {
  readonly invoices: readonly object[];
  readonly payments: readonly object[];
  readonly transactions: readonly object[];
};

type Of<Type extends InvoicePaymentsEvent['type']> = Extract<InvoicePaymentsEvent, { readonly type: Type }>['data'];
type OfPayment<Type extends PaymentEvent['type']> = Extract<PaymentEvent, { readonly type: Type }>['data'];

/** What a batch of events, in log order, adds to the tables. Rows that are there already are left as they are. */
export const newRows = (events: readonly LoggedEvent[]): NewRows => {
  const invoices: object[] = [];
  const payments = new Map<string, object>();
  const transactions: object[] = [];
  for (const { event, tenantId, position } of events) {
    if (event.type === 'InvoiceRecorded') invoices.push(invoiceRow(event.data, tenantId));
    const payment = paymentRowOf(event, tenantId, payments.size);
    if (payment !== null && !payments.has(payment.payment_id)) payments.set(payment.payment_id, payment);
    const transaction = transactionRowOf(event);
    if (transaction !== null) transactions.push({ ...transaction, place: String(position) });
  }
  return { invoices, payments: [...payments.values()], transactions };
};

const invoiceRow = (data: Of<'InvoiceRecorded'>, tenantId: string): object => ({
  invoice_id: data.invoiceId,
  tenant_id: tenantId,
  account_id: data.accountId,
  invoice_number: data.invoiceNumber,
  invoice_date: data.invoiceDate,
  currency: data.currency,
  balance_minor: data.balanceMinor,
});

type PaymentRow = Readonly<Record<string, string | number | null>> & { readonly payment_id: string };

const paymentRowOf = (event: LoggedEvent['event'], tenantId: string, place: number): PaymentRow | null => {
  if (event.type === 'PaymentRequested')
    return {
      ...{ payment_id: event.data.paymentId, tenant_id: tenantId, account_id: event.data.accountId, place },
      ...{ invoice_id: event.data.invoiceId, external_key: event.data.paymentKey ?? event.data.paymentId },
      ...{ currency: event.data.currency, payment_method_id: event.data.paymentMethodId },
      plugin_name: event.data.pluginName,
    };
  if (event.type === 'PaymentOpened')
    return {
      ...{ payment_id: event.data.paymentId, tenant_id: tenantId, account_id: event.data.accountId, place },
      ...{ invoice_id: event.data.invoiceId, external_key: event.data.externalKey },
      ...{ currency: event.data.currency, payment_method_id: event.data.paidBy.paymentMethodId },
      plugin_name: event.data.paidBy.pluginName,
    };
  return null;
};

/** Method and plugin are the payment's own where they are not said. */
const transactionRowOf = (event: LoggedEvent['event']): object | null => {
  if (event.type === 'PaymentRequested') return attemptRow(event.data);
  if (event.type === 'TransactionRequested') return transactionRow(event.data);
  if (event.type !== 'ChargebackReversed') return null;
  return {
    ...transactionRow({ ...event.data, isRecordOnly: true }),
    ...{ transaction_id: event.data.reversalId, state: 'PAYMENT_FAILURE', processed_minor: 0 },
  };
};

const attemptRow = (data: Of<'PaymentRequested'>): object => ({
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
});

const transactionRow = (data: OfPayment<'TransactionRequested'>): object => ({
  transaction_id: data.transactionId,
  payment_id: data.paymentId,
  transaction_type: data.transactionType,
  external_key: data.externalKey,
  is_attempt: false,
  amount_minor: data.amountMinor,
  requested_at: data.at,
  state: 'REQUESTED',
  adjustments: data.isAdjusted === true ? (data.itemAdjustments ?? []) : null,
});
