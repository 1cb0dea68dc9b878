import type { ClosedUsage, LateUsage } from '@billstream/metering-contracts';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { CountingMethod, Rule } from './rule';

/** What was asked for with the quantities; absent in events from before it was recorded. */
export type AskedFor = { readonly user: string; readonly planName: string; readonly timeZone: string };

/** A stretch of a closed period that one rule counted, with the rule as it stood: versions and plans may be dated back later. */
export type CountedStretch = {
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly version: number;
  readonly method: CountingMethod;
  readonly rule: Rule;
};

/** What a quantity was made of: a user's records in these stretches, and what was reported for the subscription in a span. */
export type UsageBasis = {
  readonly stretches: readonly CountedStretch[];
  readonly reported: { readonly fromAt: Instant; readonly toAt: Instant } | null;
};

/** Quantities fixed for an invoice. What was closed once stays so: asking again gives the same answer. */
export type UsageClosedEvent = {
  readonly type: 'UsageClosed';
  readonly data: {
    readonly requestId: string;
    readonly accountId: string;
    readonly subscriptionId: string;
    readonly usages: readonly ClosedUsage[];
    readonly asked?: AskedFor;
    /** What each of the usages was made of, in their order; absent in events from before it was recorded. */
    readonly bases?: readonly UsageBasis[];
  };
};

export type UsageClosingEvent =
  | UsageClosedEvent
  /** Usage of a closed period came, was corrected or taken back since, and the period was counted again. */
  | { readonly type: 'LateUsageCounted'; readonly data: LateUsage };

export const usageClosingStream = (subscriptionId: string): string => `usageClosing-${subscriptionId}`;

/** Bytes that the names of reports may take in an answer: it has to fit into one event, here and where it is heard. */
const trackingIdBytesMax = 500_000;

/** Quantities with the names of as many reports as fit, first come first named; the others are counted all the same. */
const namingWhatFits = (usages: readonly ClosedUsage[]): readonly ClosedUsage[] => {
  let left = trackingIdBytesMax;
  return usages.map((one) => {
    if (one.trackingIds === undefined) return one;
    const trackingIds = one.trackingIds.filter((id) => (left -= Buffer.byteLength(JSON.stringify(id)) + 1) >= 0);
    return { ...one, trackingIds };
  });
};

/**
 * So many of the newest requests of a subscription are kept by name; each asks for the usage of a run. Who repeats an older
 * one is recognised by the id of its command, which follows from the request.
 */
export const closingRequestsMax = 500;

export const usageClosing: Decider<
  UsageClosingEvent,
  UsageClosingEvent,
  { readonly requests: readonly string[] },
  never
> = {
  initial: { requests: [] },
  decide: (event, { requests }) => {
    if (event.type !== 'UsageClosed') return accept(event);
    const { requestId, usages } = event.data;
    if (requests.includes(requestId)) return accept();
    return accept({ ...event, data: { ...event.data, usages: namingWhatFits(usages) } });
  },
  evolve: (state, event) =>
    event.type === 'UsageClosed'
      ? { requests: [...state.requests.slice(1 - closingRequestsMax), event.data.requestId] }
      : state,
};

export const usageClosingSchema = defineSchema<UsageClosingEvent>({
  UsageClosed: 'usage-closing.closed.v1',
  LateUsageCounted: 'usage-closing.late-counted.v1',
});
