import { type Decision, accept, reject } from '@billstream/event-sourcing';
import { type Instant, dayOfMonth, derivedId, instantOf, isZero, localDateOf } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import type { PlannedPhase } from '../catalog/plan-aligner';
import { blockingAt } from './blocking';
import type { Bundle, BundleEvent, PlanStep, StartedSubscription, Subscription } from './bundle';
import type { BundleRejection, HandOverBundle, ReceiveBundle } from './bundle.commands';
import { repricedPhase } from './choose-plan';
import { entitlementEnd } from './lifetime';
import { newerFor } from './newer-versions';
import { quantityAt } from './plan-state';
import { unknownStates } from './set-blocking-state';

type Outcome = Decision<BundleEvent, BundleRejection>;

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

const handOverId = (transferId: string, { subscriptionId }: Subscription): string =>
  derivedId(transferId, 'handed-over', subscriptionId);

/** Whether this transfer has ended the subscription. */
export const isHandedOverBy = (transferId: string, subscription: Subscription): boolean =>
  subscription.cancellation?.cancellationId === handOverId(transferId, subscription);

/** Those that still live at the transfer; what ended before stays where it was. */
const living = (bundle: Bundle, at: Instant): readonly Subscription[] =>
  bundle.subscriptions.filter((one) => {
    const end = entitlementEnd(bundle, one);
    return end === null || end.at > at;
  });

const handOverRefusal = (bundle: Bundle, { effectiveAt, now }: HandOverBundle): BundleRejection | null => {
  const { bundleId } = bundle;
  const leaving = living(bundle, effectiveAt);
  if (leaving.length === 0)
    return {
      code: 'nothing-to-transfer',
      detail: `Bundle ${bundleId} has no subscription that lives on ${effectiveAt}`,
    };
  const blocked = leaving
    .flatMap(({ subscriptionId }) => blockingAt(bundle, subscriptionId, now))
    .find(({ blockChange }) => blockChange);
  return blocked === undefined
    ? null
    : {
        code: 'change-blocked',
        detail: `Bundle ${bundleId} is blocked for changes by ${blocked.service} (${blocked.stateName})`,
      };
};

/**
 * Entitlement ends at the transfer; billing too, or where the old account has paid up to (Kill Bill 2.8). What has not
 * begun by then ends where it would have begun, and begins there in the other account.
 */
export const handOverBundle = (bundle: Bundle, command: HandOverBundle): Outcome => {
  const refusal = handOverRefusal(bundle, command);
  if (refusal !== null) return reject(refusal);
  const { transferId, effectiveAt, billing, now } = command;
  const events = living(bundle, effectiveAt).map((one): BundleEvent => {
    const chargedThrough = one.chargedThroughDate === null ? null : instantOf(one.chargedThroughDate, bundle.time);
    const entitlementAt = later(effectiveAt, one.entitlementAt);
    const from = later(effectiveAt, one.billingAt);
    const billingAt = billing === 'END_OF_TERM' && chargedThrough !== null ? later(from, chargedThrough) : from;
    return {
      type: entitlementAt > now || billingAt > now ? 'CancellationScheduled' : 'SubscriptionCancelled',
      data: {
        subscriptionId: one.subscriptionId,
        cancellationId: handOverId(transferId, one),
        entitlementAt,
        billingAt,
        handedOver: true,
      },
    };
  });
  return { events };
};

/** The source as if it had not been handed over: what was pending then is what goes on elsewhere. */
const beforeHandOver = ({ source, transferId }: ReceiveBundle): Bundle => ({
  ...source,
  subscriptions: source.subscriptions.map((one) =>
    isHandedOverBy(transferId, one) ? { ...one, cancellation: null } : one,
  ),
});

/** The id under which a subscription goes on. */
export const transferredId = (transferId: string, subscriptionId: string): string =>
  derivedId(transferId, 'received', subscriptionId);

const costs = ({ duration, recurring }: ResolvedPhase): boolean =>
  duration === null || (recurring !== null && !isZero(recurring.price));

const firstBillable = (phases: readonly PlannedPhase[], startAt: Instant): Instant =>
  later(startAt, phases.find(({ phase }) => costs(phase))?.startsAt ?? startAt);

const pricedHere = (step: PlanStep, { repricedFrom, account }: ReceiveBundle): PlanStep => {
  const priced = (phase: ResolvedPhase): ResolvedPhase =>
    (repricedFrom === null ? null : repricedPhase(repricedFrom, phase, account)) ?? phase;
  return {
    ...step,
    phases: step.phases.map(({ startsAt, phase }) => ({ startsAt, phase: priced(phase) })),
    ...(step.newer === undefined ? {} : { newer: newerFor(account, step.newer, priced) }),
  };
};

/** The phases from the one in force on; they keep their dates, so nobody gets a second trial. */
const goingOn = (step: PlanStep, stepId: string, startAt: Instant): PlanStep => {
  const current = step.phases.findLastIndex(({ startsAt }) => startsAt <= startAt);
  return {
    stepId,
    kind: 'START',
    effectiveAt: startAt,
    endsAddOns: [],
    phases: step.phases.slice(Math.max(0, current)),
    expiresAt: step.expiresAt,
    ...(step.priceOverrides === undefined ? {} : { priceOverrides: step.priceOverrides }),
    ...(step.newer === undefined ? {} : { newer: step.newer }),
  };
};

const dayFrom = (subscription: Subscription, startAt: Instant, command: ReceiveBundle): number | null => {
  switch (command.billCycleDay) {
    case 'NONE':
      return null;
    case 'USE_EXISTING':
      return subscription.dayChanges.findLast(({ effectiveAt }) => effectiveAt <= startAt)?.billCycleDayLocal ?? null;
    case 'ALIGN_WITH_EFF_DT':
      return dayOfMonth(localDateOf(startAt, command.account.time));
  }
};

const startedFrom = (subscription: Subscription, startAt: Instant, command: ReceiveBundle): StartedSubscription => {
  const { transferId, externalKeys, effectiveAt } = command;
  const subscriptionId = transferredId(transferId, subscription.subscriptionId);
  const current =
    subscription.steps.findLast((step) => step.kind === 'START' || step.effectiveAt <= startAt) ??
    subscription.steps[0];
  if (current === undefined) throw new RangeError(`subscription ${subscription.subscriptionId} has no plan`);
  const step = goingOn(pricedHere(current, command), subscriptionId, startAt);
  return {
    subscriptionId,
    externalKey: externalKeys[subscription.subscriptionId] ?? subscriptionId,
    productCategory: subscription.productCategory,
    sourceType: 'TRANSFERRED',
    entitlementAt: later(effectiveAt, subscription.entitlementAt),
    billingAt: startAt,
    alignedAt: subscription.alignedAt,
    firstBillableAt: firstBillable(step.phases, startAt),
    quantity: quantityAt(subscription, startAt),
    billCycleDayLocal: dayFrom(subscription, startAt, command),
    step,
  };
};

/** What was planned for later stays planned. */
const plannedFrom = (subscription: Subscription, startAt: Instant, command: ReceiveBundle): readonly BundleEvent[] => {
  const { transferId, now, billCycleDay } = command;
  const idOf = (id: string): string => transferredId(transferId, id);
  const subscriptionId = idOf(subscription.subscriptionId);
  const isLater = ({ effectiveAt }: { readonly effectiveAt: Instant }): boolean => effectiveAt > startAt;
  return [
    ...subscription.steps
      .filter((step) => step.kind === 'CHANGE' && isLater(step))
      .map((step): BundleEvent => {
        const priced = pricedHere(step, command);
        const moved = { ...priced, stepId: idOf(step.stepId), endsAddOns: step.endsAddOns.map(idOf) };
        return {
          type: 'PlanChangeScheduled',
          data: { subscriptionId, step: moved, decidedAt: now, billCycleDayLocal: null },
        };
      }),
    ...subscription.quantityChanges.filter(isLater).map(({ changeId, ...change }): BundleEvent => ({
      type: 'QuantityChanged',
      data: { subscriptionId, changeId: idOf(changeId), ...change },
    })),
    ...(billCycleDay === 'USE_EXISTING' ? subscription.dayChanges : [])
      .filter(isLater)
      .map(({ changeId, ...change }): BundleEvent => ({
        type: 'BillCycleDayChanged',
        data: { subscriptionId, changeId: idOf(changeId), ...change },
      })),
  ];
};

/**
 * A new bundle with the same external key goes on with each subscription that lived (Kill Bill 2.8): phases keep the
 * alignment they had, so a trial is not granted again; plans, quantities and what is planned are kept, pending
 * cancellations are not.
 */
export const receiveBundle = (command: ReceiveBundle): Outcome => {
  const { bundleId, account, accountStates, effectiveAt } = command;
  const source = beforeHandOver(command);
  const moved = living(source, effectiveAt).flatMap((subscription): readonly BundleEvent[] => {
    const startAt = later(effectiveAt, subscription.billingAt);
    return [
      { type: 'SubscriptionStarted', data: startedFrom(subscription, startAt, command) },
      ...plannedFrom(subscription, startAt, command),
    ];
  });
  return accept<BundleEvent>(
    {
      type: 'BundleCreated',
      data: { bundleId, accountId: account.accountId, externalKey: source.externalKey, time: account.time },
    },
    ...unknownStates([], accountStates),
    ...moved,
  );
};
