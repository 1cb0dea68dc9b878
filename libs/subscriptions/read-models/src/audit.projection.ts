import { type AuditedChange, type ChangeType, auditTrail } from '@billstream/postgres';
import { type BundleEvent, bundleSchema } from '@billstream/subscriptions-domain';

const prefix = 'bundle-';

/** What an event is to the subscription that it names; the others change none. */
const ofSubscription: { readonly [Type in BundleEvent['type']]?: ChangeType } = {
  SubscriptionStarted: 'INSERT',
  PlanChanged: 'UPDATE',
  PlanChangeScheduled: 'UPDATE',
  PlanChangeUndone: 'UPDATE',
  SubscriptionCancelled: 'UPDATE',
  CancellationScheduled: 'UPDATE',
  CancellationUndone: 'UPDATE',
  BillCycleDayChanged: 'UPDATE',
  QuantityChanged: 'UPDATE',
  ChargedThroughRecorded: 'UPDATE',
};

const changesOf = (bundleId: string, { type, data }: BundleEvent): readonly AuditedChange[] => {
  const change = (objectType: string, objectId: string, changeType: ChangeType): AuditedChange => ({
    ...{ objectType, objectId, accountId: null, changeType, history: data },
  });
  if (type === 'BundleCreated') return [{ ...change('BUNDLE', bundleId, 'INSERT'), accountId: data.accountId }];
  if (type === 'BundleKeyRenamed') return [change('BUNDLE', bundleId, 'UPDATE')];
  if (type === 'BlockingStateSet') return [change('BLOCKING_STATE', data.blockingId, 'INSERT')];
  const changeType = ofSubscription[type];
  return changeType === undefined ? [] : [change('SUBSCRIPTION', data.subscriptionId, changeType)];
};

/** Who made and changed bundles, subscriptions and what blocks them. */
export const auditReadModel = auditTrail([prefix], (recorded) => {
  const event = bundleSchema.decode(recorded);
  return event === null ? [] : changesOf(recorded.stream.slice(prefix.length), event);
});
