import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import { versionAt } from '../catalog/catalog';
import { cancelPolicyOf } from '../catalog/plan-rules';
import type { Bundle, BundleEvent, Subscription } from './bundle';
import type { BundleRejection, CancelSubscription, EndDate } from './bundle.commands';
import { entitlementEnd } from './lifetime';
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
  if ('at' in entitlement && entitlement.at < subscription.entitlementAt)
    return {
      code: 'requested-date-invalid',
      detail: `The requested date ${entitlement.at} is before the start ${subscription.entitlementAt}`,
    };
  if ('at' in billing && billing.at < subscription.billingAt)
    return {
      code: 'requested-date-invalid',
      detail: `The requested date ${billing.at} is before the start of billing ${subscription.billingAt}`,
    };
  return null;
};

const stateRefusal = (
  bundle: Bundle,
  subscription: Subscription,
  dates: { readonly entitlementAt: Instant; readonly billingAt: Instant },
  now: Instant,
): BundleRejection | null => {
  const end = entitlementEnd(bundle, subscription);
  const earlier = subscription.cancellation;
  const nothingNew =
    earlier !== null && earlier.entitlementAt <= dates.entitlementAt && earlier.billingAt <= dates.billingAt;
  const billingPast = earlier !== null && earlier.billingAt <= now;
  if (nothingNew || billingPast || (end !== null && end.at <= now && earlier === null))
    return {
      code: 'cancel-bad-state',
      detail: `Subscription ${subscription.subscriptionId} is cancelled already (${end?.at ?? 'now'})`,
    };
  return null;
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
  const dates = { entitlementAt: later(entitlement.at, subscription.entitlementAt), billingAt: billing.at };
  const bad = stateRefusal(bundle, subscription, dates, now);
  if (bad !== null) return reject(bad);
  const planned = dates.entitlementAt > now || dates.billingAt > now;
  return accept<BundleEvent>({
    type: planned ? 'CancellationScheduled' : 'SubscriptionCancelled',
    data: { subscriptionId: subscription.subscriptionId, cancellationId, ...dates },
  });
};

/** As long as its billing goes on a cancellation can be undone, also when the service has ended (DefaultEntitlement). */
export const undoCancellation = (bundle: Bundle, subscription: Subscription, now: Instant): Outcome => {
  const { cancellation, subscriptionId } = subscription;
  if (cancellation === null)
    return reject({
      code: 'no-cancellation-pending',
      detail: `Subscription ${subscriptionId} of bundle ${bundle.bundleId} has no cancellation pending`,
    });
  if (cancellation.billingAt <= now)
    return reject({
      code: 'billing-already-cancelled',
      detail: `Billing of subscription ${subscriptionId} ended on ${cancellation.billingAt}`,
    });
  return accept<BundleEvent>({ type: 'CancellationUndone', data: { subscriptionId } });
};
