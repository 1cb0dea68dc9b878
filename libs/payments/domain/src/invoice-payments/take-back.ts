import { type Decision, accept } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { InvoicePaymentsEvent } from './invoice-payments.events';
import type { InvoicePayments } from './invoice-payments';
import { type RetryPolicy, retryAfterDecline } from './retry-policy';

/** An operator knows that a payment which its provider had called taken was not. */
export type TakeBackSuccess = {
  readonly type: 'TakeBackSuccess';
  readonly data: {
    readonly transactionId: string;
    readonly code: string;
    /** By which it is tried again; null: it is not, because whoever says so sees what comes of it. */
    readonly retriedBy: RetryPolicy | null;
    readonly now: Instant;
  };
};

/**
 * The invoice is owed again, and what is tried next is one more attempt at the same payment. Only the last payment of an
 * invoice can be taken back, and only until something else is charged: changes nothing otherwise.
 */
export const takeBackSuccess = (
  { transactionId, code, retriedBy, now }: TakeBackSuccess['data'],
  { settled, open, balanceMinor, asOf, unconfirmedMinor }: InvoicePayments,
): Decision<InvoicePaymentsEvent, never> => {
  if (settled?.transactionId !== transactionId || open !== null) return accept();
  const { invoiceId, accountId, paymentId, amountMinor, currency, declines } = settled;
  const ids = { invoiceId, accountId, paymentId };
  const retryAt = retriedBy === null ? null : retryAfterDecline(retriedBy, declines + 1, now);
  const reason = retriedBy === null ? 'asked-for-once' : 'retries-exhausted';
  return accept<InvoicePaymentsEvent>(
    {
      type: 'PaymentDeclined',
      data: { ...ids, transactionId, amountMinor, currency, at: now, hardness: 'soft', code, message: null },
    },
    // Invoicing has counted it or is about to; until it says otherwise, what it asks for lacks this amount.
    {
      type: 'BalanceRecorded',
      data: { invoiceId, accountId, balanceMinor, asOf, unconfirmedMinor: unconfirmedMinor - amountMinor },
    },
    retryAt === null
      ? { type: 'PaymentAborted', data: { ...ids, transactionId: null, reason, at: now } }
      : { type: 'RetryScheduled', data: { ...ids, retryAt } },
  );
};
