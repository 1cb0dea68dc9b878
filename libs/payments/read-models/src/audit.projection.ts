import type { RecordedEvent } from '@billstream/event-sourcing';
import {
  type InvoicePaymentsEvent,
  type PaymentEvent,
  invoicePaymentsSchema,
  payerAccountSchema,
  paymentSchema,
} from '@billstream/payments-domain';
import { type AuditedChange, type ChangeType, auditTrail } from '@billstream/postgres';

/** What the provider charges, and how an attempt is held, is nobody's to read. */
const hidden = ['credential', 'tokenDigest', 'holder'];
const shown = (data: object): object =>
  Object.fromEntries(Object.entries(data).filter(([name]) => !hidden.includes(name)));

const ofMethod = (recorded: RecordedEvent): readonly AuditedChange[] => {
  const event = payerAccountSchema.decode(recorded);
  if (event?.type !== 'PaymentMethodAdded' && event?.type !== 'PaymentMethodRemoved') return [];
  const { accountId, paymentMethodId: objectId } = event.data;
  const changeType = event.type === 'PaymentMethodAdded' ? 'INSERT' : 'DELETE';
  return [{ objectType: 'PAYMENT_METHOD', objectId, accountId, changeType, history: shown(event.data) }];
};

type Movement = { readonly accountId: string; readonly paymentId: string; readonly transactionId: string };

const moved = (data: Movement, payment: ChangeType | null, transaction: ChangeType): readonly AuditedChange[] => {
  const { accountId, paymentId, transactionId } = data;
  const of = (objectType: string, objectId: string, changeType: ChangeType): AuditedChange => ({
    ...{ objectType, objectId, accountId, changeType, history: shown(data) },
  });
  const ofPayment = payment === null ? [] : [of('PAYMENT', paymentId, payment)];
  return [...ofPayment, of('TRANSACTION', transactionId, transaction)];
};

/** A payment of an invoice: its first attempt makes it, each further one is a transaction of it. */
const ofAttempt = ({ type, data }: InvoicePaymentsEvent): readonly AuditedChange[] => {
  if (type === 'PaymentRequested') return moved(data, data.attempt > 1 ? 'UPDATE' : 'INSERT', 'INSERT');
  if (type === 'PaymentSucceeded' || type === 'PaymentDeclined' || type === 'PaymentNotExecuted')
    return moved(data, 'UPDATE', 'UPDATE');
  return type === 'PaymentPending' || type === 'PaymentUnknown' ? moved(data, 'UPDATE', 'UPDATE') : [];
};

const ofPayment = (event: PaymentEvent): readonly AuditedChange[] => {
  switch (event.type) {
    case 'PaymentOpened': {
      const { paymentId: objectId, accountId, purchase, paidBy, ...data } = event.data;
      if (purchase !== null) return [];
      const history = { ...data, paymentId: objectId, accountId, paymentMethodId: paidBy.paymentMethodId };
      return [{ objectType: 'PAYMENT', objectId, accountId, changeType: 'INSERT', history }];
    }
    case 'TransactionRequested':
      return moved(event.data, null, 'INSERT');
    case 'TransactionSucceeded':
    case 'TransactionPending':
    case 'TransactionUnknown':
    case 'TransactionFailed':
    case 'ChargebackReversed':
      return moved(event.data, 'UPDATE', 'UPDATE');
    case 'PurchaseFound':
    case 'TransactionDispatched':
      return [];
  }
};

/** Who made and changed payment methods, payments and their transactions. */
export const auditReadModel = auditTrail(['payerAccount-', 'invoicePayments-', 'payment-'], (recorded) => {
  if (recorded.stream.startsWith('payerAccount-')) return ofMethod(recorded);
  if (recorded.stream.startsWith('invoicePayments-')) {
    const event = invoicePaymentsSchema.decode(recorded);
    return event === null ? [] : ofAttempt(event);
  }
  const event = paymentSchema.decode(recorded);
  return event === null ? [] : ofPayment(event);
});
