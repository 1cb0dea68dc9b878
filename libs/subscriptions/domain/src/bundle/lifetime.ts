import type { Instant } from '@billstream/kernel';
import { type Bundle, type PlanStep, type Subscription, baseOf } from './bundle';

export type End = { readonly at: Instant; readonly kind: 'CANCEL' | 'EXPIRED' };

const earliest = (ends: readonly (End | null)[]): End | null =>
  ends.reduce((first, end) => (first === null || (end !== null && end.at < first.at) ? end : first), null);

const ended = (at: Instant | undefined | null, kind: End['kind']): End | null =>
  at === undefined || at === null ? null : { at, kind };

/** The final phase of the last step has an end of its own: the subscription expires there. */
const expiry = ({ steps }: Subscription): End | null => ended(steps.at(-1)?.expiresAt, 'EXPIRED');

const droppedBy = ({ steps }: Subscription, addOnId: string): End | null =>
  ended(steps.find((step: PlanStep) => step.endsAddOns.includes(addOnId))?.effectiveAt, 'CANCEL');

type Side = 'billingAt' | 'entitlementAt';

const endOn = (bundle: Bundle, subscription: Subscription, side: Side): End | null => {
  const own = [ended(subscription.cancellation?.[side], 'CANCEL'), expiry(subscription)];
  const base = subscription.productCategory === 'ADD_ON' ? baseOf(bundle) : null;
  if (base === null) return earliest(own);
  return earliest([
    ...own,
    ended(base.cancellation?.[side], 'CANCEL'),
    expiry(base),
    droppedBy(base, subscription.subscriptionId),
  ]);
};

/** When charging ends, planned or past; an add-on ends with its base, or with the base plan that offered it. */
export const billingEnd = (bundle: Bundle, subscription: Subscription): End | null =>
  endOn(bundle, subscription, 'billingAt');

export const entitlementEnd = (bundle: Bundle, subscription: Subscription): End | null =>
  endOn(bundle, subscription, 'entitlementAt');

export const hasEnded = (bundle: Bundle, subscription: Subscription, now: Instant): boolean => {
  const end = entitlementEnd(bundle, subscription);
  return end !== null && end.at <= now;
};

/** Service has ended, and billing has: a cancellation can be taken back until then. */
export const isOver = (bundle: Bundle, subscription: Subscription, now: Instant): boolean => {
  const end = billingEnd(bundle, subscription);
  return hasEnded(bundle, subscription, now) && end !== null && end.at <= now;
};

/** A bundle's external key belongs to it while any of its subscriptions lives. */
export const isLive = (bundle: Bundle, now: Instant): boolean =>
  bundle.subscriptions.some((one) => !hasEnded(bundle, one, now));
