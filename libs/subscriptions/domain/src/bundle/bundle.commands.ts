import type { AccountTime, Currency, Instant, LocalDate } from '@billstream/kernel';
import type { BillingPeriod, PhaseType } from '@billstream/subscriptions-contracts';
import type { BillingPolicy, Catalog } from '../catalog/catalog';
import type { PlanNotFound, PlanSpecifier } from '../catalog/find-plan';
import type { BadOverride, PriceOverride } from '../catalog/price-override';
import type { NoPrice } from '../catalog/resolve-plan';
import type { BlockingState, Bundle } from './bundle';

/** What a decision needs to know of the account that pays. `billCycleDayLocal` 0 is not chosen yet. */
export type SubscriberAccount = {
  readonly accountId: string;
  readonly currency: Currency | null;
  readonly time: AccountTime;
  readonly billCycleDayLocal: number;
};

/** Other bundles of the account change along with this one, so that nothing is to be charged yet. */
export type PartOfChange = { readonly isFollowed?: true };

export type SubscriptionSpec = {
  readonly subscriptionId: string;
  /** Null: the subscription id is its key. */
  readonly externalKey: string | null;
  readonly plan: PlanSpecifier;
  readonly startIn: PhaseType | null;
  readonly quantity: number;
  readonly billCycleDayLocal: number | null;
  readonly priceOverrides: readonly PriceOverride[];
};

/** A change may leave out what stays: period and price list then follow from the present plan and the rules. */
export type ChangeSpecifier =
  | { readonly planName: string }
  | { readonly productName: string; readonly billingPeriod: BillingPeriod | null; readonly priceList: string | null };

export type EndDate = { readonly at: Instant } | { readonly policy: BillingPolicy } | { readonly policy: 'BY_CATALOG' };

export type StartSubscriptions = {
  readonly bundleId: string;
  /** Null: the bundle id is its key. Ignored when the bundle exists. */
  readonly externalKey: string | null;
  readonly account: SubscriberAccount;
  readonly catalog: Catalog;
  readonly now: Instant;
  readonly entitlementAt: Instant | null;
  readonly billingAt: Instant | null;
  readonly migrated: boolean;
  readonly subscriptions: readonly SubscriptionSpec[];
  /** The account's own blocking states; those that the bundle does not know yet become known to it. */
  readonly accountStates?: readonly BlockingState[];
} & PartOfChange;

export type ChangePlan = {
  readonly subscriptionId: string;
  readonly changeId: string;
  readonly plan: ChangeSpecifier;
  readonly startIn: PhaseType | null;
  readonly billCycleDayLocal: number | null;
  readonly priceOverrides: readonly PriceOverride[];
  readonly requestedAt: Instant | null;
  readonly policy: BillingPolicy | null;
  readonly account: SubscriberAccount;
  readonly catalog: Catalog;
  readonly now: Instant;
};

export type CancelSubscription = {
  readonly subscriptionId: string;
  readonly cancellationId: string;
  readonly entitlement: EndDate;
  readonly billing: EndDate;
  readonly account: SubscriberAccount;
  readonly catalog: Catalog;
  readonly now: Instant;
} & PartOfChange;

/** Ends what lives of a bundle, because another account goes on with it. */
export type HandOverBundle = {
  readonly transferId: string;
  /** Entitlement ends then; billing too, or where it was charged through (END_OF_TERM). */
  readonly effectiveAt: Instant;
  readonly billing: 'IMMEDIATE' | 'END_OF_TERM';
  readonly now: Instant;
};

/** Goes on with another account's bundle in a new one. */
export type ReceiveBundle = {
  readonly bundleId: string;
  /** As it was when it was handed over. */
  readonly source: Bundle;
  readonly transferId: string;
  readonly effectiveAt: Instant;
  readonly account: SubscriberAccount;
  /** The catalog to price everything anew in the account's currency; null: both accounts have the same one. */
  readonly repricedFrom: Catalog | null;
  /** A day that a subscription has of its own: forgotten, kept, or the day of the transfer for all of them. */
  readonly billCycleDay: 'NONE' | 'USE_EXISTING' | 'ALIGN_WITH_EFF_DT';
  /** New keys by the ids of the subscriptions they were given for; the others are called by their new ids. */
  readonly externalKeys: Readonly<Record<string, string>>;
  readonly accountStates: readonly BlockingState[];
  readonly now: Instant;
};

/** What later catalog versions mean for subscriptions that are there already. */
export type FollowCatalog = {
  readonly account: SubscriberAccount;
  readonly catalog: Catalog;
  readonly now: Instant;
};

type At<Data> = Data & { readonly subscriptionId: string; readonly now: Instant };

export type BundleCommand =
  | { readonly type: 'StartSubscriptions'; readonly data: StartSubscriptions }
  | { readonly type: 'ChangePlan'; readonly data: ChangePlan }
  | { readonly type: 'CancelSubscription'; readonly data: CancelSubscription }
  | { readonly type: 'FollowCatalog'; readonly data: FollowCatalog }
  | { readonly type: 'UndoCancellation'; readonly data: At<object> }
  | { readonly type: 'UndoPlanChange'; readonly data: At<object> }
  | {
      readonly type: 'ChangeBillCycleDay';
      readonly data: At<{
        readonly changeId: string;
        /** The day from which the next such day of month counts; null: today, which may be that day itself. */
        readonly from: LocalDate | null;
        readonly billCycleDayLocal: number;
      }>;
    }
  | {
      readonly type: 'ChangeQuantity';
      readonly data: At<{
        readonly changeId: string;
        readonly effectiveAt: Instant;
        readonly quantity: number;
        readonly account: SubscriberAccount;
      }>;
    }
  | {
      readonly type: 'SetBlockingState';
      readonly data: { readonly state: BlockingState; readonly now: Instant } & PartOfChange;
    }
  | { readonly type: 'HandOverBundle'; readonly data: HandOverBundle }
  | { readonly type: 'ReceiveBundle'; readonly data: ReceiveBundle }
  | {
      readonly type: 'RecordChargedThrough';
      readonly data: {
        readonly now: Instant;
        readonly subscriptions: readonly { readonly subscriptionId: string; readonly chargedThroughDate: LocalDate }[];
      };
    }
  /** Notes the planned points that were passed by now. */
  | { readonly type: 'ReachTransitions'; readonly data: { readonly now: Instant } }
  | { readonly type: 'RenameKey'; readonly data: { readonly now: Instant; readonly externalKey: string } }
  /** Gives up the external key for another bundle; refused while any subscription lives. Nothing to do without that key. */
  | {
      readonly type: 'GiveUpKey';
      readonly data: { readonly now: Instant; readonly externalKey: string; readonly renamedTo: string };
    };

/** Each with a sentence for people. The words are ours; the edge knows Kill Bill's numbers for them. */
export type BundleRejection =
  | PlanNotFound
  | NoPrice
  | BadOverride
  | {
      readonly code:
        | 'bundle-unknown'
        | 'subscription-unknown'
        | 'bundle-of-another-account'
        | 'bundle-live'
        | 'no-catalog'
        | 'phase-not-in-plan'
        | 'base-missing'
        | 'base-exists'
        | 'base-not-active'
        | 'add-on-included'
        | 'add-on-not-available'
        | 'add-on-limit-reached'
        | 'categories-mixed'
        | 'change-not-active'
        | 'change-pending-cancellation'
        | 'change-pending-expiry'
        | 'change-of-category'
        | 'change-illegal'
        | 'alignment-not-supported'
        | 'requested-date-invalid'
        | 'nothing-to-transfer'
        | 'amount-too-large'
        | 'cancel-bad-state'
        | 'no-cancellation-pending'
        | 'billing-already-cancelled'
        | 'no-change-pending'
        | 'change-blocked'
        | 'policy-illegal';
      readonly detail: string;
    };
