import type { Currency, Instant, LocalDate } from '@billstream/kernel';

/** Amounts are minor units of `currency`. */
export type InvoicingEvent =
  /** Periods of usage that fell due and must be known before the invoice of `targetDate` can be made. */
  | {
      readonly type: 'invoicing.usage-requested.v1';
      readonly data: {
        readonly requestId: string;
        readonly accountId: string;
        readonly accountExternalKey: string;
        readonly subscriptionId: string;
        readonly planName: string;
        readonly timeZone: string;
        readonly periods: readonly {
          readonly unit: string;
          readonly usageName: string;
          readonly fromAt: Instant;
          readonly toAt: Instant;
        }[];
      };
    }
  | {
      readonly type: 'invoicing.invoice-committed.v1';
      readonly data: {
        readonly invoiceId: string;
        readonly accountId: string;
        readonly invoiceNumber: string;
        readonly invoiceDate: LocalDate;
        readonly targetDate: LocalDate;
        readonly currency: Currency;
        readonly amountMinor: number;
        readonly balanceMinor: number;
        /** The account that is charged for it, instead of the one that owes it. */
        readonly parentAccountId?: string;
        /** Its lines; those that were drawn or drafted before are in `invoicing.invoice-items-made.v1`. */
        readonly invoiceItemIds?: readonly string[];
      };
    }
  /** Lines that invoices of the account got, drafts or not: what can be named from now on. An invoice may need several. */
  | {
      readonly type: 'invoicing.invoice-items-made.v1';
      readonly data: { readonly accountId: string; readonly invoiceItemIds: readonly string[] };
    }
  /** Account credit left an account for its parent's. */
  | {
      readonly type: 'invoicing.credit-transferred.v1';
      readonly data: {
        readonly accountId: string;
        readonly parentAccountId: string;
        /** The invoice that used the credit up. */
        readonly invoiceId: string;
        readonly amountMinor: number;
        readonly currency: Currency;
      };
    }
  /** An invoice that was there before got more lines: an adjustment, or credit made or used on it. */
  | {
      readonly type: 'invoicing.invoice-adjusted.v1';
      readonly data: { readonly accountId: string; readonly invoiceId: string };
    }
  /** The invoice is no longer one: nothing of it is owed. Its balance follows as `invoicing.balance-changed.v1`. */
  | {
      readonly type: 'invoicing.invoice-voided.v1';
      readonly data: { readonly accountId: string; readonly invoiceId: string };
    }
  /** Invoicing has stopped for the account because of something that it cannot price, or goes on again. */
  | {
      readonly type: 'invoicing.account-parked.v1';
      readonly data: { readonly accountId: string; readonly isParked: boolean };
    }
  /** The account entered an overdue state, or left them all (`isClear`). */
  | {
      readonly type: 'invoicing.overdue-changed.v1';
      readonly data: {
        readonly accountId: string;
        readonly stateName: string;
        readonly isClear: boolean;
        readonly blockChanges: boolean;
        /** Entitlement and billing are blocked. */
        readonly disableEntitlement: boolean;
        readonly cancellationPolicy: 'NONE' | 'IMMEDIATE' | 'END_OF_TERM';
      };
    }
  /** After anything that moves money: what each touched invoice still asks for, and the account as a whole. */
  | {
      readonly type: 'invoicing.balance-changed.v1';
      readonly data: {
        readonly accountId: string;
        readonly currency: Currency;
        /** Sum of invoice balances less credit; negative when there is more credit than debt. */
        readonly accountBalanceMinor: number;
        readonly accountCreditMinor: number;
        readonly invoices: readonly {
          readonly invoiceId: string;
          readonly balanceMinor: number;
          /** What payments that succeeded come to, as far as the balance counts them; what was given back is no matter. */
          readonly purchasedMinor?: number;
          /** The invoice sums up children, whose invoices are settled with it. */
          readonly isParentInvoice?: true;
          /** What a child's invoice asks for, whether its parent has paid it or not. */
          readonly withoutParentMinor?: number;
          /** The parent that is charged for it, where that is not the one that pays for the account by now. */
          readonly parentAccountId?: string;
        }[];
        /** The account that pays for this one. */
        readonly parentAccountId?: string;
      };
    }
  | {
      readonly type: 'invoicing.charged-through-changed.v1';
      readonly data: {
        readonly accountId: string;
        readonly subscriptions: readonly { readonly subscriptionId: string; readonly chargedThroughDate: LocalDate }[];
      };
    }
  /** The account had no bill cycle day; its first billable, account-aligned day became it. */
  | {
      readonly type: 'invoicing.bill-cycle-day-chosen.v1';
      readonly data: { readonly accountId: string; readonly billCycleDayLocal: number };
    };
