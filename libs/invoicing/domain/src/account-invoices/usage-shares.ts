import type { Currency } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import { quantitiesOf, usageCharges } from '../rating/usage-charges';
import type { CountedPeriod } from './account-invoices.events';
import type { BilledUsage } from './subscription-ledger';
import type { UsagePeriod } from './usage-periods';

/** A period of a usage price as it was charged; without an amount it is one of this run. */
export type Charged = CountedPeriod & { readonly usageName: string; readonly amountMinor?: number };

/** The part of a charge made ahead that one of the periods has used up into which that charge was cut. Minor units. */
export type Share = {
  readonly takenMinor: number;
  /** What the other periods of the same charge have used up, beyond what was charged before this one began. */
  readonly byOthersMinor: number;
  /** What this one had used up when it was charged last; null: it was not. */
  readonly beforeMinor: number | null;
};

export const totalOf = (billed: readonly { readonly amountMinor?: number }[]): number =>
  billed.reduce((sum, { amountMinor = 0 }) => sum + amountMinor, 0);

type Counted = {
  readonly period: UsagePeriod;
  readonly closed: readonly ClosedUsage[];
  /** What was charged for the period, or for longer ones that it is a part of. */
  readonly billed: readonly BilledUsage[];
};

const priceMinorOf = ({ period, closed }: Counted, currency: Currency): number => {
  const charges = usageCharges(
    { usage: period.usage, quantities: quantitiesOf(closed), billedMinor: 0 },
    true,
    currency,
  );
  return typeof charges === 'string' ? 0 : totalOf(charges);
};

/**
 * How a charge made ahead is shared out when a pause or a change comes to light that cut its period before the day on which
 * it was counted: what it charged is taken off the first part, and of the next only what is left of it. Null where nothing
 * was charged ahead for a longer period. `charged`: all that was charged before and in this run, oldest first.
 */
export const shareOf = (counted: Counted, charged: () => readonly Charged[], currency: Currency): Share | null => {
  const { period, billed } = counted;
  const { usage, fromAt, toAt } = period;
  const ahead = billed.filter((one) => one.countedUntil !== undefined && (one.fromAt !== fromAt || one.toAt !== toAt));
  if (ahead.length === 0) return null;
  const own = charged().filter((one) => one.usageName === usage.name);
  // A part that was cut again is the last one of its beginning.
  const parts = new Map(own.map((one) => [one.fromAt, one.takenMinor ?? 0]));
  const isPart = (at: Charged['fromAt']): boolean => ahead.some((one) => one.fromAt <= at && at < one.toAt);
  const others = [...parts].filter(([at]) => at !== fromAt && isPart(at));
  // Counts of the same charge that had not come to this part hold nothing of it: the parts before use them up first.
  const earlier = own.filter(
    ({ countedUntil, ...one }) =>
      countedUntil !== undefined &&
      countedUntil <= fromAt &&
      ahead.some((later) => later.fromAt === one.fromAt && later.toAt <= one.toAt),
  );
  const aheadMinor = totalOf(ahead);
  const usedByOthers = others.reduce((sum, [, takenMinor]) => sum + takenMinor, 0);
  const byOthersMinor = Math.min(aheadMinor, Math.max(0, usedByOthers - totalOf(earlier)));
  const openMinor = priceMinorOf(counted, currency) - (totalOf(billed) - aheadMinor);
  const takenMinor = Math.max(0, Math.min(openMinor, aheadMinor - byOthersMinor));
  const before = own.findLast((one) => one.fromAt === fromAt && one.toAt === toAt);
  return { takenMinor, byOthersMinor, beforeMinor: before?.takenMinor ?? null };
};
