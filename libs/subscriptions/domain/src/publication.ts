import type { Publication, RecordedEvent } from '@billstream/event-sourcing';
import type { SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import { accountChangesSchema } from './account/account-changes';
import type { BlockingState } from './bundle/bundle';
import { bundleSchema, bundleStream, timelineNames } from './bundle/bundle.schema';

/**
 * Others hear of timelines, each change of one with all of it, of what is blocked, and of the end of a change of several
 * bundles.
 */
export const publication: Publication = (recorded) => {
  const heard = ofBundle(recorded) ?? ofAccountChange(recorded);
  return heard === null ? [] : [{ ...heard, key: heard.data.accountId }];
};

const ofBundle = (recorded: RecordedEvent): SubscriptionsEvent | null => {
  const isBlocking = recorded.type === bundleSchema.names.BlockingStateSet;
  if (!isBlocking && !timelineNames.includes(recorded.type)) return null;
  const event = bundleSchema.decode(recorded);
  if (event?.type === 'BillingTimelineChanged') return { type: 'subscriptions.billing-changed.v1', data: event.data };
  // A state of the account is told once, from the account's own stream.
  if (event?.type !== 'BlockingStateSet' || event.data.accountId === undefined) return null;
  const bundleId = recorded.stream.slice(bundleStream('').length);
  return blockingStateSet(event.data, { accountId: event.data.accountId, bundleId });
};

const ofAccountChange = (recorded: RecordedEvent): SubscriptionsEvent | null => {
  const event = accountChangesSchema.decode(recorded);
  if (event === null) return null;
  const { accountId, changeId } = event.data;
  if (event.type === 'AccountChangeEnded')
    return { type: 'subscriptions.account-change-ended.v1', data: { accountId, changeId } };
  const { change } = event.data;
  return change.kind === 'BLOCK' ? blockingStateSet(change.state, { accountId, bundleId: null }) : null;
};

const blockingStateSet = (
  { blockingId, type, blockedId, service, stateName, blockEntitlement, blockBilling, effectiveAt }: BlockingState,
  of: { readonly accountId: string; readonly bundleId: string | null },
): SubscriptionsEvent => ({
  type: 'subscriptions.blocking-state-set.v1',
  data: { ...of, blockingId, type, blockedId, service, stateName, blockEntitlement, blockBilling, effectiveAt },
});
