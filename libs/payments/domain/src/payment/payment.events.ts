import { type DomainEvent, defineSchema } from '@billstream/event-sourcing';
import type { TransactionType } from '@billstream/payments-contracts';
import type { Currency, Instant } from '@billstream/kernel';

export type PaymentRef = {
  readonly paymentId: string;
  readonly accountId: string;
  /** Null: a payment that somebody asked for without an invoice. */
  readonly invoiceId: string | null;
};

/** What pays; `credential` null: money that moves outside of any provider. */
export type PaidBy = {
  readonly paymentMethodId: string;
  readonly pluginName: string;
  readonly credential: string | null;
};

/** What a payment of an invoice had moved before anything else was asked of it. */
export type InvoicePurchase = {
  readonly transactionId: string;
  readonly externalKey: string;
  readonly amountMinor: number;
  /** The provider's id of the movement; null where no provider was involved. */
  readonly gatewayRef: string | null;
  readonly at: Instant;
};

/** `amountMinor` null: all that is left of the item. */
export type ItemAdjustment = { readonly invoiceItemId: string; readonly amountMinor: number | null };

export type TransactionRef = PaymentRef & {
  readonly transactionId: string;
  readonly externalKey: string;
  readonly transactionType: TransactionType;
};

/** Minor units, positive; zero for a void. `at` is business time. */
export type TransactionFacts = TransactionRef & {
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly at: Instant;
  /** Of a refund: the invoice is lowered too, by these items. */
  readonly isAdjusted?: boolean;
  readonly itemAdjustments?: readonly ItemAdjustment[];
};

export type PaymentEvent =
  | DomainEvent<
      'PaymentOpened',
      PaymentRef & {
        readonly externalKey: string;
        readonly currency: Currency;
        readonly paidBy: PaidBy;
        readonly purchase: InvoicePurchase | null;
        readonly at: Instant;
      }
    >
  /** An invoice's payment moved money more than once: a success that showed up late, after another. */
  | DomainEvent<'PurchaseFound', PaymentRef & { readonly purchase: InvoicePurchase; readonly at: Instant }>
  /**
   * Recorded before anything is sent. `isRecordOnly`: it happened elsewhere, no provider is asked. `chargeId`: the
   * transaction whose money it gives back, where the payment has several.
   */
  | DomainEvent<
      'TransactionRequested',
      TransactionFacts & { readonly isRecordOnly: boolean; readonly chargeId?: string }
    >
  /** From here on money may have moved. `dispatchedAt` is wall time. */
  | DomainEvent<
      'TransactionDispatched',
      TransactionRef & { readonly holder: string; readonly dispatchedAt: Instant; readonly at: Instant }
    >
  /** `amountMinor` is what moved. */
  | DomainEvent<'TransactionSucceeded', TransactionFacts & { readonly gatewayRef: string | null }>
  /** The provider, or the payer, will decide later. */
  | DomainEvent<
      'TransactionPending',
      TransactionFacts & {
        readonly why: string;
        readonly gatewayRef: string | null;
        readonly nextLookAt: Instant | null;
      }
    >
  | DomainEvent<
      'TransactionUnknown',
      TransactionFacts & { readonly code: string | null; readonly look: number; readonly nextLookAt: Instant | null }
    >
  | DomainEvent<
      'TransactionFailed',
      TransactionFacts & {
        readonly status: 'PAYMENT_FAILURE' | 'PLUGIN_FAILURE';
        readonly code: string | null;
        readonly message: string | null;
      }
    >
  /** The payer's bank took the chargeback back: `transactionId` is the chargeback's, `reversalId` names the reversal. */
  | DomainEvent<'ChargebackReversed', TransactionFacts & { readonly reversalId: string }>;

export const paymentSchema = defineSchema<PaymentEvent>({
  PaymentOpened: 'payment.opened.v1',
  PurchaseFound: 'payment.purchase-found.v1',
  TransactionRequested: 'payment.transaction-requested.v1',
  TransactionDispatched: 'payment.transaction-dispatched.v1',
  TransactionSucceeded: 'payment.transaction-succeeded.v1',
  TransactionPending: 'payment.transaction-pending.v1',
  TransactionUnknown: 'payment.transaction-unknown.v1',
  TransactionFailed: 'payment.transaction-failed.v1',
  ChargebackReversed: 'payment.chargeback-reversed.v1',
});
