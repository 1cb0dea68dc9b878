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

export const usageClosing: Decider<
  UsageClosedEvent['data'],
  UsageClosedEvent,
  { readonly requests: readonly string[] },
  never
> = {
  initial: { requests: [] },
  decide: (data, { requests }) =>
    requests.includes(data.requestId)
      ? accept()
      : accept<UsageClosedEvent>({ type: 'UsageClosed', data: { ...data, usages: namingWhatFits(data.usages) } }),
  evolve: ({ requests }, { data }) => ({ requests: [...requests, data.requestId] }),
};

export const usageClosingSchema = defineSchema<UsageClosedEvent>({ UsageClosed: 'usage-closing.closed.v1' });
