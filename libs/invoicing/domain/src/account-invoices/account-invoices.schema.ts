import { type SnapshotRules, defineSchema } from '@billstream/event-sourcing';
import { type NamedPhases, withNamedPhases, withOwnPhases } from '@billstream/subscriptions-contracts';
import type { AccountInvoicesEvent, RecordedTimeline } from './account-invoices.events';

export const accountInvoicesStreams = 'accountInvoices-';
export const accountInvoicesStream = (accountId: string): string => `${accountInvoicesStreams}${accountId}`;

/**
 * An account with years of invoices is not folded from its beginning. The version changes whenever the shape of the
 * state or the way it is folded does, which `snapshots.spec.ts` insists on; `replay verify` finds stored ones that no
 * longer agree with their events.
 */
export const accountInvoicesSnapshots: SnapshotRules = { version: '10', every: 250 };

/** A day for each subscription, as the first version has them. */
type ChargedThroughV1 = {
  readonly accountId: string;
  readonly subscriptions: readonly { readonly subscriptionId: string; readonly chargedThroughDate: string }[];
};

const chargedThroughByDay = (data: Record<string, unknown>): object => {
  const { accountId, subscriptions } = data as ChargedThroughV1;
  const through = subscriptions.map(({ subscriptionId, chargedThroughDate }) => ({
    chargedThroughDate,
    subscriptionIds: [subscriptionId],
  }));
  return { accountId, through };
};

const names = {
  AccountRecorded: 'accountInvoices.account-recorded.v1',
  BillingTimelineRecorded: 'accountInvoices.billing-timeline-recorded.v2',
  BillCycleDayChosen: 'accountInvoices.bill-cycle-day-chosen.v1',
  UsageRequested: 'accountInvoices.usage-requested.v1',
  InvoiceAwaited: 'accountInvoices.invoice-awaited.v1',
  UsageRecorded: 'accountInvoices.usage-recorded.v1',
  LateUsageRecorded: 'accountInvoices.late-usage-recorded.v1',
  PaymentRecorded: 'accountInvoices.payment-recorded.v1',
  ControlTagRecorded: 'accountInvoices.control-tag-recorded.v1',
  InvoiceItemsDrawn: 'accountInvoices.invoice-items-drawn.v1',
  InvoiceCommitted: 'accountInvoices.invoice-committed.v1',
  InvoiceDrafted: 'accountInvoices.invoice-drafted.v1',
  DraftExtended: 'accountInvoices.draft-extended.v1',
  DraftCommitted: 'accountInvoices.draft-committed.v1',
  InvoiceVoided: 'accountInvoices.invoice-voided.v1',
  InvoiceAdjusted: 'accountInvoices.invoice-adjusted.v1',
  ClosingAdjusted: 'accountInvoices.closing-adjusted.v1',
  CreditApplied: 'accountInvoices.credit-applied.v1',
  ChargedThroughChanged: 'accountInvoices.charged-through-changed.v2',
  InvoicingHeld: 'accountInvoices.invoicing-held.v1',
  InvoicingResumed: 'accountInvoices.invoicing-resumed.v1',
  ChildInvoiceSummed: 'accountInvoices.child-invoice-summed.v1',
  SettledByParent: 'accountInvoices.settled-by-parent.v1',
  CreditTransferred: 'accountInvoices.credit-transferred.v1',
  BalanceChanged: 'accountInvoices.balance-changed.v1',
  NextInvoiceScheduled: 'accountInvoices.next-invoice-scheduled.v1',
  InvoicingParked: 'accountInvoices.invoicing-parked.v1',
  InvoicingUnparked: 'accountInvoices.invoicing-unparked.v1',
} as const;

export const accountInvoicesSchema = defineSchema<AccountInvoicesEvent>(
  names,
  {
    'accountInvoices.charged-through-changed.v1': { to: names.ChargedThroughChanged, upcast: chargedThroughByDay },
    // Each transition said its phase whole: a few hundred of them were no append any more.
    'accountInvoices.billing-timeline-recorded.v1': {
      to: names.BillingTimelineRecorded,
      upcast: (data) => withNamedPhases(data as RecordedTimeline),
    },
  },
  {
    BillingTimelineRecorded: {
      pack: withNamedPhases,
      unpack: (stored) => withOwnPhases(stored as NamedPhases) as RecordedTimeline,
    },
  },
);
