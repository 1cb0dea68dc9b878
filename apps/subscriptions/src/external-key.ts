import { type RequestContext, unwrap } from '@billstream/http';
import { bundleKeyStream, bundleStream, subscriptionKeyStream, unusedKey } from '@billstream/subscriptions-domain';
import { bundleProblem, takenBundleKey, takenSubscriptionKey } from './http/problems';
import { type Subscriptions, stepOf } from './subscriptions';

type Claim = { readonly key: string; readonly holderId: string; readonly renameUnused: boolean };

const creationPatienceMs = 300;

const claimed = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  stream: string,
  data: { readonly key: string; readonly holderId: string; readonly takenFrom: string | null },
): Promise<string | null> => {
  const context = stepOf(request, subscriptions, `claim/${stream}/${data.takenFrom ?? ''}`);
  const outcome = await subscriptions.keyClaim(stream, { type: 'ClaimKey', data }, context);
  if (outcome.outcome === 'rejected') return outcome.rejection.holderId;
  unwrap(outcome, () => takenBundleKey(data.key));
  return null;
};

/** True once the bundle has given the key up, or turns out never to have come into being. */
const givesUp = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  bundleId: string,
  key: string,
): Promise<boolean> => {
  const { runtime, soon } = subscriptions;
  const stream = bundleStream(bundleId);
  // A claim comes before its bundle, so a bundle that is missing may be on its way still.
  const exists = await soon(
    async () => ((await runtime.store.read(stream, 0n, 1)).length > 0 ? true : null),
    creationPatienceMs,
  );
  if (exists === null) return true;
  const context = stepOf(request, subscriptions, `rename/${bundleId}`);
  const command = {
    type: 'GiveUpKey' as const,
    data: { now: context.at, externalKey: key, renamedTo: unusedKey(bundleId, key) },
  };
  const outcome = await subscriptions.bundle(stream, command, context);
  if (outcome.outcome === 'rejected' && outcome.rejection.code === 'bundle-live') return false;
  unwrap(outcome, bundleProblem);
  return true;
};

/**
 * The key for this bundle alone. A bundle that ended gives its key up, and is called `cncl…` from then on, when the
 * caller allows that; a living one keeps it (Kill Bill 1014).
 */
export const claimBundleKey = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  { key, holderId, renameUnused }: Claim,
): Promise<void> => {
  const stream = bundleKeyStream(request.tenantId, key);
  const holder = await claimed(subscriptions, request, stream, { key, holderId, takenFrom: null });
  if (holder === null) return;
  if (!renameUnused || !(await givesUp(subscriptions, request, holder, key))) throw takenBundleKey(key);
  const other = await claimed(subscriptions, request, stream, { key, holderId, takenFrom: holder });
  if (other !== null) throw takenBundleKey(key);
};

/** A subscription's own key is taken for ever. */
export const claimSubscriptionKey = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  key: string,
  holderId: string,
): Promise<void> => {
  const holder = await claimed(subscriptions, request, subscriptionKeyStream(request.tenantId, key), {
    key,
    holderId,
    takenFrom: null,
  });
  if (holder !== null) throw takenSubscriptionKey(key);
};
