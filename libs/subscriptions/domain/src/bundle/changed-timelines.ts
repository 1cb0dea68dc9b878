import { type Bundle, type BundleEvent, type BundleState, type Subscription, baseOf } from './bundle';
import { timelineOf } from './timeline';

type Told = Extract<BundleEvent, { readonly type: 'BillingTimelineChanged' }>['data'];

const publicTimeline = (bundle: Bundle, subscription: Subscription): Told => ({
  accountId: bundle.accountId,
  bundleId: bundle.bundleId,
  bundleExternalKey: bundle.externalKey,
  subscriptionId: subscription.subscriptionId,
  externalKey: subscription.externalKey,
  productCategory: subscription.productCategory,
  transitions: timelineOf(bundle, subscription),
  firstBillableAt: subscription.firstBillableAt,
  bundleFirstBillableAt: baseOf(bundle)?.firstBillableAt ?? subscription.firstBillableAt,
});

const timelinesOf = (bundle: BundleState): ReadonlyMap<string, Told> =>
  new Map(bundle === null ? [] : bundle.subscriptions.map((one) => [one.subscriptionId, publicTimeline(bundle, one)]));

/**
 * Whatever was decided, the timelines that it changed follow in the same append: others need nothing else. All but the
 * last are marked as followed, so that a base and its add-ons come to one invoice; the last one too, when other bundles
 * change along.
 */
export const changedTimelines = (
  before: BundleState,
  after: BundleState,
  isFollowed: boolean,
): readonly BundleEvent[] => {
  const known = timelinesOf(before);
  const changed = [...timelinesOf(after)]
    .filter(([id, timeline]) => JSON.stringify(known.get(id)) !== JSON.stringify(timeline))
    .map(([, timeline]) => timeline);
  return changed.map((timeline, index) => ({
    type: 'BillingTimelineChanged',
    data: isFollowed || index < changed.length - 1 ? { ...timeline, isFollowed: true } : timeline,
  }));
};
