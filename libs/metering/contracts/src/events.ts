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
  | { readonly type: 'metering.limit-reached.v1' | 'metering.limit-released.v1'; readonly data: LimitTransition };

export type LimitTransition = {
  readonly user: string;
  readonly unit: string;
  readonly subscriptionId: string | null;
  readonly current: Decimal;
  readonly limit: Decimal;
  readonly reason: string;
};
