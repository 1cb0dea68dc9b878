import {
  type AccountTime,
  type Instant,
  type LocalDate,
  dayOfMonth,
  instantOf,
  localDateOf,
  plusDuration,
  withDayOfMonth,
} from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { billingPeriodLength } from '../catalog/billing-period';
import { type Bundle, type PlanStep, type Subscription, baseOf } from './bundle';
import type { NewerVersion } from './newer-versions';

/** A stretch of a step in one phase, until the next phase, change or end of the step; null is no end. */
export type Stretch = { readonly from: Instant; readonly until: Instant | null; readonly phase: ResolvedPhase };
export type Move = { readonly effectiveAt: Instant; readonly phase: ResolvedPhase };

/** Those that ever hold, by date: what comes later than the date of a newer one never does. */
const versionsOf = (step: PlanStep): readonly NewerVersion[] =>
  (step.newer?.versions ?? []).filter(
    ({ effectiveAt }, index, all) => !all.slice(index + 1).some((newer) => newer.effectiveAt <= effectiveAt),
  );

const phaseIn = ({ phases }: NewerVersion, { phaseType }: ResolvedPhase): ResolvedPhase | null =>
  phases.find((phase) => phase.phaseType === phaseType) ?? null;

/** The phase as the newest version that holds for existing subscriptions by then has it. */
export const phaseOnEntry = (step: PlanStep, phase: ResolvedPhase, at: Instant): ResolvedPhase => {
  const version = versionsOf(step).findLast(({ effectiveAt }) => effectiveAt <= at);
  return (version === undefined ? null : phaseIn(version, phase)) ?? phase;
};

const charges = ({ recurring, usages, recurringBillingMode }: ResolvedPhase): string =>
  JSON.stringify([recurring, usages, recurringBillingMode]);

/** The day of month that bills fall on; a bill cycle day of its own wins over the alignment. */
const billCycleDayAt = (bundle: Bundle, subscription: Subscription, move: Move, accountDay: number): number => {
  const own = subscription.dayChanges.findLast(({ effectiveAt }) => effectiveAt <= move.effectiveAt);
  if (own !== undefined) return own.billCycleDayLocal;
  const { billingAlignment } = move.phase;
  if (billingAlignment === 'ACCOUNT' && accountDay > 0) return accountDay;
  const aligned = billingAlignment === 'BUNDLE' ? (baseOf(bundle) ?? subscription) : subscription;
  return dayOfMonth(localDateOf(aligned.firstBillableAt, bundle.time));
};

/** The first day from `start` on that has the day of month; in short months their last. */
const firstOn = (start: LocalDate, day: number): LocalDate => {
  const same = withDayOfMonth(start, day);
  return same >= start ? same : withDayOfMonth(plusDuration(start, 'MONTHS', 1), day);
};

/** Bills of a stretch begin where it begins, or on the first bill cycle day in it, and repeat by its period. */
const nextBillDate = ({ from, phase }: Stretch, move: Move, billCycleDay: number, time: AccountTime): Instant => {
  const length = billingPeriodLength[phase.recurring?.billingPeriod ?? 'NO_BILLING_PERIOD'];
  if (length === null) return move.effectiveAt;
  const [start, wanted] = [localDateOf(from, time), localDateOf(move.effectiveAt, time)];
  const isMonthly = length.unit === 'MONTHS';
  const first = isMonthly ? firstOn(start, billCycleDay) : start;
  const dateOf = (count: number): LocalDate => {
    const date = plusDuration(first, length.unit, count * length.number);
    return isMonthly ? withDayOfMonth(date, billCycleDay) : date;
  };
  let count = 0;
  while (dateOf(count) < wanted) count += 1;
  const at = instantOf(dateOf(count), time);
  return at > move.effectiveAt ? at : move.effectiveAt;
};

/** A fixed charge belongs to the entry into a phase; new prices within it never charge it again. */
const withoutFixedCharge = (phase: ResolvedPhase): ResolvedPhase => ({ ...phase, fixedPrice: null });

/**
 * Where newer versions change what a stretch charges (Kill Bill's effectiveDateForExistingSubscriptions): at their date,
 * or with alignment at the next bill date on or after it. What would come at or after the end of the stretch is left to
 * the phase that follows. Of several on one date the newest wins.
 */
export const movesWithin = (
  bundle: Bundle,
  subscription: Subscription,
  step: PlanStep,
  stretch: Stretch,
): readonly Move[] => {
  const moves = new Map<Instant, Move>();
  let inForce = stretch.phase;
  for (const version of versionsOf(step)) {
    const phase = phaseIn(version, stretch.phase);
    if (phase === null || version.effectiveAt <= stretch.from || charges(phase) === charges(inForce)) continue;
    const move: Move = { effectiveAt: version.effectiveAt, phase: withoutFixedCharge(phase) };
    const alignedTo = step.newer?.alignedTo ?? null;
    const effectiveAt =
      alignedTo === null
        ? version.effectiveAt
        : nextBillDate(
            stretch,
            move,
            billCycleDayAt(bundle, subscription, move, alignedTo.billCycleDayLocal),
            bundle.time,
          );
    if (effectiveAt <= stretch.from || (stretch.until !== null && effectiveAt >= stretch.until)) continue;
    moves.set(effectiveAt, { ...move, effectiveAt });
    inForce = phase;
  }
  return [...moves.values()];
};
