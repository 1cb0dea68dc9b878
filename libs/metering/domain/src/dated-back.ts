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

/** The same for equal intervals, in whichever order a database gave their fields back, and those of what they hold. */
const textOf = (interval: PlanInterval | undefined): string =>
  JSON.stringify(interval ?? null, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );

const earliest = (instants: readonly (Instant | null | undefined)[]): Instant | null =>
  instants.reduce<Instant | null>(
    (first, at) => (at === null || at === undefined || (first !== null && first <= at) ? first : at),
    null,
  );
