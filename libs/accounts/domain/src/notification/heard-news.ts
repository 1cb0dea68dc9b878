import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import type { PaymentsEvent, TransactionStatus } from '@billstream/payments-contracts';
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
      return ofPayment(event.data, event.data.invoiceId);
    case 'payments.payment-changed.v1':
      return ofPayment(event.data, null);
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

/** An open outcome is no news yet. */
const ofPayment = (
  data: Extract<PaymentsEvent, { type: 'payments.payment-changed.v1' }>['data'],
  invoiceId: string | null,
): readonly NotificationBody[] => {
  const outcome = outcomes[data.status];
  if (outcome === null) return [];
  const { accountId, paymentId, transactionId, transactionType, status, effectiveAt } = data;
  const metaData = JSON.stringify({
    paymentTransactionId: transactionId,
    transactionType,
    transactionStatus: status,
    effectiveDate: effectiveAt,
  });
  const payment = { eventType: `PAYMENT_${outcome}`, accountId, objectType: 'PAYMENT', objectId: paymentId, metaData };
  if (invoiceId === null || transactionType !== 'PURCHASE') return [payment];
  const eventType = `INVOICE_PAYMENT_${outcome}`;
  return [{ eventType, accountId, objectType: 'INVOICE', objectId: invoiceId, metaData }, payment];
};
