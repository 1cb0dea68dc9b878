import { type RequestContext, unwrap } from '@billstream/http';
import { epochMs, wallTime } from '@billstream/kernel';
import { bundleKeyStream, bundleStream, subscriptionKeyStream, unusedKey } from '@billstream/subscriptions-domain';
import { subscriptionIsKnown } from '@billstream/subscriptions-read-models';
import { bundleProblem, takenBundleKey, takenSubscriptionKey } from './http/problems';
import { type Subscriptions, stepOf } from './subscriptions';

type Claim = { readonly key: string; readonly holderId: string; readonly renameUnused: boolean };

/** Longer than any request takes: after it, a claim without what it is for belongs to nobody who is still at work. */
const abandonedAfterMs = 60_000;

/** Null: the holder has it now. Else who has it. */
const claimed = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  stream: string,
  data: { readonly key: string; readonly holderId: string; readonly takenFrom: string | null },
): Promise<string | null> => {
  const context = stepOf(request, subscriptions, `claim/${stream}/${data.takenFrom ?? ''}`);
  const outcome = await subscriptions.keyClaim(stream, { type: 'ClaimKey', data }, context);
  if (outcome.outcome === 'rejected') return outcome.rejection.holderId;
  const { state } = unwrap(outcome, () => takenBundleKey(data.key));
  // A repeated command is answered as it was then; somebody may have taken the key over since.
  return state === data.holderId ? null : state;
};

/** Whether the newest claim is so old that nobody can be about to make what it is for. */
const isAbandoned = async ({ runtime: { store } }: Subscriptions, stream: string): Promise<boolean> => {
  const claims = await store.read(stream, 0n, 1_000);
  const newest = claims.at(-1);
  return newest !== undefined && epochMs(wallTime()) - epochMs(newest.metadata.recordedAt) > abandonedAfterMs;
};

/** True once the bundle has given the key up, or turns out never to have come into being. */
const givesUp = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  { bundleId, key, claimStream }: { readonly bundleId: string; readonly key: string; readonly claimStream: string },
): Promise<boolean> => {
  const stream = bundleStream(bundleId);
  const [first] = await subscriptions.runtime.store.read(stream, 0n, 1);
  if (first === undefined) return isAbandoned(subscriptions, claimStream);
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
  const isFree =
    renameUnused && (await givesUp(subscriptions, request, { bundleId: holder, key, claimStream: stream }));
  if (!isFree) throw takenBundleKey(key);
  const other = await claimed(subscriptions, request, stream, { key, holderId, takenFrom: holder });
  if (other !== null) throw takenBundleKey(key);
};

/** The key goes on with the bundle that takes the place of the one that has it. */
export const passOnBundleKey = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  { key, from, to }: { readonly key: string; readonly from: string; readonly to: string },
): Promise<void> => {
  const stream = bundleKeyStream(request.tenantId, key);
  const other = await claimed(subscriptions, request, stream, { key, holderId: to, takenFrom: from });
  if (other !== null) throw takenBundleKey(key);
};

/** A subscription's own key is taken for ever, once there is the subscription. */
export const claimSubscriptionKey = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  key: string,
  holderId: string,
): Promise<void> => {
  const stream = subscriptionKeyStream(request.tenantId, key);
  const holder = await claimed(subscriptions, request, stream, { key, holderId, takenFrom: null });
  if (holder === null) return;
  const { runtime } = subscriptions;
  await runtime.caughtUp();
  const isUsed = await subscriptionIsKnown(runtime.database, request.tenantId, holder);
  if (isUsed || !(await isAbandoned(subscriptions, stream))) throw takenSubscriptionKey(key);
  const other = await claimed(subscriptions, request, stream, { key, holderId, takenFrom: holder });
  if (other !== null) throw takenSubscriptionKey(key);
};
