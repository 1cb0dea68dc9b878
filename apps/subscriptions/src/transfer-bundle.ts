import { type RequestContext, unwrap } from '@billstream/http';
import type { Instant } from '@billstream/kernel';
import { type AccountChange, bundleStream, transferredId } from '@billstream/subscriptions-domain';
import { accountBlockingStates } from '@billstream/subscriptions-read-models';
import { claimSubscriptionKey, passOnBundleKey } from './external-key';
import { bundleProblem, unknownAccount, unknownBundle } from './http/problems';
import { type Subscriptions, stepOf, subscriberOf } from './subscriptions';

type Transfer = Extract<AccountChange, { readonly kind: 'TRANSFER' }>;

/** Ends the bundle where it is, passes its key on, and goes on with it in a new one of the other account. */
export const transferBundle = async (
  subscriptions: Subscriptions,
  cause: RequestContext,
  { at }: { readonly at: Instant },
  transfer: Transfer,
): Promise<void> => {
  const { tenantId } = cause;
  const { toAccountId, toBundleId, fromBundleId, transferId, effectiveAt, billCycleDay, externalKeys } = transfer;
  const facts = await subscriptions.accountOf(tenantId, toAccountId);
  if (facts === null) throw unknownAccount(toAccountId);
  const source = await handedOver(subscriptions, cause, { ...transfer, at });
  await passOnBundleKey(subscriptions, cause, { key: source.externalKey, from: fromBundleId, to: toBundleId });
  const data = {
    bundleId: toBundleId,
    source,
    transferId,
    effectiveAt,
    account: subscriberOf(facts),
    repricedFrom: transfer.isRepriced ? await subscriptions.catalogOf(tenantId) : null,
    billCycleDay,
    externalKeys,
    accountStates: await accountBlockingStates(subscriptions.runtime.database, tenantId, toAccountId),
    now: at,
  };
  const step = stepOf(cause, subscriptions, 'receive');
  unwrap(await subscriptions.bundle(bundleStream(toBundleId), { type: 'ReceiveBundle', data }, step), bundleProblem);
};

const handedOver = async (
  subscriptions: Subscriptions,
  cause: RequestContext,
  { at, ...transfer }: Transfer & { readonly at: Instant },
) => {
  const { fromBundleId, transferId, effectiveAt, billing, externalKeys } = transfer;
  const step = stepOf(cause, subscriptions, 'hand-over');
  const data = { transferId, effectiveAt, billing, now: at };
  for (const [subscriptionId, key] of Object.entries(externalKeys))
    await claimSubscriptionKey(subscriptions, cause, key, transferredId(transferId, subscriptionId));
  const { state } = unwrap(
    await subscriptions.bundle(bundleStream(fromBundleId), { type: 'HandOverBundle', data }, step),
    bundleProblem,
  );
  if (state === null) throw unknownBundle(fromBundleId);
  return state;
};
