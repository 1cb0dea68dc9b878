import type { Decimal, Instant } from '@billstream/kernel';

/** A quantity fixed for billing: what was metered for one unit between two instants, after free amounts. */
export type ClosedUsage = {
  readonly unit: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  /** What is charged: `metered` less the free amounts. */
  readonly quantity: Decimal;
  readonly metered: Decimal;
  readonly free: Decimal;
  /** Accepted records behind it, filled buckets, and the rule that counted them; the lineage of the invoice line. */
  readonly records: number;
  readonly syntheticBuckets: number;
  readonly rule: {
    readonly unit: string;
    readonly version: number;
    readonly countingMethod: 'SUM' | 'AVG' | 'PEAK';
  } | null;
  /** Reports (Kill Bill's tracking ids) that the quantity was made of; empty when it was metered alone. */
  readonly trackingIds?: readonly string[];
  /** Log position up to which usage had been counted. */
  readonly countedTo: string;
};

/** A closed period that was counted again, because its usage had changed. */
export type LateUsage = {
  readonly accountId: string;
  readonly subscriptionId: string;
  readonly unit: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  /** What it amounts to now, after free amounts, and what it amounted to when it was closed or told of last. */
  readonly quantity: Decimal;
  readonly closedQuantity: Decimal;
  /** Log position up to which usage had been counted. */
  readonly countedTo: string;
};

export type MeteringEvent =
  /** The answer to `invoicing.usage-requested.v1`: all asked-for quantities at once. */
  | {
      readonly type: 'metering.usage-closed.v1';
      readonly data: {
        readonly requestId: string;
        readonly accountId: string;
        readonly subscriptionId: string;
        readonly usages: readonly ClosedUsage[];
      };
    }
  /** A period that was closed for an invoice amounts to something else now: ask again for what it is. */
  | { readonly type: 'metering.late-usage-counted.v1'; readonly data: LateUsage }
  /** What was reserved has been used: its usage is recorded under the reservation's name. */
  | { readonly type: 'metering.reservation-committed.v1'; readonly data: ReservationCommitted }
  /** A user is limited in a unit from now on. */
  | { readonly type: 'metering.limit-reached.v1'; readonly data: LimitTransition }
  /** A user is no longer limited in a unit. */
  | { readonly type: 'metering.limit-released.v1'; readonly data: LimitTransition };

export type ReservationCommitted = {
  readonly reservationId: string;
  readonly user: string;
  readonly unit: string;
  /** What was used; at most what was reserved. */
  readonly amount: Decimal;
  readonly at: Instant;
};

export type LimitStatus = 'LIMITED' | 'RELEASED';

/**
 * Why a status was looked at: a usage record, the end of a window, a counter or a state set by hand, the end of such a
 * state, other rules of the unit, other plans of the user.
 */
export type LimitCause =
  'USAGE' | 'WINDOW_ENDED' | 'COUNTER_SET' | 'OVERRIDDEN' | 'OVERRIDE_ENDED' | 'RULES_CHANGED' | 'PLANS_CHANGED';

/** An entry of a user's limit history with a unit. Those that change the status are told to others, each once. */
export type LimitTransition = {
  /** Follows from tenant, user, unit and ordinal: whoever hears it twice can tell. */
  readonly transitionId: string;
  /** Counts the history of this user and unit from 0. Acts that change nothing are counted and not told, so numbers may be missing. */
  readonly ordinal: number;
  readonly user: string;
  readonly unit: string;
  /** Whose counter decided; null under the default rule. */
  readonly subscriptionId: string | null;
  readonly from: LimitStatus;
  readonly to: LimitStatus;
  readonly cause: LimitCause;
  readonly current: Decimal;
  /** Null: no rule limits the user any more, or a state was set by hand without one. */
  readonly limit: Decimal | null;
  /** Version of the unit's rules that was judged by. */
  readonly ruleVersion: number;
  /** Business time of the change: the arrival of the record, the end of the window, the act. */
  readonly at: Instant;
  /** When a limited user is released by time alone; null: only by other usage, or by hand. */
  readonly resetAt: Instant | null;
  /** The event behind it, and the record within; of a window that ended: the event that noticed it. */
  readonly behind: { readonly stream: string; readonly revision: string; readonly index: number | null };
  /** Who set it by hand, and why; null: nobody did. */
  readonly actor: string | null;
  readonly reason: string | null;
};
