import { type Decision, accept, reject } from '@billstream/event-sourcing';
import { type BlockingState, type Bundle, type BundleEvent, subscriptionOf } from './bundle';
import type { BundleRejection } from './bundle.commands';

/** A state that repeats the name of the one before it is dropped, whatever its flags (Kill Bill's DefaultBlockingStateDao). */
export const repeatsState = (known: readonly BlockingState[], state: BlockingState): boolean =>
  known.findLast(
    ({ service, blockedId, effectiveAt }) =>
      service === state.service && blockedId === state.blockedId && effectiveAt <= state.effectiveAt,
  )?.stateName === state.stateName;

export const setBlockingState = (bundle: Bundle, state: BlockingState): Decision<BundleEvent, BundleRejection> => {
  if (state.type === 'SUBSCRIPTION' && subscriptionOf(bundle, state.blockedId) === null)
    return reject({ code: 'subscription-unknown', detail: `No subscription ${state.blockedId}` });
  return repeatsState(bundle.blockingStates, state)
    ? accept()
    : accept<BundleEvent>({ type: 'BlockingStateSet', data: { ...state, accountId: bundle.accountId } });
};

/** Those of the account's states that a bundle has not been told of. */
export const unknownStates = (
  known: readonly BlockingState[],
  accountStates: readonly BlockingState[],
): readonly BundleEvent[] => {
  const ids = new Set(known.map(({ blockingId }) => blockingId));
  return accountStates
    .filter(({ blockingId }) => !ids.has(blockingId))
    .map((data) => ({ type: 'BlockingStateSet', data }));
};
