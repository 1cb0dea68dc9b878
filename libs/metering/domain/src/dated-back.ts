import type { Instant } from '@billstream/kernel';
import type { PlanInterval } from './metered-account';

/**
 * The first instant from which on two lists of a subscription's intervals, oldest first, say something else; null: they say
 * the same. Whatever lies before it was counted by plans that still hold.
 */
export const plansDifferFrom = (before: readonly PlanInterval[], after: readonly PlanInterval[]): Instant | null => {
  const length = Math.max(before.length, after.length);
  for (let index = 0; index < length; index += 1) {
    const [one, other] = [before[index], after[index]];
    if (textOf(one) === textOf(other)) continue;
    const isSameUntilItEnds =
      one !== undefined && other !== undefined && textOf({ ...one, toAt: null }) === textOf({ ...other, toAt: null });
    return isSameUntilItEnds ? earliest([one.toAt, other.toAt]) : earliest([one?.fromAt, other?.fromAt]);
  }
  return null;
};

/** The same for equal intervals, in whichever order a database gave their fields back. */
const textOf = (interval: PlanInterval | undefined): string =>
  JSON.stringify(Object.entries(interval ?? {}).sort(([one], [other]) => (one < other ? -1 : 1)));

const earliest = (instants: readonly (Instant | null | undefined)[]): Instant | null =>
  instants.reduce<Instant | null>(
    (first, at) => (at === null || at === undefined || (first !== null && first <= at) ? first : at),
    null,
  );
