import type { RecordedEvent } from '@billstream/event-sourcing';
import { ProblemException, type RequestContext, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import {
  type AccountChange,
  type AccountChangeEvent,
  type BlockingState,
  type Bundle,
  type PlannedCreation,
  accountChangesSchema,
  accountChangesStream,
  billingEnd,
  bundleStream,
  hasEnded,
} from '@billstream/subscriptions-domain';
import { accountBlockingStates, bundlesOfAccount } from '@billstream/subscriptions-read-models';
import { claimBundleKey, claimSubscriptionKey } from './external-key';
import { bundleProblem, unknownAccount } from './http/problems';
import { type Subscriptions, stepOf, subscriberOf } from './subscriptions';
import { transferBundle } from './transfer-bundle';

export type Begun = Extract<AccountChangeEvent, { readonly type: 'AccountChangeBegun' }>['data'];

/**
 * The change as the cause of the commands that make it up: each has an id of its own, the same whether the request that
 * asked for it is at work or due work after a crash.
 */
const causeOf = (request: RequestContext, changeId: string): RequestContext => {
  const { tenantId, user, actor, correlationId, traceparent } = request;
  const trace = traceparent === undefined ? {} : { traceparent };
  return { tenantId, user, actor, correlationId, ...trace, commandId: changeId };
};

type Part = (subscriptions: Subscriptions, cause: RequestContext, begun: Begun) => Promise<void>;

const startOne = async (
  subscriptions: Subscriptions,
  cause: RequestContext,
  begun: Begun,
  { bundleId, externalKey, entitlementAt, billingAt, migrated, subscriptions: specs }: PlannedCreation,
): Promise<void> => {
  const { accountId, at } = begun;
  const facts = await subscriptions.accountOf(cause.tenantId, accountId);
  if (facts === null) throw unknownAccount(accountId);
  const data = {
    ...{ bundleId, externalKey, entitlementAt, billingAt, migrated },
    subscriptions: specs,
    account: subscriberOf(facts),
    catalog: await subscriptions.catalogOf(cause.tenantId),
    now: at,
    accountStates: await accountBlockingStates(subscriptions.runtime.database, cause.tenantId, accountId),
    isFollowed: true as const,
  };
  const stream = bundleStream(bundleId);
  const step = stepOf(cause, subscriptions, `start/${bundleId}`);
  unwrap(await subscriptions.bundle(stream, { type: 'StartSubscriptions', data }, step), bundleProblem);
};

const claimKeys = async (
  subscriptions: Subscriptions,
  cause: RequestContext,
  { bundleId, externalKey, claimsKey, renameUnused, subscriptions: specs }: PlannedCreation,
): Promise<void> => {
  if (claimsKey && externalKey !== null)
    await claimBundleKey(subscriptions, cause, { key: externalKey, holderId: bundleId, renameUnused });
  for (const { externalKey: key, subscriptionId } of specs)
    if (key !== null) await claimSubscriptionKey(subscriptions, cause, key, subscriptionId);
};

/** The parts of a change in order; those in `atOnce` come first, and nothing else is done when one of them is refused. */
const partsOf = async (
  subscriptions: Subscriptions,
  { tenantId }: RequestContext,
  { accountId, change, at }: Begun,
): Promise<{ readonly atOnce: readonly Part[]; readonly parts: readonly Part[] }> => {
  const { runtime } = subscriptions;
  if (change.kind === 'CREATE')
    return {
      atOnce: change.creations.map((creation) => (on, cause) => claimKeys(on, cause, creation)),
      parts: change.creations.map((creation) => (on, cause, begun) => startOne(on, cause, begun, creation)),
    };
  if (change.kind === 'TRANSFER')
    return { atOnce: [], parts: [(on, cause, begun) => transferBundle(on, cause, begun, change)] };
  await runtime.caughtUp();
  const bundles = await bundlesOfAccount(runtime.database, tenantId, accountId);
  if (change.kind === 'BLOCK')
    return { atOnce: [], parts: bundles.map((bundle) => (on, cause) => tellState(on, cause, bundle, change.state)) };
  const ending = bundles.flatMap((bundle) =>
    bundle.subscriptions
      .filter(
        (one) => one.productCategory !== 'ADD_ON' && billingEnd(bundle, one) === null && !hasEnded(bundle, one, at),
      )
      .map(({ subscriptionId }) => ({ bundle, subscriptionId })),
  );
  return {
    atOnce: [],
    parts: ending.map((one) => (on, cause, begun) => cancelOne(on, cause, begun, { ...one, change })),
  };
};

const tellState = async (
  subscriptions: Subscriptions,
  cause: RequestContext,
  { bundleId }: Pick<Bundle, 'bundleId'>,
  state: BlockingState,
): Promise<void> => {
  const step = stepOf(cause, subscriptions, `block/${bundleId}/${state.blockingId}`);
  const data = { state, now: step.at, isFollowed: true as const };
  unwrap(await subscriptions.bundle(bundleStream(bundleId), { type: 'SetBlockingState', data }, step), bundleProblem);
};

const cancelOne = async (
  subscriptions: Subscriptions,
  cause: RequestContext,
  { at }: Begun,
  {
    bundle,
    subscriptionId,
    change: { billing, entitlementAt },
  }: {
    readonly bundle: Bundle;
    readonly subscriptionId: string;
    readonly change: Extract<AccountChange, { readonly kind: 'CANCEL' }>;
  },
): Promise<void> => {
  const facts = await subscriptions.accountOf(cause.tenantId, bundle.accountId);
  if (facts === null) throw unknownAccount(bundle.accountId);
  const step = stepOf(cause, subscriptions, `cancel/${subscriptionId}`);
  const data = {
    subscriptionId,
    cancellationId: derivedId(cause.commandId, 'cancellation', subscriptionId),
    entitlement: entitlementAt === undefined ? { policy: 'IMMEDIATE' as const } : { at: entitlementAt },
    billing: { policy: billing },
    account: { ...subscriberOf(facts), time: bundle.time },
    catalog: await subscriptions.catalogOf(cause.tenantId),
    now: at,
    isFollowed: true as const,
  };
  unwrap(
    await subscriptions.bundle(bundleStream(bundle.bundleId), { type: 'CancelSubscription', data }, step),
    bundleProblem,
  );
};

/** What a refusal says; anything else is a failure, and the change stays open to be tried again. */
const refusalOf = async (work: Promise<void>): Promise<ProblemException | null> => {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof ProblemException) return error;
    throw error;
  }
};

/** Does what is open of a change, and ends it. The first refusal, if there was one. */
const complete = async (
  subscriptions: Subscriptions,
  cause: RequestContext,
  begun: Begun,
): Promise<ProblemException | null> => {
  const refusals: ProblemException[] = [];
  const run = async (parts: readonly Part[]): Promise<void> => {
    for (const part of parts) {
      const refusal = await refusalOf(part(subscriptions, cause, begun));
      if (refusal !== null) refusals.push(refusal);
    }
  };
  const { atOnce, parts } = await partsOf(subscriptions, cause, begun);
  await run(atOnce);
  if (refusals.length === 0) await run(parts);
  const { accountId, changeId } = begun;
  const data = { accountId, changeId, refusals: refusals.map(({ message }) => message) };
  const step = stepOf(cause, subscriptions, 'end');
  const ended = unwrap(
    await subscriptions.accountChanges(accountChangesStream(accountId), { type: 'EndAccountChange', data }, step),
    bundleProblem,
  );
  await subscriptions.runtime.visible(ended.position);
  return refusals[0] ?? null;
};

/** Takes a change of several bundles into the log, makes it, and answers once all read models have it. */
export const changeAccount = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  accountId: string,
  change: AccountChange,
): Promise<void> => {
  const changeId = derivedId(request.commandId, 'account-change', change.kind);
  const step = stepOf(request, subscriptions, `change/${change.kind}`);
  const data = { changeId, accountId, at: step.at, change };
  const stream = accountChangesStream(accountId);
  const begun = unwrap(
    await subscriptions.accountChanges(stream, { type: 'BeginAccountChange', data }, step),
    bundleProblem,
  );
  const [event] = begun.events;
  if (event?.type !== 'AccountChangeBegun') return;
  const refusal = await complete(subscriptions, causeOf(request, changeId), event.data);
  if (refusal !== null) throw refusal;
};

/** Goes on with a change whose maker has gone; the event that began it says for whom. */
export const resumeChange = async (subscriptions: Subscriptions, recorded: RecordedEvent): Promise<void> => {
  const event = accountChangesSchema.decode(recorded);
  if (event?.type !== 'AccountChangeBegun') return;
  const { tenantId, actor, $correlationId: correlationId } = recorded.metadata;
  const request = { tenantId, user: actor.createdBy, actor, correlationId, commandId: event.data.changeId };
  await complete(subscriptions, request, event.data);
};

/** A bundle made while the account was being blocked hears of that, too. */
export const tellNewStates = async (
  subscriptions: Subscriptions,
  request: RequestContext,
  { bundleId, accountId, blockingStates }: Bundle,
): Promise<void> => {
  const known = new Set(blockingStates.map(({ blockingId }) => blockingId));
  const states = await accountBlockingStates(subscriptions.runtime.database, request.tenantId, accountId);
  for (const state of states) {
    if (known.has(state.blockingId)) continue;
    const step = stepOf(request, subscriptions, `block/${bundleId}/${state.blockingId}`);
    const data = { state, now: step.at };
    unwrap(await subscriptions.bundle(bundleStream(bundleId), { type: 'SetBlockingState', data }, step), bundleProblem);
  }
};
