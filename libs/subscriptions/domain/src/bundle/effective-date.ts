import type { Instant } from '@billstream/kernel';
import type { Bundle, Subscription } from './bundle';
import type { BundleRejection } from './bundle.commands';
import { hasEnded } from './lifetime';

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
