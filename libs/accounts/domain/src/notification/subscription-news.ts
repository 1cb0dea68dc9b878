import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import { type Instant, derivedId } from '@billstream/kernel';
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
    /** What will be news at its time, unless it is taken back before. */
    readonly planned?: readonly PlannedNews[];
    /** Notifications planned before that are taken back. */
    readonly withdrawn?: readonly string[];
  };
};

export type PlannedNews = {
  readonly notificationId: string;
  readonly effectiveAt: Instant;
  readonly body: NotificationBody;
};

export type RecordTimeline = {
  readonly type: 'RecordTimeline';
  readonly data: Omit<SubscriptionNewsEvent['data'], 'news' | 'planned' | 'withdrawn'> & {
    readonly bundleExternalKey: string;
    readonly now: Instant;
  };
};

/** Null: nothing was told of the subscription yet. */
export type SubscriptionNewsState = readonly Transition[] | null;

/** Kill Bill's event types of what comes about: what somebody asked for is news then, and again when it takes effect. */
const asked: Readonly<Record<Transition['kind'], readonly string[]>> = {
  START: ['SUBSCRIPTION_CREATION', 'ENTITLEMENT_CREATION'],
  PHASE: [],
  CHANGE: ['SUBSCRIPTION_CHANGE'],
  CANCEL: ['SUBSCRIPTION_CANCEL', 'ENTITLEMENT_CANCEL'],
  EXPIRED: [],
  BCD_CHANGE: ['SUBSCRIPTION_BCD_CHANGE'],
  QUANTITY_CHANGE: ['SUBSCRIPTION_QUANTITY'],
  // What blocked it is news by itself.
  BILLING_DISABLED: [],
  BILLING_ENABLED: [],
};

/** Nobody asks for phases and expiry: they come by themselves. */
const comingAbout = { ...asked, PHASE: ['SUBSCRIPTION_PHASE'], EXPIRED: ['SUBSCRIPTION_EXPIRED'] };

const sameAs =
  (one: Transition) =>
  (other: Transition): boolean =>
    one.kind === other.kind && one.effectiveAt === other.effectiveAt;

type Ids = Pick<RecordTimeline['data'], 'accountId' | 'bundleExternalKey' | 'subscriptionId'>;

/** The metadata is Kill Bill's SubscriptionMetadata. */
const newsOf = (
  { accountId, bundleExternalKey, subscriptionId }: Ids,
  eventType: string,
  actionType: 'REQUESTED' | 'EFFECTIVE',
): NotificationBody => ({
  ...{ eventType, accountId, objectType: 'SUBSCRIPTION', objectId: subscriptionId },
  metaData: JSON.stringify({ actionType, bundleExternalKey }),
});

/** The same transition planned again is the same notification: it is told once. */
const idOf = ({ subscriptionId }: Ids, { kind, effectiveAt }: Transition, eventType: string): string =>
  derivedId('planned-news', subscriptionId, kind, effectiveAt, eventType);

const plannedFor = (ids: Ids, transition: Transition): readonly PlannedNews[] =>
  comingAbout[transition.kind].map((eventType) => ({
    notificationId: idOf(ids, transition, eventType),
    effectiveAt: transition.effectiveAt,
    body: newsOf(ids, eventType, 'EFFECTIVE'),
  }));

/** What somebody has done to the timeline just now. */
const newsAtOnce = (
  data: RecordTimeline['data'],
  { fresh, gone }: { readonly fresh: readonly Transition[]; readonly gone: readonly Transition[] },
): readonly NotificationBody[] => {
  const isUncancelled = gone.some(isCancel) && !data.transitions.some(isCancel);
  return [
    ...fresh.flatMap(({ kind, effectiveAt }) => {
      const actionType = effectiveAt > data.now ? ('REQUESTED' as const) : ('EFFECTIVE' as const);
      return asked[kind].map((eventType) => newsOf(data, eventType, actionType));
    }),
    ...gone
      .filter((one) => isUncancelled && isCancel(one))
      .map(() => newsOf(data, 'SUBSCRIPTION_UNCANCEL', 'EFFECTIVE')),
  ];
};

export const subscriptionNews: Decider<RecordTimeline, SubscriptionNewsEvent, SubscriptionNewsState, never> = {
  initial: null,
  decide: ({ data }, before) => {
    const { now, accountId, bundleId, subscriptionId, transitions } = data;
    const known = before ?? [];
    const fresh = data.transitions.filter((transition) => !known.some(sameAs(transition)));
    const gone = known.filter((transition) => !data.transitions.some(sameAs(transition)));
    if (fresh.length === 0 && gone.length === 0) return accept();
    const isPlanned = ({ effectiveAt }: Transition): boolean => effectiveAt > now;
    const planned = fresh.filter(isPlanned).flatMap((one) => plannedFor(data, one));
    const withdrawn = gone
      .filter(isPlanned)
      .flatMap((one) => comingAbout[one.kind].map((eventType) => idOf(data, one, eventType)));
    const news = newsAtOnce(data, { fresh, gone });
    const timeline = { accountId, bundleId, subscriptionId, transitions };
    return accept({ type: 'TimelineRecorded', data: { ...timeline, news, planned, withdrawn } });
  },
  evolve: (_before, { data }) => data.transitions,
};

const isCancel = ({ kind }: Transition): boolean => kind === 'CANCEL';

export const subscriptionNewsSchema = defineSchema<SubscriptionNewsEvent>({
  TimelineRecorded: 'subscriptionNews.timeline-recorded.v1',
});
