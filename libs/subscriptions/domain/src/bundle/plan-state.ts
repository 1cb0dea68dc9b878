import type { Instant } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { blockingAt } from './blocking';
import type { Bundle, PlanStep, Subscription } from './bundle';
import { billingEnd, entitlementEnd } from './lifetime';
import { plannedPhases } from './timeline';

export type SubscriptionStatus = 'PENDING' | 'ACTIVE' | 'BLOCKED' | 'CANCELLED' | 'EXPIRED';

/** The phase a subscription is in, whether charged or not; null before its start and from its end on. */
export const phaseAt = (bundle: Bundle, subscription: Subscription, at: Instant): ResolvedPhase | null =>
  plannedPhases(bundle, subscription).findLast(({ effectiveAt }) => effectiveAt <= at)?.phase ?? null;

/** When the phase in force began; null before the start. */
export const phaseStartedAt = (bundle: Bundle, subscription: Subscription, at: Instant): Instant | null =>
  plannedPhases(bundle, subscription).findLast(({ effectiveAt, isMove }) => !isMove && effectiveAt <= at)
    ?.effectiveAt ?? null;

/** A change of plan that has not begun yet. */
export const pendingChange = ({ steps }: Subscription, now: Instant): PlanStep | null =>
  steps.findLast(({ kind, effectiveAt }) => kind === 'CHANGE' && effectiveAt > now) ?? null;

/** Kill Bill's entitlement state: an end counts once it is reached, the planned one does not. */
export const statusAt = (bundle: Bundle, subscription: Subscription, now: Instant): SubscriptionStatus => {
  const end = entitlementEnd(bundle, subscription);
  if (end !== null && end.at <= now) return end.kind === 'EXPIRED' ? 'EXPIRED' : 'CANCELLED';
  if (subscription.entitlementAt > now) return 'PENDING';
  return blockingAt(bundle, subscription.subscriptionId, now).some(({ blockEntitlement }) => blockEntitlement)
    ? 'BLOCKED'
    : 'ACTIVE';
};

export type PlanState = {
  readonly status: SubscriptionStatus;
  /** Of now; of the first plan before the start, of the last one after the end. */
  readonly phase: ResolvedPhase;
  readonly cancelledAt: Instant | null;
  readonly billingEndsAt: Instant | null;
  readonly quantity: number;
};

const nearestPhase = (bundle: Bundle, subscription: Subscription, now: Instant): ResolvedPhase => {
  const phases = plannedPhases(bundle, subscription).flatMap(({ effectiveAt, phase }) =>
    phase === null ? [] : [{ effectiveAt, phase }],
  );
  const nearest =
    phases.findLast(({ effectiveAt }) => effectiveAt <= now)?.phase ??
    phases[0]?.phase ??
    subscription.steps[0]?.phases[0]?.phase;
  if (nearest === undefined) throw new RangeError(`subscription ${subscription.subscriptionId} has no phase`);
  return nearest;
};

export const quantityAt = ({ quantity, quantityChanges }: Subscription, at: Instant): number =>
  quantityChanges.findLast(({ effectiveAt }) => effectiveAt <= at)?.quantity ?? quantity;

/** What a subscriber has at an instant. */
export const planStateAt = (bundle: Bundle, subscription: Subscription, now: Instant): PlanState => ({
  status: statusAt(bundle, subscription, now),
  phase: nearestPhase(bundle, subscription, now),
  cancelledAt: entitlementEnd(bundle, subscription)?.at ?? null,
  billingEndsAt: billingEnd(bundle, subscription)?.at ?? null,
  quantity: quantityAt(subscription, now),
});
