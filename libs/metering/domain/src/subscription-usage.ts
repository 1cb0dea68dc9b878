import type { Decimal } from '@billstream/kernel';
import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';

/** Usage that was counted elsewhere and is reported for a subscription as it stands (Kill Bill's `/usages`). */
export type ReportedUsage = { readonly unit: string; readonly atMs: number; readonly amount: Decimal };

export type SubscriptionUsageEvent = {
  readonly type: 'UsageReported';
  readonly data: {
    readonly subscriptionId: string;
    readonly trackingId: string;
    readonly records: readonly ReportedUsage[];
  };
};

export type SubscriptionUsageRejection = { readonly code: 'tracking-id-used'; readonly trackingId: string };

export const subscriptionUsageStream = (subscriptionId: string): string => `subscriptionUsage-${subscriptionId}`;

type State = { readonly used: readonly ReadonlySet<string>[] };

/** Sets of a bounded size, so that remembering one more id does not copy all of them. */
const setSizeMax = 256;

const remembered = ({ used }: State, trackingId: string): State => {
  const last = used.at(-1);
  return last !== undefined && last.size < setSizeMax
    ? { used: [...used.slice(0, -1), new Set([...last, trackingId])] }
    : { used: [...used, new Set([trackingId])] };
};

/** A tracking id names one report of a subscription for ever; its second use is refused, not answered alike (Kill Bill 3.2). */
export const subscriptionUsage: Decider<
  SubscriptionUsageEvent['data'],
  SubscriptionUsageEvent,
  State,
  SubscriptionUsageRejection
> = {
  initial: { used: [] },
  decide: (data, { used }) =>
    used.some((ids) => ids.has(data.trackingId))
      ? reject({ code: 'tracking-id-used', trackingId: data.trackingId })
      : accept<SubscriptionUsageEvent>({ type: 'UsageReported', data }),
  evolve: (state, { data }) => remembered(state, data.trackingId),
};

export const subscriptionUsageSchema = defineSchema<SubscriptionUsageEvent>({
  UsageReported: 'subscription-usage.reported.v1',
});
