import type { AccountFacts, AccountsEvent } from '@billstream/accounts-contracts';
import type { DomainEvent } from '@billstream/event-sourcing';
import type { Currency, Decimal, Instant, LocalDate } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type { PaymentsEvent } from '@billstream/payments-contracts';
import type { SubscriptionsEvent } from '@billstream/subscriptions-contracts';

/** What invoicing keeps of an account. An account without a parent says nothing of one. */
export type RecordedAccount = Omit<AccountFacts, 'parentAccountId' | 'isPaymentDelegatedToParent'> & {
  readonly parentAccountId?: string;
  /** The parent is charged for what this account owes. */
  readonly isPaymentDelegatedToParent?: boolean;
};
/** A subscription's billing timeline as its owner published it. */
export type BillingTimeline = Omit<
  Extract<SubscriptionsEvent, { readonly type: 'subscriptions.billing-changed.v1' }>['data'],
  'isFollowed'
>;
export type RecordedTimeline = BillingTimeline & {
  /** Others of the account change along and follow: the run waits for the last of them. */
  readonly isFollowed?: true;
  /** Beside `isFollowed`: from when on what has come about is another than before; absent when only plans changed. */
  readonly changedFrom?: Instant;
};
/** A control tag that was put on the account or something of it, or taken off. */
export type ControlTagChange = Extract<AccountsEvent, { readonly type: 'accounts.control-tag-changed.v1' }>['data'];
export type InvoicePayment = Extract<PaymentsEvent, { readonly type: 'payments.invoice-payment-changed.v1' }>['data'];

export type InvoiceItemType =
  | 'RECURRING'
  | 'FIXED'
  | 'USAGE'
  | 'EXTERNAL_CHARGE'
  | 'TAX'
  | 'PARENT_SUMMARY'
  | 'REPAIR_ADJ'
  | 'ITEM_ADJ'
  | 'CREDIT_ADJ'
  | 'CBA_ADJ';

/** What an item charges for; all null on an item that is about no subscription. */
export type ItemSubject = {
  readonly subscriptionId: string | null;
  readonly bundleId: string | null;
  readonly productName: string | null;
  readonly prettyProductName: string | null;
  readonly planName: string | null;
  readonly prettyPlanName: string | null;
  readonly phaseName: string | null;
  readonly prettyPhaseName: string | null;
  readonly catalogEffectiveDate: Instant | null;
};

/** Two instants, and the one up to which usage between them was counted where that was under way. */
export type CountedPeriod = {
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly countedUntil?: Instant;
  /** How much of its price was charged ahead already, by a longer period that it turned out to be a part of. */
  readonly takenMinor?: number;
};

/** A line of an invoice. Amounts are minor units of the invoice's currency: charges positive, repairs and used credit negative. */
export type InvoiceItem = ItemSubject & {
  readonly itemId: string;
  readonly type: InvoiceItemType;
  /** The item that an adjustment or a repair takes back, or that a tax is for. */
  readonly linkedItemId: string | null;
  readonly startDate: LocalDate;
  readonly endDate: LocalDate | null;
  readonly amountMinor: number;
  /** Price times quantity, not prorated and not rounded. */
  readonly rate: Decimal | null;
  readonly quantity: Decimal | null;
  readonly usageName: string | null;
  /** The instants between which a USAGE item was counted. */
  readonly usagePeriod: CountedPeriod | null;
  /** JSON text that clients get as it is. */
  readonly itemDetails: string | null;
  /** Reports of usage (Kill Bill's tracking ids) that a USAGE item is the first to charge. */
  readonly trackingIds?: readonly string[];
  /** What a client wrote; absent where the item's type says it all. */
  readonly description?: string | null;
  /** The child account that a PARENT_SUMMARY sums up. */
  readonly childAccountId?: string | null;
};

/** What an invoice says of itself, apart from its items. */
export type InvoiceHead = {
  readonly invoiceId: string;
  readonly accountId: string;
  readonly invoiceNumber: string;
  /** The account's day on which the run happened. */
  readonly invoiceDate: LocalDate;
  /** The day up to which charges were asked for. */
  readonly targetDate: LocalDate;
  readonly currency: Currency;
  /** What is charged: everything but account credit, and but the credit of an invoice that holds nothing else. */
  readonly amountMinor: number;
  /** Brought over from another system: it counts in no balance and is never paid here. */
  readonly isMigration?: true;
  /** Sums up invoices of child accounts. */
  readonly isParentInvoice?: true;
  /** The account that pays for it, as it was when it became owed. */
  readonly parentAccountId?: string;
};

/** The items of an event; those of a large invoice were drawn by `InvoiceItemsDrawn` before, and `items` are the rest. */
export type Itemized = { readonly items: readonly InvoiceItem[]; readonly itemsDrawn?: number };

export type DraftInvoice = InvoiceHead & Itemized;

export type CommittedInvoice = DraftInvoice & {
  /** What was due after credit, when it was committed. */
  readonly balanceMinor: number;
};

/** Credit that was made or used on an invoice committed before. Positive: made or given back; negative: used or deleted. */
export type CreditItem = {
  readonly itemId: string;
  readonly invoiceId: string;
  readonly amountMinor: number;
  readonly date: LocalDate;
  /** The credit that it deletes. */
  readonly linkedItemId?: string;
};

export type InvoiceBalance = {
  readonly invoiceId: string;
  readonly balanceMinor: number;
  /** What payments of the invoice that succeeded come to, as far as the balance counts them; absent: nobody said. */
  readonly purchasedMinor?: number;
  /** The invoice sums up children, whose invoices are settled with it. */
  readonly isParentInvoice?: true;
  /** What a child's invoice asks for, whether its parent has paid it or not. */
  readonly withoutParentMinor?: number;
  /** The parent that is charged for it, where that is not the one that pays for the account by now. */
  readonly parentAccountId?: string;
};

export type UsagePeriodRequest = {
  readonly unit: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
};

/** A period of a usage price whose usage changed after it was charged. */
export type LateUsagePeriod = {
  readonly subscriptionId: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
};

/** A run of invoicing: the day it charges up to, and the instant of business time at which it was due. */
export type InvoiceRun = {
  readonly targetDate: LocalDate;
  readonly at: Instant;
  /** Somebody asked for it: it comes to its end whatever keeps others from running, and counts usage again that was charged. */
  readonly isAsked?: true;
};

/** What one invoice of a parent charges for an invoice of a child, adjustments counted in. Minor units. */
export type ChildPart = { readonly invoiceId: string; readonly itemId: string; readonly coveredMinor: number };

/** A child's invoice as part of what its parent is charged. Minor units. */
export type ChildShare = ChildPart & {
  readonly accountId: string;
  readonly childAccountId: string;
  /** Absent in what was summed up before invoices could be again. */
  readonly childExternalKey?: string;
  readonly childInvoiceId: string;
  /** Invoices that the parent was charged on before the child's invoice grew; absent: none. */
  readonly earlier?: readonly ChildPart[];
  /** What the item stands for from now on; it changes only as long as the invoice is a draft. */
  readonly itemAmountMinor: number;
};

export type AccountInvoicesEvent =
  | DomainEvent<'AccountRecorded', RecordedAccount>
  | DomainEvent<'BillingTimelineRecorded', RecordedTimeline>
  | DomainEvent<'BillCycleDayChosen', { readonly accountId: string; readonly billCycleDayLocal: number }>
  | DomainEvent<
      'UsageRequested',
      {
        readonly requestId: string;
        readonly accountId: string;
        readonly accountExternalKey: string;
        readonly subscriptionId: string;
        readonly planName: string;
        readonly timeZone: string;
        readonly periods: readonly UsagePeriodRequest[];
        readonly run: InvoiceRun;
      }
    >
  /** A run came while another one waits for usage; both will be one. */
  | DomainEvent<'InvoiceAwaited', { readonly accountId: string; readonly run: InvoiceRun }>
  | DomainEvent<
      'UsageRecorded',
      {
        readonly requestId: string;
        readonly accountId: string;
        readonly subscriptionId: string;
        readonly usages: readonly ClosedUsage[];
      }
    >
  /** A charged period amounts to something else by now: it is counted again with the next run. */
  | DomainEvent<'LateUsageRecorded', LateUsagePeriod & { readonly accountId: string }>
  | DomainEvent<'PaymentRecorded', InvoicePayment>
  | DomainEvent<'ControlTagRecorded', ControlTagChange>
  /**
   * Some items, from the `from`-th on, of an invoice too large for one event. They count once the event with the rest
   * says so. A decision that was cut off leaves some that never do: the next one draws from the first item again.
   */
  | DomainEvent<
      'InvoiceItemsDrawn',
      {
        readonly accountId: string;
        readonly invoiceId: string;
        readonly from: number;
        readonly items: readonly InvoiceItem[];
      }
    >
  | DomainEvent<'InvoiceCommitted', CommittedInvoice>
  | DomainEvent<'InvoiceDrafted', DraftInvoice>
  /** More items for an invoice that is still a draft; its target date moves along. */
  | DomainEvent<
      'DraftExtended',
      {
        readonly accountId: string;
        readonly invoiceId: string;
        readonly targetDate: LocalDate;
      } & Itemized
    >
  /** A draft became an invoice that is owed. */
  | DomainEvent<'DraftCommitted', InvoiceHead & { readonly balanceMinor: number }>
  /** Nothing of the invoice is owed any more, and what it charged may be charged again. */
  | DomainEvent<'InvoiceVoided', { readonly accountId: string; readonly invoiceId: string }>
  /** Items that take back some of an invoice: adjustments of its items, or of credit given on it. */
  | DomainEvent<
      'InvoiceAdjusted',
      {
        readonly accountId: string;
        readonly invoiceId: string;
        /** The refund that asked for it. */
        readonly transactionId?: string;
      } & Itemized
    >
  /** All that was unpaid when the account was closed has been taken back, item by item. `closingId` names the closing. */
  | DomainEvent<'ClosingAdjusted', { readonly accountId: string; readonly closingId: string }>
  | DomainEvent<
      'CreditApplied',
      {
        readonly accountId: string;
        readonly currency: Currency;
        readonly items: readonly CreditItem[];
        /** The draft that became an invoice with it, if one did: others hear of that, not of a change. */
        readonly newInvoiceId?: string;
      }
    >
  | DomainEvent<
      'ChargedThroughChanged',
      {
        readonly accountId: string;
        /** By day, which most subscriptions of an account share: it may have very many. */
        readonly through: readonly {
          readonly chargedThroughDate: LocalDate;
          readonly subscriptionIds: readonly string[];
        }[];
      }
    >
  | DomainEvent<
      'BalanceChanged',
      {
        readonly accountId: string;
        readonly currency: Currency;
        readonly accountBalanceMinor: number;
        readonly accountCreditMinor: number;
        readonly invoices: readonly InvoiceBalance[];
        /** The account that pays for this one. */
        readonly parentAccountId?: string;
      }
    >
  /**
   * What is blocked for being overdue is not charged, and nothing is credited for it before it is known for how long: no run
   * goes by itself. `isEnding`: it is being unblocked, and the timelines that say so are on their way; `until`: they are
   * not waited for any longer.
   */
  | DomainEvent<'InvoicingHeld', { readonly accountId: string; readonly isEnding: boolean; readonly until?: Instant }>
  | DomainEvent<'InvoicingResumed', { readonly accountId: string }>
  | DomainEvent<'ChildInvoiceSummed', ChildShare>
  /** The parent has paid for the invoice (the amount), or has not any more (0). */
  | DomainEvent<
      'SettledByParent',
      { readonly accountId: string; readonly invoiceId: string; readonly settledMinor: number }
    >
  /** Credit left for the parent; `invoiceId` is the invoice that used it up. */
  | DomainEvent<
      'CreditTransferred',
      {
        readonly accountId: string;
        readonly parentAccountId: string;
        readonly invoiceId: string;
        readonly amountMinor: number;
        readonly currency: Currency;
      }
    >
  /** The end of a run: when the account is to be invoiced next; null when nothing is foreseen. */
  | DomainEvent<
      'NextInvoiceScheduled',
      {
        readonly accountId: string;
        readonly at: Instant | null;
        readonly run: InvoiceRun;
        /** Periods of usage that the run found to cost nothing (more), where that makes no item. */
        readonly unused?: readonly (CountedPeriod & { readonly subscriptionId: string; readonly usageName: string })[];
      }
    >
  /** A run that could not price something. Nothing runs by itself until somebody asks for an invoice (Kill Bill parks the account). */
  | DomainEvent<
      'InvoicingParked',
      { readonly accountId: string; readonly reason: string; readonly subscriptionId: string; readonly run: InvoiceRun }
    >
  /** An invoice was made in spite of it, or somebody took the tag off that says so. */
  | DomainEvent<'InvoicingUnparked', { readonly accountId: string }>;
