import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import { type Instant, derivedId } from '@billstream/kernel';
import {
  type Bundle,
  type BundleEvent,
  type BundleState,
  type Subscription,
  baseOf,
  evolve,
  subscriptionOf,
} from './bundle';
import type { BundleCommand, BundleRejection } from './bundle.commands';
import { cancelSubscription, undoCancellation } from './cancel-subscription';
import { changePlan } from './change-plan';
import { hasEnded, isLive } from './lifetime';
import { followCatalog, followWith } from './newer-versions';
import { pendingChange } from './plan-state';
import { startSubscriptions } from './start-subscriptions';
import { timelineOf } from './timeline';

type Outcome = Decision<BundleEvent, BundleRejection>;
type Command<Type extends BundleCommand['type']> = Extract<BundleCommand, { readonly type: Type }>['data'];
type AboutOne =
  'ChangePlan' | 'CancelSubscription' | 'UndoCancellation' | 'UndoPlanChange' | 'ChangeBillCycleDay' | 'ChangeQuantity';

const undoPlanChange = (subscription: Subscription, now: Instant): Outcome => {
  const pending = pendingChange(subscription, now);
  const { subscriptionId } = subscription;
  if (pending === null)
    return reject({ code: 'no-change-pending', detail: `Subscription ${subscriptionId} has no plan change pending` });
  return accept<BundleEvent>({ type: 'PlanChangeUndone', data: { subscriptionId, stepId: pending.stepId } });
};

const dateRefusal = (
  bundle: Bundle,
  subscription: Subscription,
  effectiveAt: Instant,
  now: Instant,
): BundleRejection | null => {
  if (hasEnded(bundle, subscription, now))
    return { code: 'change-not-active', detail: `Subscription ${subscription.subscriptionId} has ended` };
  if (effectiveAt < subscription.billingAt)
    return {
      code: 'requested-date-invalid',
      detail: `The effective date ${effectiveAt} is before the start of billing ${subscription.billingAt}`,
    };
  return null;
};

const changeBillCycleDay = (
  bundle: Bundle,
  subscription: Subscription,
  command: Command<'ChangeBillCycleDay'>,
): Outcome => {
  const { changeId, effectiveAt, billCycleDayLocal, now } = command;
  const refusal = dateRefusal(bundle, subscription, effectiveAt, now);
  if (refusal !== null) return reject(refusal);
  return accept<BundleEvent>({
    type: 'BillCycleDayChanged',
    data: { subscriptionId: subscription.subscriptionId, changeId, effectiveAt, billCycleDayLocal },
  });
};

const changeQuantity = (bundle: Bundle, subscription: Subscription, command: Command<'ChangeQuantity'>): Outcome => {
  const { changeId, effectiveAt, quantity, now } = command;
  const refusal = dateRefusal(bundle, subscription, effectiveAt, now);
  if (refusal !== null) return reject(refusal);
  return accept<BundleEvent>({
    type: 'QuantityChanged',
    data: { subscriptionId: subscription.subscriptionId, changeId, effectiveAt, quantity },
  });
};

const decideOne = (
  bundle: Bundle,
  subscription: Subscription,
  command: Extract<BundleCommand, { readonly type: AboutOne }>,
): Outcome => {
  switch (command.type) {
    case 'ChangePlan':
      return changePlan(bundle, subscription, command.data);
    case 'CancelSubscription':
      return cancelSubscription(bundle, subscription, command.data);
    case 'UndoCancellation':
      return undoCancellation(bundle, subscription, command.data.now);
    case 'UndoPlanChange':
      return undoPlanChange(subscription, command.data.now);
    case 'ChangeBillCycleDay':
      return changeBillCycleDay(bundle, subscription, command.data);
    case 'ChangeQuantity':
      return changeQuantity(bundle, subscription, command.data);
  }
};

const recordChargedThrough = (bundle: Bundle, { subscriptions }: Command<'RecordChargedThrough'>): Outcome => ({
  events: subscriptions
    .filter(({ subscriptionId, chargedThroughDate }) => {
      const known = subscriptionOf(bundle, subscriptionId);
      return known !== null && known.chargedThroughDate !== chargedThroughDate;
    })
    .map((data) => ({ type: 'ChargedThroughRecorded', data })),
});

/** A state that repeats the name of the one before it is dropped, whatever its flags (Kill Bill's DefaultBlockingStateDao). */
const setBlockingState = (bundle: Bundle, { state }: Command<'SetBlockingState'>): Outcome => {
  if (state.type === 'SUBSCRIPTION' && subscriptionOf(bundle, state.blockedId) === null)
    return reject({ code: 'subscription-unknown', detail: `No subscription ${state.blockedId}` });
  const before = bundle.blockingStates.findLast(
    ({ service, blockedId, effectiveAt }) =>
      service === state.service && blockedId === state.blockedId && effectiveAt <= state.effectiveAt,
  );
  return before?.stateName === state.stateName
    ? accept()
    : accept<BundleEvent>({ type: 'BlockingStateSet', data: state });
};

const renamed = (bundle: Bundle, externalKey: string): Outcome =>
  bundle.externalKey === externalKey
    ? accept()
    : accept<BundleEvent>({ type: 'BundleKeyRenamed', data: { externalKey } });

const giveUpKey = (bundle: Bundle, { now, externalKey, renamedTo }: Command<'GiveUpKey'>): Outcome => {
  if (bundle.externalKey !== externalKey) return accept();
  if (isLive(bundle, now))
    return reject({
      code: 'bundle-live',
      detail: `Bundle ${bundle.bundleId} is live, so its key ${externalKey} is taken`,
    });
  return renamed(bundle, renamedTo);
};

const decideIn = (
  bundle: Bundle,
  command: Exclude<BundleCommand, { readonly type: 'StartSubscriptions' }>,
): Outcome => {
  switch (command.type) {
    case 'RecordChargedThrough':
      return recordChargedThrough(bundle, command.data);
    case 'SetBlockingState':
      return setBlockingState(bundle, command.data);
    case 'FollowCatalog':
      return { events: followCatalog(bundle, command.data) };
    case 'ReachTransitions':
      return accept();
    case 'RenameKey':
      return renamed(bundle, command.data.externalKey);
    case 'GiveUpKey':
      return giveUpKey(bundle, command.data);
    case 'ChangePlan':
    case 'CancelSubscription':
    case 'UndoCancellation':
    case 'UndoPlanChange':
    case 'ChangeBillCycleDay':
    case 'ChangeQuantity': {
      const { subscriptionId } = command.data;
      const subscription = subscriptionOf(bundle, subscriptionId);
      if (subscription === null)
        return reject({ code: 'subscription-unknown', detail: `No subscription ${subscriptionId}` });
      return decideOne(bundle, subscription, command);
    }
  }
};

const publicTimeline = (
  bundle: Bundle,
  subscription: Subscription,
): Extract<BundleEvent, { readonly type: 'BillingTimelineChanged' }>['data'] => ({
  accountId: bundle.accountId,
  bundleId: bundle.bundleId,
  bundleExternalKey: bundle.externalKey,
  subscriptionId: subscription.subscriptionId,
  externalKey: subscription.externalKey,
  productCategory: subscription.productCategory,
  transitions: timelineOf(bundle, subscription),
  firstBillableAt: subscription.firstBillableAt,
  bundleFirstBillableAt: baseOf(bundle)?.firstBillableAt ?? subscription.firstBillableAt,
});

const timelinesOf = (bundle: BundleState): ReadonlyMap<string, ReturnType<typeof publicTimeline>> =>
  new Map(bundle === null ? [] : bundle.subscriptions.map((one) => [one.subscriptionId, publicTimeline(bundle, one)]));

/** Whatever was decided, the timelines that it changed follow in the same append: others need nothing else. */
const changedTimelines = (before: BundleState, after: BundleState): readonly BundleEvent[] => {
  const known = timelinesOf(before);
  return [...timelinesOf(after)]
    .filter(([id, timeline]) => JSON.stringify(known.get(id)) !== JSON.stringify(timeline))
    .map(([, data]) => ({ type: 'BillingTimelineChanged', data }));
};

const reachedBy = (after: BundleState, now: Instant): readonly BundleEvent[] =>
  (after?.subscriptions ?? []).flatMap((subscription) =>
    (after === null ? [] : timelineOf(after, subscription))
      .filter(({ transitionId, effectiveAt }) => effectiveAt <= now && !subscription.reached.includes(transitionId))
      .map(({ transitionId, kind, effectiveAt, phase }): BundleEvent => ({
        type: 'TransitionReached',
        data: {
          subscriptionId: subscription.subscriptionId,
          transitionId,
          kind,
          effectiveAt,
          phaseName: phase?.phaseName ?? null,
        },
      })),
  );

const decideAny = (command: BundleCommand, state: BundleState): Outcome => {
  if (command.type === 'StartSubscriptions') return startSubscriptions(state, command.data);
  return state === null ? reject({ code: 'bundle-unknown', detail: 'No such bundle' }) : decideIn(state, command);
};

/** A plan that was chosen from a catalog knows of the versions that are to come from its first day on. */
const withNewerVersions = (
  command: BundleCommand,
  state: BundleState,
  events: readonly BundleEvent[],
): readonly BundleEvent[] => {
  if (command.type !== 'StartSubscriptions' && command.type !== 'ChangePlan') return events;
  const after = events.reduce(evolve, state);
  return after === null ? events : [...events, ...followWith(after, events, command.data)];
};

const decide = (command: BundleCommand, state: BundleState): Outcome => {
  const outcome = decideAny(command, state);
  if ('rejected' in outcome) return outcome;
  const events = withNewerVersions(command, state, outcome.events);
  const after = events.reduce(evolve, state);
  return { events: [...events, ...changedTimelines(state, after), ...reachedBy(after, command.data.now)] };
};

export const bundleDecider: Decider<BundleCommand, BundleEvent, BundleState, BundleRejection> = {
  initial: null,
  decide,
  evolve,
};

export type Planned = {
  readonly dueAt: Instant;
  /** Names the points that are due then; others planned for the same instant later get another. */ readonly token: string;
};

/** The next planned point of a bundle that has not been noted; null when nothing is planned. */
export const nextPlanned = (bundle: Bundle): Planned | null => {
  const ahead = bundle.subscriptions.flatMap((one) =>
    timelineOf(bundle, one).filter(({ transitionId }) => !one.reached.includes(transitionId)),
  );
  const dueAt = ahead.reduce<Instant | null>(
    (first, { effectiveAt }) => (first === null || effectiveAt < first ? effectiveAt : first),
    null,
  );
  if (dueAt === null) return null;
  const due = ahead.filter(({ effectiveAt }) => effectiveAt === dueAt);
  return { dueAt, token: derivedId(...due.map(({ transitionId }) => transitionId)) };
};
