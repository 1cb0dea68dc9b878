import { type LimitState, untouched } from '@billstream/metering-domain';
import type { LimitRecord } from './limit-tables';

/** What is counted of a user and unit, and what somebody set by hand. */
export type LimitCounters = {
  /** By subscription id; '' is none. */
  readonly counters: Readonly<Record<string, LimitState>>;
  readonly override: LimitState['override'];
};

/**
 * What the read model tells of a batch. Limits are text, because only those that somebody keeps are looked at, and others
 * of the same batch are not worth their parsing.
 */
export type MovedLimits = {
  /** By series: `LimitCounters` as JSON, as they are after the batch. */
  readonly limits: ReadonlyMap<string, string>;
  /** Of these anything that decides a limit may be another now: rules, plans, counters. */
  readonly tenantIds: readonly string[];
};

export const movedLimitsOf = (records: readonly LimitRecord[], tenantIds: ReadonlySet<string>): MovedLimits => ({
  limits: new Map(
    records.map(({ series, counters, standing: { override } }) => {
      const limit: LimitCounters = { counters: Object.fromEntries(counters), override };
      return [series, JSON.stringify(limit)];
    }),
  ),
  tenantIds: [...tenantIds],
});

export const parseMovedLimit = (json: string): LimitCounters => JSON.parse(json) as LimitCounters;

/** Where a user stands under a subscription; null is none. `untouched` when nothing was counted yet. */
export const stateUnder = ({ counters, override }: LimitCounters, subscriptionId: string | null): LimitState => ({
  ...(counters[subscriptionId ?? ''] ?? untouched),
  override,
});
