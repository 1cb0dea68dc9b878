import { type Instant, parseUuid } from '@billstream/kernel';
import { type Bundle, type Subscription, subscriptionOf } from '@billstream/subscriptions-domain';
import { bundleById, bundleOfSubscription } from '@billstream/subscriptions-read-models';
import type { Subscriptions } from '../subscriptions';
import { unknownBundle, unknownSubscription } from './problems';
import type { View } from './subscription-json';

/** Looks once more after the read models have caught up, so that what was just written is not called missing. */
const twice = async <T>({ runtime }: Subscriptions, look: () => Promise<T | null>): Promise<T | null> => {
  const found = await look();
  if (found !== null) return found;
  await runtime.caughtUp();
  return look();
};

export type FoundSubscription = { readonly bundle: Bundle; readonly subscription: Subscription };

export const findSubscription = async (
  subscriptions: Subscriptions,
  tenantId: string,
  id: string,
): Promise<FoundSubscription> => {
  const subscriptionId = parseUuid(id);
  if (subscriptionId === null) throw unknownSubscription(id);
  const bundle = await twice(subscriptions, () =>
    bundleOfSubscription(subscriptions.runtime.database, tenantId, subscriptionId),
  );
  const subscription = subscriptionOf(bundle, subscriptionId);
  if (bundle === null || subscription === null) throw unknownSubscription(id);
  return { bundle, subscription };
};

export const findBundle = async (subscriptions: Subscriptions, tenantId: string, id: string): Promise<Bundle> => {
  const bundleId = parseUuid(id);
  if (bundleId === null) throw unknownBundle(id);
  const bundle = await twice(subscriptions, () => bundleById(subscriptions.runtime.database, tenantId, bundleId));
  if (bundle === null) throw unknownBundle(id);
  return bundle;
};

export const findTwice = twice;

/** The clock, and what is known of the account that the answer shows. */
export const viewOf = async (subscriptions: Subscriptions, tenantId: string, { accountId }: Bundle): Promise<View> => {
  const facts = await subscriptions.accountOf(tenantId, accountId);
  return {
    now: subscriptions.now(tenantId),
    billCycleDayLocal: facts?.billCycleDayLocal ?? 0,
    withPrices: true,
  };
};

/** Kill Bill leaves prices out of lists, because it does not load the account there. */
export const listViewOf = (now: Instant): View => ({ now, billCycleDayLocal: 0, withPrices: false });
