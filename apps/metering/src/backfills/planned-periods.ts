import { type Decimal, subtract } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type { ClosingView, PlannedUsage, QuartersAsked } from '@billstream/metering-read-models';
import { type ClosingQuestions, closedUsages } from '../close-usage';

/** Closed periods, limits and rejected records that a preview lists; more are counted as `more`. */
export const previewListMax = 100;

export type PreviewedPeriod = Pick<
  ClosingView,
  'accountId' | 'subscriptionId' | 'user' | 'planName' | 'unit' | 'usageName' | 'fromAt' | 'toAt'
> & { readonly before: Decimal; readonly after: Decimal; readonly difference: Decimal };

/** A period of one price of a subscription as invoicing would be told of it: all of its units. */
export type ChangedUsage = Pick<
  ClosingView,
  'accountId' | 'subscriptionId' | 'planName' | 'usageName' | 'fromAt' | 'toAt'
> & { readonly usages: readonly ClosedUsage[] };

/** Closed periods that would amount to something else; the first hundred that the change touches. */
export type PreviewedPeriods = {
  readonly periods: readonly PreviewedPeriod[];
  /** The same with all units of their prices, for invoicing to say what they come to. */
  readonly changed: readonly ChangedUsage[];
  /** Periods were left out. */
  readonly morePeriods: boolean;
};

type Counted = { readonly closing: ClosingView; readonly usage: ClosedUsage };

/** Counted by the rules, as the bill would be. Periods that come to the same are left out, as they are of bills. */
export const plannedPeriods = async (
  closingQuestions: ClosingQuestions,
  { closings, quarters, closedWith }: PlannedUsage,
  countedTo: bigint,
): Promise<PreviewedPeriods> => {
  const questions = { ...closingQuestions, quarters: (asked: QuartersAsked) => quarters(asked, asked) };
  const count = async (all: readonly ClosingView[]): Promise<readonly Counted[]> => {
    const counted: Counted[] = [];
    for (const closing of all) {
      const [one] = await closedUsages(questions, { ...closing, periods: [closing] }, countedTo);
      if (one !== undefined) counted.push({ closing, usage: one.usage });
    }
    return counted;
  };
  const touched = await count(closings.slice(0, previewListMax));
  const differing = touched.filter(({ closing, usage }) => usage.quantity !== closing.quantity);
  const known = new Set(touched.map(({ closing }) => unitKey(closing)));
  const others = await closedWith(differing.map(({ closing }) => closing));
  const untouched = await count(others.filter((closing) => !known.has(unitKey(closing))));
  return {
    periods: differing.map(previewed),
    changed: changedUsages(differing, [...touched, ...untouched]),
    morePeriods: closings.length > previewListMax,
  };
};

const periodKey = ({ subscriptionId, usageName, fromAt, toAt }: ClosingView): string =>
  JSON.stringify([subscriptionId, usageName, fromAt, toAt]);

const unitKey = (closing: ClosingView): string => `${periodKey(closing)} ${closing.unit}`;

const previewed = ({ closing, usage }: Counted): PreviewedPeriod => {
  const { accountId, subscriptionId, user, planName, unit, usageName, fromAt, toAt } = closing;
  const quantities = { before: closing.quantity, after: usage.quantity };
  return {
    ...{ accountId, subscriptionId, user, planName, unit, usageName, fromAt, toAt },
    ...quantities,
    difference: subtract(usage.quantity, closing.quantity),
  };
};

const changedUsages = (differing: readonly Counted[], counted: readonly Counted[]): readonly ChangedUsage[] => {
  const byPeriod = new Map<string, ClosedUsage[]>();
  for (const { closing, usage } of counted) {
    const key = periodKey(closing);
    const others = byPeriod.get(key);
    if (others === undefined) byPeriod.set(key, [usage]);
    else others.push(usage);
  }
  const periods = new Map(differing.map(({ closing }) => [periodKey(closing), closing]));
  return [...periods].map(([key, { accountId, subscriptionId, planName, usageName, fromAt, toAt }]) => ({
    ...{ accountId, subscriptionId, planName, usageName, fromAt, toAt },
    usages: byPeriod.get(key) ?? [],
  }));
};
