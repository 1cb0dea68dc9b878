import type { ClosedUsage, LimitTransition } from '@billstream/metering-contracts';
import type { Publication } from '@billstream/event-sourcing';
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

/** What others hear of metering: closed usage, in order per account; limits, in order per user. */
export const meteringPublication: Publication = ({ type, data }) => {
  if (type === usageClosingSchema.names.UsageClosed)
    return [{ type: 'metering.usage-closed.v1', key: (data as UsageClosedEvent['data']).accountId, data }];
  if (type === 'usage-limit.reached.v1' || type === 'usage-limit.released.v1')
    return [{ type: type.replace('usage-limit.', 'metering.limit-'), key: (data as LimitTransition).user, data }];
  return [];
};
