import type { Currency, Instant } from '@billstream/kernel';

/** Kill Bill's transaction states; UNKNOWN is a state of its own, not an error. */
export type TransactionStatus =
  'SUCCESS' | 'PENDING' | 'UNKNOWN' | 'PAYMENT_FAILURE' | 'PLUGIN_FAILURE' | 'PAYMENT_SYSTEM_OFF';
export type TransactionType = 'AUTHORIZE' | 'CAPTURE' | 'PURCHASE' | 'REFUND' | 'CREDIT' | 'VOID' | 'CHARGEBACK';

export type PaymentsEvent =
  | {
      readonly type: 'payments.default-method-changed.v1';
      readonly data: { readonly accountId: string; readonly paymentMethodId: string | null };
    }
  | {
      readonly type: 'payments.method-added.v1';
      readonly data: { readonly accountId: string; readonly paymentMethodId: string };
    }
  /** A payment method went, and nothing more is to be paid on its own until somebody says so (Kill Bill's AUTO_PAY_OFF). */
  | { readonly type: 'payments.auto-pay-off-asked.v1'; readonly data: { readonly accountId: string } }
  /** A transaction of a payment that nobody was invoiced for reached a state. */
  | {
      readonly type: 'payments.payment-changed.v1';
      readonly data: {
        readonly accountId: string;
        readonly paymentId: string;
        readonly transactionId: string;
        readonly transactionType: TransactionType;
        readonly status: TransactionStatus;
        readonly effectiveAt: Instant;
        /** Positive for every type; older messages do not say. */
        readonly amountMinor?: number;
        readonly currency?: Currency;
      };
    }
  /** Somebody paid more than the account owed, by other means than a payment method: it is to be credited. Minor units. */
  | {
      readonly type: 'payments.excess-received.v1';
      readonly data: { readonly accountId: string; readonly amountMinor: number; readonly currency: Currency };
    }
  /** A transaction of an invoice's payment reached a state. `amountMinor` is positive for every type. */
  | {
      readonly type: 'payments.invoice-payment-changed.v1';
      readonly data: {
        readonly accountId: string;
        readonly invoiceId: string;
        readonly paymentId: string;
        readonly transactionId: string;
        readonly transactionType: TransactionType;
        readonly status: TransactionStatus;
        readonly amountMinor: number;
        readonly currency: Currency;
        readonly effectiveAt: Instant;
        /** A refund that also lowers the invoice; without it the refunded amount is due again. */
        readonly isAdjusted?: boolean;
        /** What of which items the refund adjusts; null is all that is left of the item. */
        readonly itemAdjustments?: readonly { readonly invoiceItemId: string; readonly amountMinor: number | null }[];
      };
    };
