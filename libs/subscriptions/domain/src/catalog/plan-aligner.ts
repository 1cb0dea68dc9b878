import {
  type AccountTime,
  type Decimal,
  type Instant,
  daysBetween,
  isZero,
  localDateOf,
  plusDuration,
  plusMs,
} from '@billstream/kernel';
import type { PhaseType, ResolvedPhase } from '@billstream/subscriptions-contracts';

/** A phase of a plan, and when it begins. */
export type PlannedPhase = { readonly startsAt: Instant; readonly phase: ResolvedPhase };

/** The phases from the one in force at a date on; `expiresAt` is set when the last one has an end. */
export type PhasePlan = { readonly phases: readonly PlannedPhase[]; readonly expiresAt: Instant | null };

const dayMs = 86_400_000;

/**
 * Durations are added on the account's calendar (Kill Bill #1923), the time of day stays. Days have 24 hours there,
 * because the account's offset is frozen.
 */
export const plusPhase = (
  at: Instant,
  { unit, number }: NonNullable<ResolvedPhase['duration']>,
  time: AccountTime,
): Instant => {
  const day = localDateOf(at, time);
  return plusMs(at, daysBetween(day, plusDuration(day, unit, number)) * dayMs);
};

const endOf = ({ startsAt, phase }: PlannedPhase, time: AccountTime): Instant | null =>
  phase.duration === null ? null : plusPhase(startsAt, phase.duration, time);

const layFrom = (phases: readonly ResolvedPhase[], from: Instant, time: AccountTime): PhasePlan => {
  const laid: PlannedPhase[] = [];
  let next: Instant | null = from;
  for (const phase of phases) {
    if (next === null) break;
    const planned: PlannedPhase = { startsAt: next, phase };
    laid.push(planned);
    next = endOf(planned, time);
  }
  return { phases: laid, expiresAt: next };
};

/**
 * Lays a plan's phases on the calendar from `alignedAt`, and keeps those from `effectiveAt` on, the first being the last
 * one that begins by then (Kill Bill's PlanAligner). Null when the plan has no phase of the type asked for.
 */
export const alignPhases = (
  phases: readonly ResolvedPhase[],
  {
    alignedAt,
    effectiveAt,
    startIn,
  }: { readonly alignedAt: Instant; readonly effectiveAt: Instant; readonly startIn: PhaseType | null },
  time: AccountTime,
): PhasePlan | null => {
  if (startIn !== null) {
    const first = phases.findIndex(({ phaseType }) => phaseType === startIn);
    return first < 0 ? null : layFrom(phases.slice(first), effectiveAt, time);
  }
  const plan = layFrom(phases, alignedAt, time);
  const current = Math.max(
    0,
    plan.phases.findLastIndex(({ startsAt }) => startsAt <= effectiveAt),
  );
  return { phases: plan.phases.slice(current), expiresAt: plan.expiresAt };
};

const costsSomethingAgain = (price: Decimal | undefined): boolean => price !== undefined && !isZero(price);

/** Start plus the leading phases that end and have no recurring price above zero (Kill Bill's DefaultPlan). */
export const firstBillableAt = (startsAt: Instant, phases: readonly ResolvedPhase[], time: AccountTime): Instant => {
  let at = startsAt;
  for (const { duration, recurring } of phases) {
    if (duration === null || costsSomethingAgain(recurring?.price)) return at;
    at = plusPhase(at, duration, time);
  }
  return at;
};
