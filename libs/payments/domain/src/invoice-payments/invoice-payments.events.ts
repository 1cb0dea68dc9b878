import { type DomainEvent, defineSchema } from '@billstream/event-sourcing';
import type { Currency, Instant, LocalDate } from '@billstream/kernel';

/** What a payment charges: a stored method and its credential as it was when the attempt was opened. */
export type ChargedMethod = {
  readonly paymentMethodId: string;
  readonly pluginName: string;
  readonly credential: string;
};

export type CommittedInvoice = {
  readonly invoiceId: string;
  readonly accountId: string;
  readonly invoiceNumber: string;
  readonly invoiceDate: LocalDate;
  /** Up to when it charges; absent in what was recorded before anybody asked. */
  readonly targetDate?: LocalDate;
  readonly currency: Currency;
  readonly amountMinor: number;
  readonly balanceMinor: number;
  /** Revision of invoicing's stream that says so: figures that are delivered late must not replace newer ones. */
  readonly asOf: number;
};

export type RecordedBalance = {
  readonly invoiceId: string;
  readonly accountId: string;
  readonly balanceMinor: number;
  readonly asOf: number;
  /** What had moved by our own count and is not in that balance; absent: nothing, or nobody could tell. */
  readonly unconfirmedMinor?: number;
};

/**
 * One attempt to move money. The payment's id is the reference the provider keeps unique (PayPal: INVNUM), the
 * transaction's id is the key under which this attempt may be repeated (PayPal: MSGSUBID).
 */
export type AttemptRef = {
  readonly invoiceId: string;
  readonly accountId: string;
  readonly paymentId: string;
  readonly transactionId: string;
};

/** `at` is business time. Minor units. */
export type AttemptFacts = AttemptRef & {
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly at: Instant;
};

export type SkipReason = 'no-default-method' | 'delegated-to-parent' | 'manual-pay';
export type AbortReason =
  | 'paid-meanwhile'
  | 'balance-changed'
  | 'retries-exhausted'
  | 'method-unusable'
  | 'not-expressible'
  | 'no-method'
  | 'asked-for-once'
  | 'cancelled'
  | 'manual-pay';
export type NotExecutedReason = 'rateLimited' | 'misconfigured' | 'invalid' | 'unreachable' | 'expired';

export type InvoicePaymentsEvent =
  | DomainEvent<'InvoiceRecorded', CommittedInvoice>
  /** What invoicing says the invoice still asks for. */
  | DomainEvent<'BalanceRecorded', RecordedBalance>
  /** Somebody gave up that the invoice is ever paid, or thought better of it. */
  | DomainEvent<
      'WriteOffChanged',
      { readonly invoiceId: string; readonly accountId: string; readonly isWrittenOff: boolean }
    >
  | DomainEvent<
      'PaymentSkipped',
      { readonly invoiceId: string; readonly accountId: string; readonly reason: SkipReason; readonly at: Instant }
    >
  /** Recorded before anything is sent: an attempt that nobody can forget. */
  | DomainEvent<
      'PaymentRequested',
      AttemptFacts &
        ChargedMethod & {
          readonly attempt: number;
          /** The client's own names of the payment and of this attempt; absent: their ids. */
          readonly paymentKey?: string;
          readonly transactionKey?: string;
          /** Somebody asked for it and sees what comes of it: a failure is not tried again. */
          readonly isOnce?: boolean;
        }
    >
  /** From here on money may have moved. `dispatchedAt` is wall time: a provider knows no test clock. */
  | DomainEvent<
      'PaymentDispatched',
      AttemptRef & { readonly holder: string; readonly dispatchedAt: Instant; readonly at: Instant }
    >
  /** `amountMinor` is what moved, as the provider says. `isLate`: the attempt had been given up. */
  | DomainEvent<
      'PaymentSucceeded',
      AttemptFacts & {
        readonly gatewayRef: string | null;
        readonly feeMinor: number | null;
        readonly movedAt: string;
        readonly isAdopted: boolean;
        readonly isLate: boolean;
      }
    >
  | DomainEvent<
      'PaymentDeclined',
      AttemptFacts & { readonly hardness: 'hard' | 'soft'; readonly code: string; readonly message: string | null }
    >
  /** The provider has it and will decide later. */
  | DomainEvent<
      'PaymentPending',
      AttemptFacts & { readonly why: string; readonly gatewayRef: string | null; readonly nextLookAt: Instant | null }
    >
  /** Nobody knows whether money moved. A state, not an error. Null: no look is planned any more, an operator must. */
  | DomainEvent<
      'PaymentUnknown',
      AttemptFacts & { readonly code: string | null; readonly look: number; readonly nextLookAt: Instant | null }
    >
  /** Certain that no money moved, and not the payer's doing. */
  | DomainEvent<
      'PaymentNotExecuted',
      AttemptFacts & { readonly why: NotExecutedReason; readonly code: string | null; readonly message: string | null }
    >
  | DomainEvent<
      'RetryScheduled',
      {
        readonly invoiceId: string;
        readonly accountId: string;
        readonly paymentId: string;
        readonly retryAt: Instant;
      }
    >
  /** The payment is not tried any further. `transactionId`: an attempt that was opened and never sent; null: no retry. */
  | DomainEvent<
      'PaymentAborted',
      {
        readonly invoiceId: string;
        readonly accountId: string;
        readonly paymentId: string;
        readonly transactionId: string | null;
        readonly reason: AbortReason;
        readonly at: Instant;
      }
    >;

export const invoicePaymentsSchema = defineSchema<InvoicePaymentsEvent>({
  InvoiceRecorded: 'invoicePayments.invoice-recorded.v1',
  BalanceRecorded: 'invoicePayments.balance-recorded.v1',
  WriteOffChanged: 'invoicePayments.write-off-changed.v1',
  PaymentSkipped: 'invoicePayments.payment-skipped.v1',
  PaymentRequested: 'invoicePayments.payment-requested.v1',
  PaymentDispatched: 'invoicePayments.payment-dispatched.v1',
  PaymentSucceeded: 'invoicePayments.payment-succeeded.v1',
  PaymentDeclined: 'invoicePayments.payment-declined.v1',
  PaymentPending: 'invoicePayments.payment-pending.v1',
  PaymentUnknown: 'invoicePayments.payment-unknown.v1',
  PaymentNotExecuted: 'invoicePayments.payment-not-executed.v1',
  RetryScheduled: 'invoicePayments.retry-scheduled.v1',
  PaymentAborted: 'invoicePayments.payment-aborted.v1',
});
