import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import { versionAt } from '../catalog/catalog';
import { cancelPolicyOf } from '../catalog/plan-rules';
import type { Bundle, BundleEvent, Subscription } from './bundle';
import type { BundleRejection, CancelSubscription, EndDate } from './bundle.commands';
import { isSecondsBefore } from './effective-date';
import { billingEnd, entitlementEnd } from './lifetime';
import { phaseStartedAt, planStateAt } from './plan-state';
import { planPeriodOf, policyInstant } from './policy-date';

type Outcome = Decision<BundleEvent, BundleRejection>;
type Instants = { readonly at: Instant } | { readonly rejected: BundleRejection };

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/** The catalog's policy is that of the plan's version in force now (Kill Bill evaluates it now, whatever the requested date). */
const catalogPolicy = (
  bundle: Bundle,
  subscription: Subscription,
  { catalog, now }: CancelSubscription,
): ReturnType<typeof cancelPolicyOf> => {
  const { phase } = planStateAt(bundle, subscription, now);
  const version = versionAt(catalog, phase.catalogEffectiveDate);
  if (version === null) return 'END_OF_TERM';
  const plan = { ...phase, billingPeriod: planPeriodOf(subscription, phase) };
  return cancelPolicyOf(version.rules, plan, phase.phaseType);
};

const instantOfEnd = (
  bundle: Bundle,
  subscription: Subscription,
  command: CancelSubscription,
  end: EndDate,
): Instants => {
  if ('at' in end) return { at: end.at };
  const policy = end.policy === 'BY_CATALOG' ? catalogPolicy(bundle, subscription, command) : end.policy;
  if (policy === 'ILLEGAL') return reject({ code: 'policy-illegal', detail: 'The policy ILLEGAL cannot cancel' });
  const { now, account } = command;
  const at = policyInstant(policy, {
    now,
    startedAt: subscription.billingAt,
    chargedThroughDate: subscription.chargedThroughDate,
    billingPeriod: planPeriodOf(subscription, planStateAt(bundle, subscription, now).phase),
    billCycleDay:
      subscription.dayChanges.findLast(({ effectiveAt }) => effectiveAt <= now)?.billCycleDayLocal ??
      account.billCycleDayLocal,
    time: account.time,
  });
  return { at: later(at, phaseStartedAt(bundle, subscription, now) ?? subscription.billingAt) };
};

/** Dates asked for outright may not lie before the subscription begins. */
const dateRefusal = (
  subscription: Subscription,
  { entitlement, billing }: CancelSubscription,
): BundleRejection | null => {
  if ('at' in entitlement && isSecondsBefore(entitlement.at, subscription.entitlementAt))
    return {
      code: 'requested-date-invalid',
      detail: `The requested date ${entitlement.at} is before the start ${subscription.entitlementAt}`,
    };
  if ('at' in billing && isSecondsBefore(billing.at, subscription.billingAt))
    return {
      code: 'requested-date-invalid',
      detail: `The requested date ${billing.at} is before the start of billing ${subscription.billingAt}`,
    };
  return null;
};

type Dates = { readonly entitlementAt: Instant; readonly billingAt: Instant };

const expiryRefusal = (
  { subscriptionId, steps }: Subscription,
  billingAt: Instant,
  now: Instant,
): BundleRejection | null => {
  const { expiresAt = null, phases = [] } = steps.at(-1) ?? {};
  const isInLastPhase = phases.slice(-1).some(({ startsAt }) => startsAt <= now);
  return isInLastPhase && expiresAt !== null && billingAt > expiresAt
    ? { code: 'cancel-bad-state', detail: `Subscription ${subscriptionId} is to expire on ${expiresAt}` }
    : null;
};

/**
 * Service that has ended does not end again, a planned end of billing only moves forward, and in its last phase what
 * expires ends before it expires or not at all (Kill Bill's DefaultEntitlement and DefaultSubscriptionBaseApiService).
 */
const stateRefusal = (
  bundle: Bundle,
  subscription: Subscription,
  { billingAt }: Dates,
  now: Instant,
): BundleRejection | null => {
  const end = entitlementEnd(bundle, subscription);
  const { subscriptionId } = subscription;
  const planned = subscription.cancellation?.billingAt ?? null;
  if ((end !== null && end.at <= now) || (planned !== null && (planned <= now || planned < billingAt)))
    return {
      code: 'cancel-bad-state',
      detail: `Subscription ${subscriptionId} is cancelled already (${end?.at ?? planned ?? now})`,
    };
  return expiryRefusal(subscription, billingAt, now);
};

/** Ends entitlement and billing, each at its own instant; a pending cancellation gives way to an earlier one. */
export const cancelSubscription = (
  bundle: Bundle,
  subscription: Subscription,
  command: CancelSubscription,
): Outcome => {
  const refusal = dateRefusal(subscription, command);
  if (refusal !== null) return reject(refusal);
  const entitlement = instantOfEnd(bundle, subscription, command, command.entitlement);
  if ('rejected' in entitlement) return entitlement;
  const billing = instantOfEnd(bundle, subscription, command, command.billing);
  if ('rejected' in billing) return billing;
  const { now, cancellationId } = command;
  const wanted = later(entitlement.at, subscription.entitlementAt);
  // A planned end of service that is earlier stays: a second one after it would repeat the state before it.
  const before = subscription.cancellation;
  const dates: Dates = {
    entitlementAt: before !== null && before.entitlementAt < wanted ? before.entitlementAt : wanted,
    billingAt: later(billing.at, subscription.billingAt),
  };
  const bad = stateRefusal(bundle, subscription, dates, now);
  if (bad !== null) return reject(bad);
  if (before?.entitlementAt === dates.entitlementAt && before.billingAt === dates.billingAt) return accept();
  const planned = dates.entitlementAt > now || dates.billingAt > now;
  return accept<BundleEvent>({
    type: planned ? 'CancellationScheduled' : 'SubscriptionCancelled',
    data: { subscriptionId: subscription.subscriptionId, cancellationId, ...dates },
  });
};

/** Until billing has ended there is a way back, also for service that has (Kill Bill's DefaultEntitlement). */
export const undoCancellation = (bundle: Bundle, subscription: Subscription, now: Instant): Outcome => {
  const { cancellation, subscriptionId } = subscription;
  const end = billingEnd(bundle, subscription);
  if (end?.kind === 'CANCEL' && end.at <= now)
    return reject({
      code: 'billing-already-cancelled',
      detail: `Billing of subscription ${subscriptionId} ended on ${end.at}`,
    });
  if (cancellation === null || cancellation.handedOver === true)
    return reject({
      code: 'no-cancellation-pending',
      detail: `Subscription ${subscriptionId} of bundle ${bundle.bundleId} has no cancellation pending`,
    });
  return accept<BundleEvent>({ type: 'CancellationUndone', data: { subscriptionId } });
};
