import { defineSchema } from '@billstream/event-sourcing';
import { type NamedPhases, withNamedPhases, withOwnPhases } from '@billstream/subscriptions-contracts';
import type { BillingTimeline, BundleEvent } from './bundle';

export const bundleStream = (bundleId: string): string => `bundle-${bundleId}`;

/** The first version said each transition's phase whole: a few hundred changes of one subscription were no append any more. */
const timelineV1 = 'subscription.billing-timeline-changed.v1';

const names = {
  BundleCreated: 'bundle.created.v1',
  SubscriptionStarted: 'subscription.started.v1',
  PlanChanged: 'subscription.plan-changed.v1',
  PlanChangeScheduled: 'subscription.plan-change-scheduled.v1',
  NewerVersionsRecorded: 'subscription.newer-versions-recorded.v1',
  PlanChangeUndone: 'subscription.plan-change-undone.v1',
  SubscriptionCancelled: 'subscription.cancelled.v1',
  CancellationScheduled: 'subscription.cancellation-scheduled.v1',
  CancellationUndone: 'subscription.cancellation-undone.v1',
  BillCycleDayChanged: 'subscription.bill-cycle-day-changed.v1',
  QuantityChanged: 'subscription.quantity-changed.v1',
  ChargedThroughRecorded: 'subscription.charged-through-recorded.v1',
  BlockingStateSet: 'bundle.blocking-state-set.v1',
  BundleKeyRenamed: 'bundle.key-renamed.v1',
  BillingTimelineChanged: 'subscription.billing-timeline-changed.v2',
  TransitionReached: 'subscription.transition-reached.v1',
} as const;

export const bundleSchema = defineSchema<BundleEvent>(
  names,
  {
    [timelineV1]: {
      to: names.BillingTimelineChanged,
      upcast: (data) => withNamedPhases(data as BillingTimeline),
    },
  },
  {
    BillingTimelineChanged: {
      pack: withNamedPhases,
      unpack: (stored) => withOwnPhases(stored as NamedPhases) as BillingTimeline,
    },
  },
);

/** Names under which timelines lie in the log. */
export const timelineNames: readonly string[] = [timelineV1, names.BillingTimelineChanged];
