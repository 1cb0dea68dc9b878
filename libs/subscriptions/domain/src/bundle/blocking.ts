import type { Instant } from '@billstream/kernel';
import type { BlockingState, Bundle } from './bundle';

/** Half-open [from, to); null is no end. */
export type Interval = { readonly from: Instant; readonly to: Instant | null };

const statesOn = (
  { blockingStates, bundleId, accountId }: Bundle,
  subscriptionId: string | null,
): readonly BlockingState[] =>
  blockingStates.filter(
    ({ blockedId }) => blockedId === bundleId || blockedId === accountId || blockedId === subscriptionId,
  );

const perService = (states: readonly BlockingState[]): readonly (readonly BlockingState[])[] => {
  const groups = new Map<string, BlockingState[]>();
  for (const state of states) {
    const key = `${state.blockedId}/${state.service}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [state]);
    else group.push(state);
  }
  return [...groups.values()];
};

const intervals = (states: readonly BlockingState[]): readonly Interval[] => {
  const found: Interval[] = [];
  for (const { blockBilling, effectiveAt } of states) {
    const open = found.at(-1);
    if (blockBilling && (open === undefined || open.to !== null)) found.push({ from: effectiveAt, to: null });
    if (!blockBilling && open !== undefined && open.to === null)
      found.splice(-1, 1, { from: open.from, to: effectiveAt });
  }
  return found.filter(({ from, to }) => from !== to);
};

const merged = (all: readonly Interval[]): readonly Interval[] => {
  const found: Interval[] = [];
  for (const next of all.toSorted((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = found.at(-1);
    if (last === undefined || (last.to !== null && last.to < next.from)) found.push(next);
    else if (last.to !== null && (next.to === null || next.to > last.to))
      found.splice(-1, 1, { from: last.from, to: next.to });
  }
  return found;
};

/** When nothing is charged: each service's blocked intervals on account, bundle and subscription, merged. */
export const billingDisabled = (bundle: Bundle, subscriptionId: string): readonly Interval[] =>
  merged(perService(statesOn(bundle, subscriptionId)).flatMap(intervals));

export const isInForce = ({ effectiveAt, isFact }: BlockingState, at: Instant): boolean =>
  isFact === true || effectiveAt <= at;

/** The state of each service at an instant; what any of them blocks is blocked. Null asks about account and bundle alone. */
export const blockingAt = (bundle: Bundle, subscriptionId: string | null, at: Instant): readonly BlockingState[] =>
  perService(statesOn(bundle, subscriptionId)).flatMap(
    (states) => states.findLast((state) => isInForce(state, at)) ?? [],
  );
