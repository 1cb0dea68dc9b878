import type { Publication } from '@billstream/event-sourcing';
import { accountChangesSchema } from './account/account-changes';
import { bundleSchema, timelineNames } from './bundle/bundle.schema';

/** Others hear of timelines alone, each change of one with all of it, and of the end of a change of several bundles. */
export const publication: Publication = (recorded) => {
  if (timelineNames.includes(recorded.type)) {
    const event = bundleSchema.decode(recorded);
    return event?.type === 'BillingTimelineChanged'
      ? [{ type: 'subscriptions.billing-changed.v1', key: event.data.accountId, data: event.data }]
      : [];
  }
  if (recorded.type !== accountChangesSchema.names.AccountChangeEnded) return [];
  const event = accountChangesSchema.decode(recorded);
  if (event?.type !== 'AccountChangeEnded') return [];
  const { accountId, changeId } = event.data;
  return [{ type: 'subscriptions.account-change-ended.v1', key: accountId, data: { accountId, changeId } }];
};
