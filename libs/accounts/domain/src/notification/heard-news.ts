import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { money, toDecimal, toNumber } from '@billstream/kernel';
import type { PaymentsEvent, TransactionStatus, TransactionType } from '@billstream/payments-contracts';
import type { NotificationBody } from './push-notification';

type NewsworthyEvent = Extract<
  InvoicingEvent | PaymentsEvent,
  {
    type:
      | 'invoicing.invoice-committed.v1'
      | 'invoicing.invoice-voided.v1'
      | 'invoicing.invoice-adjusted.v1'
      | 'invoicing.overdue-changed.v1'
      | 'payments.invoice-payment-changed.v1'
      | 'payments.payment-changed.v1';
  }
>;

/** What a tenant's callback is told of other contexts' events, in Kill Bill's event types (BeatrixListener, 0.24). */
export const heardNews = (event: NewsworthyEvent): readonly NotificationBody[] => {
  switch (event.type) {
    case 'invoicing.invoice-committed.v1':
      return [ofInvoice('INVOICE_CREATION', event.data)];
    case 'invoicing.invoice-voided.v1':
    case 'invoicing.invoice-adjusted.v1':
      return [ofInvoice('INVOICE_ADJUSTMENT', event.data)];
    case 'invoicing.overdue-changed.v1': {
      const { accountId, stateName } = event.data;
      const metaData = JSON.stringify({ overdueState: stateName });
      return [{ eventType: 'OVERDUE_CHANGE', accountId, objectType: 'ACCOUNT', objectId: accountId, metaData }];
    }
    case 'payments.invoice-payment-changed.v1':
      return [...ofInvoicePayment(event.data), ...ofPayment(event.data)];
    case 'payments.payment-changed.v1':
      return ofPayment(event.data);
  }
};

const ofInvoice = (
  eventType: string,
  { accountId, invoiceId }: { readonly accountId: string; readonly invoiceId: string },
): NotificationBody => ({ eventType, accountId, objectType: 'INVOICE', objectId: invoiceId, metaData: null });

const outcomes: Readonly<Record<TransactionStatus, 'SUCCESS' | 'FAILED' | null>> = {
  SUCCESS: 'SUCCESS',
  PENDING: null,
  UNKNOWN: null,
  PAYMENT_FAILURE: 'FAILED',
  PLUGIN_FAILURE: 'FAILED',
  PAYMENT_SYSTEM_OFF: 'FAILED',
};

type DirectPayment = Extract<PaymentsEvent, { type: 'payments.payment-changed.v1' }>['data'];
type InvoicePayment = Extract<PaymentsEvent, { type: 'payments.invoice-payment-changed.v1' }>['data'];

/** An open outcome is no news yet. The metadata is Kill Bill's PaymentMetadata: what failed has moved nothing. */
const ofPayment = (data: DirectPayment | InvoicePayment): readonly NotificationBody[] => {
  const outcome = outcomes[data.status];
  if (outcome === null) return [];
  const { accountId, paymentId, transactionId, transactionType, status, effectiveAt, currency } = data;
  const metaData = JSON.stringify({
    ...{ paymentTransactionId: transactionId, amount: movedBy(data), currency: currency ?? null },
    ...{ status, transactionType, effectiveDate: effectiveAt },
  });
  return [{ eventType: `PAYMENT_${outcome}`, accountId, objectType: 'PAYMENT', objectId: paymentId, metaData }];
};

/** Major units; null where an older message does not say. */
const movedBy = ({ status, amountMinor, currency }: DirectPayment): number | null => {
  if (amountMinor === undefined || currency === undefined) return null;
  return status === 'SUCCESS' ? toNumber(toDecimal(money(amountMinor, currency))) : 0;
};

/** Kill Bill's InvoicePaymentType of what moves an invoice's balance. */
const invoicePaymentTypes: Readonly<Partial<Record<TransactionType, string>>> = {
  PURCHASE: 'ATTEMPT',
  REFUND: 'REFUND',
  CREDIT: 'REFUND',
  CHARGEBACK: 'CHARGED_BACK',
};

/**
 * What an invoice's payment does to the invoice, with Kill Bill's InvoicePaymentMetadata. A purchase that failed comes to
 * nothing, a chargeback that was reversed is told as a failed one of its amount, and a refund that failed not at all.
 * Invoice payments are known by their payment's id, a transaction is the attempt; its external
 * key, which Kill Bill calls the cookie, is not told to others.
 */
const ofInvoicePayment = (data: InvoicePayment): readonly NotificationBody[] => {
  const outcome = outcomes[data.status];
  const { accountId, invoiceId, paymentId, transactionId, transactionType, amountMinor, currency, effectiveAt } = data;
  const invoicePaymentType = invoicePaymentTypes[transactionType];
  if (outcome === null || invoicePaymentType === undefined) return [];
  if (outcome === 'FAILED' && invoicePaymentType === 'REFUND') return [];
  const isAttempt = invoicePaymentType === 'ATTEMPT';
  const amount = isAttempt ? movedBy(data) : -toNumber(toDecimal(money(amountMinor, currency)));
  const metaData = JSON.stringify({
    ...{ paymentId, paymentAttemptId: transactionId, invoicePaymentType, paymentDate: effectiveAt, amount, currency },
    linkedInvoicePaymentId: isAttempt ? null : paymentId,
    ...{ paymentCookieId: null, processedCurrency: currency },
  });
  return [{ eventType: `INVOICE_PAYMENT_${outcome}`, accountId, objectType: 'INVOICE', objectId: invoiceId, metaData }];
};
