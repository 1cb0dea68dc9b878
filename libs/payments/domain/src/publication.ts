import type { Publication, RecordedEvent } from '@billstream/event-sourcing';
import type { PaymentsEvent, TransactionStatus } from '@billstream/payments-contracts';
import { type InvoicePaymentsEvent, invoicePaymentsSchema } from './invoice-payments/invoice-payments.events';
import { type PaymentEvent, type TransactionFacts, paymentSchema } from './payment/payment.events';
import { type PayerAccountEvent, payerAccountSchema } from './payer-account/payer-account';

/**
 * What other contexts hear of payments: outcomes and default methods. A credential never leaves, and an attempt that
 * has no outcome yet is nobody else's business.
 */
export const paymentsPublication: Publication = (recorded) =>
  publicEvents(recorded).map((event) => ({ ...event, key: event.data.accountId }));

const publicEvents = (recorded: RecordedEvent): readonly PaymentsEvent[] => {
  if (recorded.stream.startsWith('payerAccount-')) {
    const event = payerAccountSchema.decode(recorded);
    return event === null ? [] : ofPayer(event);
  }
  if (recorded.stream.startsWith('payment-')) {
    const event = paymentSchema.decode(recorded);
    return event === null ? [] : ofTransaction(event);
  }
  if (!recorded.stream.startsWith('invoicePayments-')) return [];
  const event = invoicePaymentsSchema.decode(recorded);
  return event === null ? [] : ofPayment(event);
};

const ofPayer = ({ type, data }: PayerAccountEvent): readonly PaymentsEvent[] => {
  if (type === 'ExcessReceived') {
    const { accountId, amountMinor, currency } = data;
    return [{ type: 'payments.excess-received.v1', data: { accountId, amountMinor, currency } }];
  }
  if (type === 'DefaultMethodSet') return [{ type: 'payments.default-method-changed.v1', data }];
  if (type === 'PaymentMethodRemoved' && data.isAutoPayOff === true)
    return [{ type: 'payments.auto-pay-off-asked.v1', data: { accountId: data.accountId } }];
  if (type !== 'PaymentMethodAdded') return [];
  const { accountId, paymentMethodId } = data;
  return [{ type: 'payments.method-added.v1', data: { accountId, paymentMethodId } }];
};

const ofPayment = (event: InvoicePaymentsEvent): readonly PaymentsEvent[] => {
  switch (event.type) {
    case 'PaymentSucceeded':
      return [changed(event.data, 'SUCCESS')];
    case 'PaymentDeclined':
      return [changed(event.data, 'PAYMENT_FAILURE')];
    case 'PaymentPending':
      return [changed(event.data, 'PENDING')];
    case 'PaymentUnknown':
      return [changed(event.data, 'UNKNOWN')];
    case 'PaymentNotExecuted':
      return [changed(event.data, 'PLUGIN_FAILURE')];
    case 'InvoiceRecorded':
    case 'BalanceRecorded':
    case 'WriteOffChanged':
    case 'PaymentSkipped':
    case 'PaymentRequested':
    case 'PaymentDispatched':
    case 'RetryScheduled':
    case 'PaymentAborted':
      return [];
  }
};

const ofTransaction = (event: PaymentEvent): readonly PaymentsEvent[] => {
  switch (event.type) {
    case 'TransactionSucceeded':
      return transactionChanged(event.data, 'SUCCESS');
    case 'TransactionPending':
      return transactionChanged(event.data, 'PENDING');
    case 'TransactionUnknown':
      return transactionChanged(event.data, 'UNKNOWN');
    case 'TransactionFailed':
      return transactionChanged(event.data, event.data.status);
    case 'ChargebackReversed':
      return transactionChanged(event.data, 'PAYMENT_FAILURE');
    case 'PaymentOpened':
    case 'PurchaseFound':
    case 'TransactionRequested':
    case 'TransactionDispatched':
      return [];
  }
};

const transactionChanged = (
  { invoiceId, transactionType, isAdjusted, itemAdjustments, ...facts }: TransactionFacts,
  status: TransactionStatus,
): readonly PaymentsEvent[] => {
  const { accountId, paymentId, transactionId, amountMinor, currency, at: effectiveAt } = facts;
  if (invoiceId === null) {
    const data = { accountId, paymentId, transactionId, transactionType, status, effectiveAt, amountMinor, currency };
    return [{ type: 'payments.payment-changed.v1', data }];
  }
  const ids = { accountId, invoiceId, paymentId, transactionId };
  const adjustments = isAdjusted === true ? { isAdjusted, itemAdjustments: itemAdjustments ?? [] } : {};
  return [
    {
      type: 'payments.invoice-payment-changed.v1',
      data: { ...ids, transactionType, status, amountMinor, currency, effectiveAt, ...adjustments },
    },
  ];
};

type Outcome = Extract<InvoicePaymentsEvent, { readonly type: 'PaymentSucceeded' | 'PaymentUnknown' }>['data'];
type Facts = Pick<
  Outcome,
  'accountId' | 'invoiceId' | 'paymentId' | 'transactionId' | 'amountMinor' | 'currency' | 'at'
>;

const changed = (
  { accountId, invoiceId, paymentId, transactionId, amountMinor, currency, at: effectiveAt }: Facts,
  status: TransactionStatus,
): PaymentsEvent => {
  const ids = { accountId, invoiceId, paymentId, transactionId };
  return {
    type: 'payments.invoice-payment-changed.v1',
    data: { ...ids, transactionType: 'PURCHASE', status, amountMinor, currency, effectiveAt },
  };
};
