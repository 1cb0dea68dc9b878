import type { Decimal, Instant } from '@billstream/kernel';

export type ProductCategory = 'BASE' | 'ADD_ON' | 'STANDALONE';
export type PhaseType = 'TRIAL' | 'DISCOUNT' | 'FIXEDTERM' | 'EVERGREEN';
export type BillingMode = 'IN_ADVANCE' | 'IN_ARREAR';
export type BillingAlignment = 'ACCOUNT' | 'BUNDLE' | 'SUBSCRIPTION';
export type BillingPeriod =
  | 'DAILY'
  | 'WEEKLY'
  | 'BIWEEKLY'
  | 'THIRTY_DAYS'
  | 'THIRTY_ONE_DAYS'
  | 'SIXTY_DAYS'
  | 'NINETY_DAYS'
  | 'MONTHLY'
  | 'BIMESTRIAL'
  | 'QUARTERLY'
  | 'TRIANNUAL'
  | 'BIANNUAL'
  | 'ANNUAL'
  | 'SESQUIENNIAL'
  | 'BIENNIAL'
  | 'TRIENNIAL'
  | 'NO_BILLING_PERIOD';

/** One priced block of a tier: `price` per `size` units; `max` counts blocks, null is no limit. */
export type ResolvedBlock = {
  readonly unit: string;
  readonly size: Decimal;
  readonly max: Decimal | null;
  readonly price: Decimal;
};

/** A usage section in the account's currency. Capacity tiers have limits and one price; consumable tiers have blocks. */
export type ResolvedUsage = {
  readonly name: string;
  readonly usageType: 'CONSUMABLE' | 'CAPACITY';
  readonly billingMode: BillingMode;
  readonly billingPeriod: BillingPeriod;
  readonly tierBlockPolicy: 'ALL_TIERS' | 'TOP_TIER';
  readonly tiers: readonly {
    readonly blocks: readonly ResolvedBlock[];
    readonly limits: readonly { readonly unit: string; readonly max: Decimal | null }[];
    readonly recurringPrice: Decimal | null;
  }[];
};

/** What a plan's phase charges, resolved from the catalog in the account's currency. `null` is no price; 0 is a price. */
export type ResolvedPhase = {
  readonly planName: string;
  readonly prettyPlanName: string | null;
  readonly productName: string;
  readonly prettyProductName: string | null;
  readonly productCategory: ProductCategory;
  readonly priceList: string;
  readonly phaseName: string;
  readonly prettyPhaseName: string | null;
  readonly phaseType: PhaseType;
  /** Length of the phase; null is unlimited. */
  readonly duration: { readonly unit: 'DAYS' | 'WEEKS' | 'MONTHS' | 'YEARS'; readonly number: number } | null;
  readonly fixedPrice: Decimal | null;
  readonly recurring: { readonly price: Decimal; readonly billingPeriod: BillingPeriod } | null;
  readonly recurringBillingMode: BillingMode;
  readonly usages: readonly ResolvedUsage[];
  readonly billingAlignment: BillingAlignment;
  readonly catalogEffectiveDate: Instant;
};

/**
 * A point on a subscription's billing timeline. From `effectiveAt` on the phase is charged, until the next transition.
 * CANCEL, EXPIRED and BILLING_DISABLED charge nothing from there on (`phase` is null).
 */
export type BillingTransition = {
  readonly transitionId: string;
  readonly kind:
    | 'START'
    | 'PHASE'
    | 'CHANGE'
    | 'CANCEL'
    | 'EXPIRED'
    | 'BCD_CHANGE'
    | 'QUANTITY_CHANGE'
    | 'BILLING_DISABLED'
    | 'BILLING_ENABLED';
  readonly effectiveAt: Instant;
  readonly phase: ResolvedPhase | null;
  readonly quantity: number;
  /** Bill cycle day of this subscription alone, when one was set; it wins over the alignment. */
  readonly billCycleDayLocal: number | null;
  /** Nobody changed anything: a newer version of the catalog comes into force for those who have the plan already. */
  readonly isNewVersion?: true;
};

export type SubscriptionsEvent =
  /** The whole timeline, past and planned, each time any of it changes: the newest one replaces those before. */
  | {
      readonly type: 'subscriptions.billing-changed.v1';
      readonly data: {
        readonly accountId: string;
        readonly bundleId: string;
        readonly bundleExternalKey: string;
        readonly subscriptionId: string;
        readonly externalKey: string;
        readonly productCategory: ProductCategory;
        /** Sorted by `effectiveAt`. */
        readonly transitions: readonly BillingTransition[];
        /** First day that can cost something: start plus the leading free phases; the day of month for SUBSCRIPTION alignment. */
        readonly firstBillableAt: Instant;
        /** The same of the bundle's base subscription; for BUNDLE alignment. */
        readonly bundleFirstBillableAt: Instant;
        /**
         * More timelines of the account change with this one and follow at once: what is to be charged is known after the
         * last of them, which has no such mark, or after `subscriptions.account-change-ended.v1`.
         */
        readonly isFollowed?: true;
      };
    }
  /** Somebody blocked something of an account, or ended that: the newest state of a service counts from `effectiveAt` on. */
  | {
      readonly type: 'subscriptions.blocking-state-set.v1';
      readonly data: {
        readonly accountId: string;
        /** Null where the account itself is blocked. */
        readonly bundleId: string | null;
        readonly blockingId: string;
        readonly type: 'ACCOUNT' | 'SUBSCRIPTION_BUNDLE' | 'SUBSCRIPTION';
        readonly blockedId: string;
        readonly service: string;
        readonly stateName: string;
        readonly blockEntitlement: boolean;
        readonly blockBilling: boolean;
        readonly effectiveAt: Instant;
      };
    }
  /** A change of several bundles of an account is through; all timelines that it changed were told before. */
  | {
      readonly type: 'subscriptions.account-change-ended.v1';
      readonly data: { readonly accountId: string; readonly changeId: string };
    };
