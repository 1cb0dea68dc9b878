import type { Publication } from '@billstream/event-sourcing';
import { bundleSchema } from './bundle/bundle.schema';

/** Others hear of timelines alone: each change of one is an event that carries all of it. */
export const publication: Publication = (recorded) => {
  if (recorded.type !== bundleSchema.names.BillingTimelineChanged) return [];
  const event = bundleSchema.decode(recorded);
  return event?.type === 'BillingTimelineChanged'
    ? [{ type: 'subscriptions.billing-changed.v1', key: event.data.accountId, data: event.data }]
    : [];
};
