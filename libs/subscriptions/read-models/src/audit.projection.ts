import { type AuditedChange, type ChangeType, auditTrail } from '@billstream/postgres';
import { type BundleEvent, bundleSchema } from '@billstream/subscriptions-domain';

const prefix = 'bundle-';

const changesOf = (bundleId: string, event: BundleEvent): readonly AuditedChange[] => {
  const change = (objectType: string, objectId: string, changeType: ChangeType): readonly AuditedChange[] => [
    { objectType, objectId, accountId: null, changeType, history: event.data },
  ];
  switch (event.type) {
    case 'BundleCreated':
      return change('BUNDLE', bundleId, 'INSERT').map((made) => ({ ...made, accountId: event.data.accountId }));
    case 'BundleKeyRenamed':
      return change('BUNDLE', bundleId, 'UPDATE');
    case 'SubscriptionStarted':
      return change('SUBSCRIPTION', event.data.subscriptionId, 'INSERT');
    case 'PlanChanged':
    case 'PlanChangeScheduled':
    case 'PlanChangeUndone':
    case 'SubscriptionCancelled':
    case 'CancellationScheduled':
    case 'CancellationUndone':
    case 'BillCycleDayChanged':
    case 'QuantityChanged':
    case 'ChargedThroughRecorded':
      return change('SUBSCRIPTION', event.data.subscriptionId, 'UPDATE');
    case 'BlockingStateSet':
      return change('BLOCKING_STATE', event.data.blockingId, 'INSERT');
    case 'NewerVersionsRecorded':
    case 'BillingTimelineChanged':
    case 'TransitionReached':
      return [];
  }
};

/** Who made and changed bundles, subscriptions and what blocks them. */
export const auditReadModel = auditTrail([prefix], (recorded) => {
  const event = bundleSchema.decode(recorded);
  return event === null ? [] : changesOf(recorded.stream.slice(prefix.length), event);
});
