import type { Instant } from '@billstream/kernel';
import type { Bundle, Subscription } from './bundle';
import type { BundleRejection } from './bundle.commands';
import { hasEnded } from './lifetime';

/** Whole seconds count, as in Kill Bill: what is asked for in the second of a start is not before it. */
export const isSecondsBefore = (one: Instant, other: Instant): boolean =>
  one.slice(0, 'yyyy-mm-ddThh:mm:ss'.length) < other.slice(0, 'yyyy-mm-ddThh:mm:ss'.length);

/** Day and quantity change while a subscription lives, from the start of its billing on. */
export const dateRefusal = (
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
