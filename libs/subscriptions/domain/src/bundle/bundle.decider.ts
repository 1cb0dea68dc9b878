import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import { type Instant, derivedId } from '@billstream/kernel';
import { type Bundle, type BundleEvent, type BundleState, type Subscription, evolve, subscriptionOf } from './bundle';
import type { BundleCommand, BundleRejection } from './bundle.commands';
import { cancelSubscription, undoCancellation } from './cancel-subscription';
import { changeBillCycleDay } from './change-bill-cycle-day';
import { changePlan } from './change-plan';
import { changeQuantity } from './change-quantity';
import { changedTimelines } from './changed-timelines';
import { isLive } from './lifetime';
import { followCatalog, followWith } from './newer-versions';
import { pendingChange } from './plan-state';
import { setBlockingState } from './set-blocking-state';
import { startSubscriptions } from './start-subscriptions';
import { timelineOf } from './timeline';
import { handOverBundle, receiveBundle } from './transfer-bundle';

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
  command: Exclude<BundleCommand, { readonly type: 'StartSubscriptions' | 'ReceiveBundle' | 'FollowCatalog' }>,
): Outcome => {
  switch (command.type) {
    case 'RecordChargedThrough':
      return recordChargedThrough(bundle, command.data);
    case 'SetBlockingState':
      return setBlockingState(bundle, command.data.state);
    case 'HandOverBundle':
      return handOverBundle(bundle, command.data);
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
  if (command.type === 'ReceiveBundle') return state === null ? receiveBundle(command.data) : accept();
  if (state === null) return reject({ code: 'bundle-unknown', detail: 'No such bundle' });
  return command.type === 'FollowCatalog' ? { events: followCatalog(state, command.data) } : decideIn(state, command);
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
  const isFollowed = 'isFollowed' in command.data;
  return {
    events: [...events, ...changedTimelines(state, after, isFollowed), ...reachedBy(after, command.data.now)],
  };
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
