import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import { type Instant, derivedId } from '@billstream/kernel';
import type { SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import type { NotificationBody } from './push-notification';
import type { PlannedNews } from './subscription-news';

type HeardState = Extract<SubscriptionsEvent, { readonly type: 'subscriptions.blocking-state-set.v1' }>['data'];

/** What is blocked of an account, and what its tenant's callback is told of it: now, or when it takes effect. */
export type BlockingNewsEvent = {
  readonly type: 'BlockingStateRecorded';
  readonly data: HeardState & { readonly news: readonly NotificationBody[]; readonly planned: readonly PlannedNews[] };
};

export type RecordBlockingState = {
  readonly type: 'RecordBlockingState';
  readonly data: HeardState & { readonly now: Instant };
};

/** States of an account, its bundles and subscriptions, in the order in which they were set. */
export type BlockingNewsState = readonly HeardState[];

const objectTypes = { ACCOUNT: 'ACCOUNT', SUBSCRIPTION_BUNDLE: 'BUNDLE', SUBSCRIPTION: 'SUBSCRIPTION' } as const;

/** What pausing and resuming a bundle sets; Kill Bill tells them by names of their own and without metadata (0.24). */
const pausing: Readonly<Record<string, string>> = { ENT_BLOCKED: 'BUNDLE_PAUSE', ENT_CLEAR: 'BUNDLE_RESUME' };

type Blocked = { readonly billing: boolean; readonly entitlement: boolean };

/** Whether anything blocks an object at an instant: a state on itself, on its bundle, or on its account. */
const blockedAt = (states: BlockingNewsState, of: HeardState): Blocked => {
  const above = new Set([of.blockedId, of.bundleId, of.accountId]);
  const newest = new Map<string, HeardState>();
  for (const state of states.toSorted((a, b) => (a.effectiveAt < b.effectiveAt ? -1 : 1)))
    if (state.effectiveAt <= of.effectiveAt && above.has(state.blockedId))
      newest.set(`${state.blockedId}/${state.service}`, state);
  const all = [...newest.values()];
  return {
    billing: all.some(({ blockBilling }) => blockBilling),
    entitlement: all.some(({ blockEntitlement }) => blockEntitlement),
  };
};

/** Kill Bill's BlockingStateMetadata (0.24), as it goes over the wire. */
const metaDataOf = (state: HeardState, [before, after]: readonly [Blocked, Blocked]): string =>
  JSON.stringify({
    blockableId: state.blockedId,
    service: state.service,
    stateName: state.stateName,
    blockingType: state.type,
    effectiveDate: state.effectiveAt,
    transitionedToBlockedBilling: !before.billing && after.billing,
    transitionedToUnblockedBilling: before.billing && !after.billing,
    transitionedToBlockedEntitlement: !before.entitlement && after.entitlement,
    transitionedToUnblockedEntitlement: before.entitlement && !after.entitlement,
  });

const newsOf = (known: BlockingNewsState, state: HeardState): NotificationBody => {
  const { accountId, type, blockedId, service, stateName } = state;
  const of = { accountId, objectType: objectTypes[type], objectId: blockedId };
  const eventType = service === 'entitlement-service' ? pausing[stateName] : undefined;
  if (eventType !== undefined) return { eventType, ...of, metaData: null };
  const change = [blockedAt(known, state), blockedAt([...known, state], state)] as const;
  return { eventType: 'BLOCKING_STATE', ...of, metaData: metaDataOf(state, change) };
};

/** One stream an account. A state that is told again is known by its id. */
export const blockingNews: Decider<RecordBlockingState, BlockingNewsEvent, BlockingNewsState, never> = {
  initial: [],
  decide: ({ data }, known) => {
    const { now, ...state } = data;
    if (known.some(({ blockingId }) => blockingId === state.blockingId)) return accept();
    const body = newsOf(known, state);
    const { effectiveAt, blockingId } = state;
    const later = [{ notificationId: derivedId('blocking-news', blockingId), effectiveAt, body }];
    const told = effectiveAt > now ? { news: [], planned: later } : { news: [body], planned: [] };
    return accept({ type: 'BlockingStateRecorded', data: { ...state, ...told } });
  },
  // Also what it was told with; nobody looks at that.
  evolve: (known, { data }) => [...known, data],
};

export const blockingNewsSchema = defineSchema<BlockingNewsEvent>({
  BlockingStateRecorded: 'blockingNews.state-recorded.v1',
});
