import type { AccountTime, Instant, LocalDate } from '@billstream/kernel';
import type { BillingTransition, ProductCategory, SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import type { PhasePlan } from '../catalog/plan-aligner';
import type { PriceOverride } from '../catalog/price-override';
import type { NewerVersions } from './newer-versions';

export type SourceType = 'NATIVE' | 'MIGRATED' | 'TRANSFERRED';

/** A plan taken at an instant, with the phases it runs through from there. The first phase may have begun before. */
export type PlanStep = PhasePlan & {
  readonly stepId: string;
  readonly kind: 'START' | 'CHANGE';
  readonly effectiveAt: Instant;
  /** Add-ons that this plan includes or does not offer: they end when the step begins. */
  readonly endsAddOns: readonly string[];
  /** What was agreed for this step; newer versions of the plan keep to it. Absent: nothing. */
  readonly priceOverrides?: readonly PriceOverride[];
  /** Versions of the plan that came after the one the step began with. Absent: none is known. */
  readonly newer?: NewerVersions;
};

export type DayChange = {
  readonly changeId: string;
  readonly effectiveAt: Instant;
  readonly billCycleDayLocal: number;
};
export type QuantityChange = { readonly changeId: string; readonly effectiveAt: Instant; readonly quantity: number };
export type Cancellation = {
  readonly cancellationId: string;
  readonly entitlementAt: Instant;
  readonly billingAt: Instant;
  /** It goes on in another bundle, so there is no way back. */
  readonly handedOver?: true;
};

/** A state of some service that stops changes, entitlement or billing, until the service's next state. */
export type BlockingState = {
  readonly blockingId: string;
  readonly type: 'ACCOUNT' | 'SUBSCRIPTION_BUNDLE' | 'SUBSCRIPTION';
  readonly blockedId: string;
  readonly service: string;
  readonly stateName: string;
  readonly blockChange: boolean;
  readonly blockEntitlement: boolean;
  readonly blockBilling: boolean;
  readonly effectiveAt: Instant;
  /** A fact, not a plan: it is so from the moment it is set, also for a test clock that was put back behind it. */
  readonly isFact?: true;
  /** Of bundle or subscription; absent in what was set before others were told of it. */
  readonly accountId?: string;
};

export type StartedSubscription = {
  readonly subscriptionId: string;
  readonly externalKey: string;
  readonly productCategory: ProductCategory;
  readonly sourceType: SourceType;
  readonly entitlementAt: Instant;
  readonly billingAt: Instant;
  readonly alignedAt: Instant;
  readonly firstBillableAt: Instant;
  readonly quantity: number;
  readonly billCycleDayLocal: number | null;
  readonly step: PlanStep;
};

type PlanChange = {
  readonly subscriptionId: string;
  readonly step: PlanStep;
  readonly decidedAt: Instant;
  readonly billCycleDayLocal: number | null;
  /** Pending changes that it takes the place of. */
  readonly replacedSteps?: readonly string[];
};
type Cancelled = { readonly subscriptionId: string } & Cancellation;
export type BillingTimeline = Extract<
  SubscriptionsEvent,
  { readonly type: 'subscriptions.billing-changed.v1' }
>['data'];

export type BundleEvent =
  | {
      readonly type: 'BundleCreated';
      readonly data: {
        readonly bundleId: string;
        readonly accountId: string;
        readonly externalKey: string;
        readonly time: AccountTime;
      };
    }
  | { readonly type: 'SubscriptionStarted'; readonly data: StartedSubscription }
  | { readonly type: 'PlanChanged'; readonly data: PlanChange }
  | { readonly type: 'PlanChangeScheduled'; readonly data: PlanChange }
  /** Later catalog versions that move the subscription to new prices; in place of what was recorded for the step before. */
  | {
      readonly type: 'NewerVersionsRecorded';
      readonly data: { readonly subscriptionId: string; readonly stepId: string; readonly newer: NewerVersions };
    }
  | { readonly type: 'PlanChangeUndone'; readonly data: { readonly subscriptionId: string; readonly stepId: string } }
  | { readonly type: 'SubscriptionCancelled'; readonly data: Cancelled }
  | { readonly type: 'CancellationScheduled'; readonly data: Cancelled }
  | { readonly type: 'CancellationUndone'; readonly data: { readonly subscriptionId: string } }
  | { readonly type: 'BillCycleDayChanged'; readonly data: { readonly subscriptionId: string } & DayChange }
  | { readonly type: 'QuantityChanged'; readonly data: { readonly subscriptionId: string } & QuantityChange }
  | {
      readonly type: 'ChargedThroughRecorded';
      readonly data: { readonly subscriptionId: string; readonly chargedThroughDate: LocalDate };
    }
  | { readonly type: 'BlockingStateSet'; readonly data: BlockingState }
  | { readonly type: 'BundleKeyRenamed'; readonly data: { readonly externalKey: string } }
  | { readonly type: 'BillingTimelineChanged'; readonly data: BillingTimeline }
  /** A planned point was passed: the plan state shows it from now on anyway, but limits and watchers want to be told. */
  | {
      readonly type: 'TransitionReached';
      readonly data: {
        readonly subscriptionId: string;
        readonly transitionId: string;
        readonly kind: BillingTransition['kind'];
        readonly effectiveAt: Instant;
        readonly phaseName: string | null;
      };
    };

export type Subscription = {
  readonly subscriptionId: string;
  readonly externalKey: string;
  readonly productCategory: ProductCategory;
  readonly sourceType: SourceType;
  readonly entitlementAt: Instant;
  readonly billingAt: Instant;
  readonly alignedAt: Instant;
  readonly firstBillableAt: Instant;
  readonly quantity: number;
  /** In order of effect; the first is the start. */
  readonly steps: readonly PlanStep[];
  readonly dayChanges: readonly DayChange[];
  readonly quantityChanges: readonly QuantityChange[];
  readonly cancellation: Cancellation | null;
  readonly chargedThroughDate: LocalDate | null;
  /** Ids of the transitions that were passed. */
  readonly reached: readonly string[];
};

export type Bundle = {
  readonly bundleId: string;
  readonly accountId: string;
  readonly externalKey: string;
  readonly time: AccountTime;
  readonly subscriptions: readonly Subscription[];
  readonly blockingStates: readonly BlockingState[];
};

/** Null: no such bundle yet. */
export type BundleState = Bundle | null;

const byEffect = <T extends { readonly effectiveAt: Instant }>(items: readonly T[]): readonly T[] =>
  items.toSorted((a, b) => (a.effectiveAt < b.effectiveAt ? -1 : a.effectiveAt > b.effectiveAt ? 1 : 0));

/** A day or quantity set again for an instant replaces what was set before. */
const replacing = <T extends { readonly effectiveAt: Instant }>(items: readonly T[], item: T): readonly T[] =>
  byEffect([...items.filter(({ effectiveAt }) => effectiveAt !== item.effectiveAt), item]);

const started = ({ step, billCycleDayLocal, ...facts }: StartedSubscription): Subscription => ({
  ...facts,
  steps: [step],
  dayChanges: dayOfStep([], step, billCycleDayLocal),
  quantityChanges: [],
  cancellation: null,
  chargedThroughDate: null,
  reached: [],
});

const dayOfStep = (
  days: readonly DayChange[],
  { stepId, effectiveAt }: PlanStep,
  billCycleDayLocal: number | null,
): readonly DayChange[] =>
  billCycleDayLocal === null ? days : replacing(days, { changeId: stepId, effectiveAt, billCycleDayLocal });

/** A change takes the place of those that were pending for later; before it was said which, of all that were pending. */
const changed = (
  subscription: Subscription,
  { step, decidedAt, billCycleDayLocal, replacedSteps }: PlanChange,
): Subscription => {
  const stays = ({ kind, effectiveAt, stepId }: PlanStep): boolean =>
    replacedSteps === undefined ? kind === 'START' || effectiveAt <= decidedAt : !replacedSteps.includes(stepId);
  return {
    ...subscription,
    steps: [...subscription.steps.filter(stays), step],
    dayChanges: dayOfStep(subscription.dayChanges, step, billCycleDayLocal),
  };
};

const evolveSubscription = (
  subscription: Subscription,
  event: Exclude<
    BundleEvent,
    {
      readonly type:
        'BundleCreated' | 'SubscriptionStarted' | 'BlockingStateSet' | 'BundleKeyRenamed' | 'BillingTimelineChanged';
    }
  >,
): Subscription => {
  switch (event.type) {
    case 'PlanChanged':
    case 'PlanChangeScheduled':
      return changed(subscription, event.data);
    case 'NewerVersionsRecorded': {
      const { stepId, newer } = event.data;
      return {
        ...subscription,
        steps: subscription.steps.map((step) => (step.stepId === stepId ? { ...step, newer } : step)),
      };
    }
    case 'PlanChangeUndone':
      return { ...subscription, steps: subscription.steps.filter(({ stepId }) => stepId !== event.data.stepId) };
    case 'SubscriptionCancelled':
    case 'CancellationScheduled': {
      const { cancellationId, entitlementAt, billingAt, handedOver } = event.data;
      const cancellation: Cancellation = { cancellationId, entitlementAt, billingAt };
      return { ...subscription, cancellation: handedOver === true ? { ...cancellation, handedOver } : cancellation };
    }
    case 'CancellationUndone':
      return { ...subscription, cancellation: null };
    case 'BillCycleDayChanged': {
      const { changeId, effectiveAt, billCycleDayLocal } = event.data;
      return {
        ...subscription,
        dayChanges: replacing(subscription.dayChanges, { changeId, effectiveAt, billCycleDayLocal }),
      };
    }
    case 'QuantityChanged': {
      const { changeId, effectiveAt, quantity } = event.data;
      return {
        ...subscription,
        quantityChanges: replacing(subscription.quantityChanges, { changeId, effectiveAt, quantity }),
      };
    }
    case 'ChargedThroughRecorded':
      return { ...subscription, chargedThroughDate: event.data.chargedThroughDate };
    case 'TransitionReached':
      return { ...subscription, reached: [...subscription.reached, event.data.transitionId] };
  }
};

const evolveBundle = (bundle: Bundle, event: Exclude<BundleEvent, { readonly type: 'BundleCreated' }>): Bundle => {
  if (event.type === 'SubscriptionStarted')
    return { ...bundle, subscriptions: [...bundle.subscriptions, started(event.data)] };
  if (event.type === 'BlockingStateSet')
    return { ...bundle, blockingStates: byEffect([...bundle.blockingStates, event.data]) };
  if (event.type === 'BundleKeyRenamed') return { ...bundle, externalKey: event.data.externalKey };
  if (event.type === 'BillingTimelineChanged') return bundle;
  const { subscriptionId } = event.data;
  const subscriptions = bundle.subscriptions.map((one) =>
    one.subscriptionId === subscriptionId ? evolveSubscription(one, event) : one,
  );
  return { ...bundle, subscriptions };
};

export const evolve = (state: BundleState, event: BundleEvent): BundleState => {
  if (event.type === 'BundleCreated') return { ...event.data, subscriptions: [], blockingStates: [] };
  if (state === null) throw new TypeError(`${event.type} before the bundle was created`);
  return evolveBundle(state, event);
};

export const subscriptionOf = (bundle: BundleState, subscriptionId: string): Subscription | null =>
  bundle?.subscriptions.find((one) => one.subscriptionId === subscriptionId) ?? null;

export const baseOf = (bundle: Bundle): Subscription | null =>
  bundle.subscriptions.findLast(({ productCategory }) => productCategory === 'BASE') ?? null;
