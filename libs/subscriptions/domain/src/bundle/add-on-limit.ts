import type { Instant } from '@billstream/kernel';
import type { CatalogPlan } from '../catalog/catalog';
import type { Bundle } from './bundle';
import type { BundleRejection } from './bundle.commands';
import { hasEnded } from './lifetime';

/**
 * The refusal where a bundle holds as many subscriptions of an add-on's plan as the plan allows (`plansAllowedInBundle`,
 * negative: no limit); null where there is room. A subscription that changes its plan does not count itself.
 */
export const addOnLimitRefusal = (
  bundle: Bundle,
  plan: CatalogPlan,
  now: Instant,
  changing: string | null = null,
): BundleRejection | null => {
  const allowed = plan.plansAllowedInBundle;
  if (allowed < 0) return null;
  const live = bundle.subscriptions.filter(
    (one) =>
      one.subscriptionId !== changing &&
      !hasEnded(bundle, one, now) &&
      one.steps.at(-1)?.phases[0]?.phase.planName === plan.name,
  );
  return live.length < allowed
    ? null
    : { code: 'add-on-limit-reached', detail: `A bundle may hold ${allowed} of ${plan.name}` };
};
