import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import type { NotificationBody } from './push-notification';

type Transition = { readonly kind: BillingTransition['kind']; readonly effectiveAt: Instant };

/** Subscriptions tells the whole timeline each time; what is news of it is what was not in it before, or no longer is. */
export type SubscriptionNewsEvent = {
  readonly type: 'TimelineRecorded';
  readonly data: {
    readonly accountId: string;
    readonly bundleId: string;
    readonly subscriptionId: string;
    readonly transitions: readonly Transition[];
    readonly news: readonly NotificationBody[];
  };
};

export type RecordTimeline = {
  readonly type: 'RecordTimeline';
  readonly data: Omit<SubscriptionNewsEvent['data'], 'news'>;
};

/** Null: nothing was told of the subscription yet. */
export type SubscriptionNewsState = readonly Transition[] | null;

/** Kill Bill's event types of what is added to a timeline. Phases and expiry come by themselves and are no news when planned. */
const added: Readonly<Record<Transition['kind'], readonly string[]>> = {
  START: ['SUBSCRIPTION_CREATION', 'ENTITLEMENT_CREATION'],
  PHASE: [],
  CHANGE: ['SUBSCRIPTION_CHANGE'],
  CANCEL: ['SUBSCRIPTION_CANCEL', 'ENTITLEMENT_CANCEL'],
  EXPIRED: [],
  BCD_CHANGE: ['SUBSCRIPTION_BCD_CHANGE'],
  QUANTITY_CHANGE: ['SUBSCRIPTION_QUANTITY'],
  BILLING_DISABLED: ['BLOCKING_STATE'],
  BILLING_ENABLED: ['BLOCKING_STATE'],
};

const sameAs =
  (one: Transition) =>
  (other: Transition): boolean =>
    one.kind === other.kind && one.effectiveAt === other.effectiveAt;

export const subscriptionNews: Decider<RecordTimeline, SubscriptionNewsEvent, SubscriptionNewsState, never> = {
  initial: null,
  decide: ({ data }, before) => {
    const known = before ?? [];
    const fresh = data.transitions.filter((transition) => !known.some(sameAs(transition)));
    const gone = known.filter((transition) => !data.transitions.some(sameAs(transition)));
    if (fresh.length === 0 && gone.length === 0) return accept();
    const isUncancelled = gone.some(isCancel) && !data.transitions.some(isCancel);
    const eventTypes = [
      ...fresh.flatMap(({ kind, effectiveAt }) => added[kind].map((eventType) => ({ eventType, effectiveAt }))),
      ...gone
        .filter((one) => isUncancelled && isCancel(one))
        .map(({ effectiveAt }) => ({ eventType: 'SUBSCRIPTION_UNCANCEL', effectiveAt })),
    ];
    const news = eventTypes.map(({ eventType, effectiveAt }) => ({
      eventType,
      accountId: data.accountId,
      objectType: 'SUBSCRIPTION',
      objectId: data.subscriptionId,
      metaData: JSON.stringify({ bundleId: data.bundleId, effectiveDate: effectiveAt }),
    }));
    return accept({ type: 'TimelineRecorded', data: { ...data, news } });
  },
  evolve: (_before, { data }) => data.transitions,
};

const isCancel = ({ kind }: Transition): boolean => kind === 'CANCEL';

export const subscriptionNewsSchema = defineSchema<SubscriptionNewsEvent>({
  TimelineRecorded: 'subscriptionNews.timeline-recorded.v1',
});
