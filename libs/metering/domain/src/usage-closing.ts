import type { ClosedUsage, LateUsage } from '@billstream/metering-contracts';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** What was asked for with the quantities; absent in events from before it was recorded. */
export type AskedFor = { readonly user: string; readonly planName: string; readonly timeZone: string };

/** Quantities fixed for an invoice. What was closed once stays so: asking again gives the same answer. */
export type UsageClosedEvent = {
  readonly type: 'UsageClosed';
  readonly data: {
    readonly requestId: string;
    readonly accountId: string;
    readonly subscriptionId: string;
    readonly usages: readonly ClosedUsage[];
    readonly asked?: AskedFor;
  };
};

export type UsageClosingEvent =
  | UsageClosedEvent
  /** Usage of a closed period came, was corrected or taken back since, and the period was counted again. */
  | { readonly type: 'LateUsageCounted'; readonly data: LateUsage };

export const usageClosingStream = (subscriptionId: string): string => `usageClosing-${subscriptionId}`;

export const usageClosing: Decider<
  UsageClosingEvent,
  UsageClosingEvent,
  { readonly requests: readonly string[] },
  never
> = {
  initial: { requests: [] },
  decide: (event, { requests }) =>
    event.type === 'UsageClosed' && requests.includes(event.data.requestId) ? accept() : accept(event),
  evolve: (state, event) =>
    event.type === 'UsageClosed' ? { requests: [...state.requests, event.data.requestId] } : state,
};

export const usageClosingSchema = defineSchema<UsageClosingEvent>({
  UsageClosed: 'usage-closing.closed.v1',
  LateUsageCounted: 'usage-closing.late-counted.v1',
});
