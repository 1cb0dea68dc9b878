import type { ClosedUsage } from '@billstream/metering-contracts';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** Quantities fixed for an invoice. What was closed once stays so: asking again gives the same answer. */
export type UsageClosedEvent = {
  readonly type: 'UsageClosed';
  readonly data: {
    readonly requestId: string;
    readonly accountId: string;
    readonly subscriptionId: string;
    readonly usages: readonly ClosedUsage[];
  };
};

export const usageClosingStream = (subscriptionId: string): string => `usageClosing-${subscriptionId}`;

export const usageClosing: Decider<
  UsageClosedEvent['data'],
  UsageClosedEvent,
  { readonly requests: readonly string[] },
  never
> = {
  initial: { requests: [] },
  decide: (data, { requests }) =>
    requests.includes(data.requestId) ? accept() : accept<UsageClosedEvent>({ type: 'UsageClosed', data }),
  evolve: ({ requests }, { data }) => ({ requests: [...requests, data.requestId] }),
};

export const usageClosingSchema = defineSchema<UsageClosedEvent>({ UsageClosed: 'usage-closing.closed.v1' });
