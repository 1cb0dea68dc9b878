import { type Instant, derivedId } from '@billstream/kernel';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import type { Bundle, PlanStep, Subscription } from './bundle';
import { type Interval, billingDisabled } from './blocking';
import { billingEnd } from './lifetime';
import { movesWithin, phaseOnEntry } from './version-moves';

type Kind = BillingTransition['kind'];
type Point = {
  readonly seed: string;
  readonly kind: Kind;
  readonly effectiveAt: Instant;
  readonly phase: ResolvedPhase | null;
  /** A newer catalog version comes into force within a phase: a change to those who bill, to nobody else. */
  readonly isMove?: true;
};
type Entry = Point & { readonly phase: ResolvedPhase };

/** A step that takes over another's plan begins with the prices that held by then; its fixed charge stays its own. */
const goingOn = (step: PlanStep, phase: ResolvedPhase, at: Instant): ResolvedPhase => {
  const current = phaseOnEntry(step, phase, at);
  return current === phase ? phase : { ...current, fixedPrice: phase.fixedPrice };
};

const entriesOfStep = (step: PlanStep, next: PlanStep | undefined): readonly Entry[] =>
  step.phases
    .map(({ startsAt, phase }, index): Entry => {
      const effectiveAt = startsAt > step.effectiveAt && index > 0 ? startsAt : step.effectiveAt;
      return {
        seed: `${step.stepId}/${phase.phaseName}`,
        kind: index === 0 ? step.kind : 'PHASE',
        effectiveAt,
        phase: index === 0 ? goingOn(step, phase, effectiveAt) : phaseOnEntry(step, phase, effectiveAt),
      };
    })
    .filter(({ kind, effectiveAt }) => kind !== 'PHASE' || next === undefined || effectiveAt < next.effectiveAt);

const pointsOfStep = (
  bundle: Bundle,
  subscription: Subscription,
  step: PlanStep,
  next: PlanStep | undefined,
): readonly Point[] => {
  const entries = entriesOfStep(step, next);
  if (step.newer === undefined) return entries;
  return entries.flatMap((entry, index): readonly Point[] => {
    const until = (entries[index + 1] ?? next)?.effectiveAt ?? null;
    const moves = movesWithin(bundle, subscription, step, { from: entry.effectiveAt, until, phase: entry.phase });
    return [
      entry,
      ...moves.map(({ effectiveAt, phase }): Point => ({
        seed: `${entry.seed}/${phase.catalogEffectiveDate}`,
        kind: 'CHANGE',
        effectiveAt,
        phase,
        isMove: true,
      })),
    ];
  });
};

/** Without blocking: the steps with their phases, up to the end. */
const planned = (bundle: Bundle, subscription: Subscription): readonly Point[] => {
  const { steps } = subscription;
  const points = steps.flatMap((step, index) => pointsOfStep(bundle, subscription, step, steps[index + 1]));
  const end = billingEnd(bundle, subscription);
  if (end === null) return points;
  // What starts at the very end stays visible, charging nothing; a phase that would begin there never does.
  const isShown = ({ kind, effectiveAt, isMove }: Point): boolean =>
    effectiveAt < end.at || (effectiveAt === end.at && kind !== 'PHASE' && isMove !== true);
  return [...points.filter(isShown), { seed: `end/${end.at}`, kind: end.kind, effectiveAt: end.at, phase: null }];
};

const inForce = (points: readonly Point[], at: Instant): Point | undefined =>
  points.findLast(({ effectiveAt }) => effectiveAt <= at);

/** A day or quantity that changes where nothing else does is a transition of its own, with the phase of that time. */
const withChanges = (
  points: readonly Point[],
  changes: readonly { readonly changeId: string; readonly effectiveAt: Instant }[],
  kind: Kind,
): readonly Point[] => {
  const added = changes.flatMap(({ changeId, effectiveAt }): readonly Point[] => {
    const current = inForce(points, effectiveAt);
    if (current === undefined || current.phase === null || current.effectiveAt === effectiveAt) return [];
    return [{ seed: changeId, kind, effectiveAt, phase: current.phase }];
  });
  return inOrder([...points, ...added]);
};

const inOrder = (points: readonly Point[]): readonly Point[] =>
  points.toSorted((a, b) => (a.effectiveAt < b.effectiveAt ? -1 : a.effectiveAt > b.effectiveAt ? 1 : 0));

const endOf = (points: readonly Point[]): Point | undefined => {
  const last = points.at(-1);
  return last?.phase === null ? last : undefined;
};

/** Nothing is charged outside of the first transition and the end, so there is nothing to disable either. */
const touches = ({ from, to }: Interval, first: Point, end: Point | undefined): boolean =>
  (to === null || to > first.effectiveAt) && (end === undefined || from < end.effectiveAt);

const resumed = (points: readonly Point[], to: Instant | null): readonly Point[] => {
  const end = endOf(points);
  if (to === null || (end !== undefined && end.effectiveAt <= to)) return [];
  const current = inForce(points, to);
  if (current === undefined || current.effectiveAt === to) return [];
  return [{ seed: `enabled/${to}`, kind: 'BILLING_ENABLED', effectiveAt: to, phase: current.phase }];
};

/** Transitions inside a disabled interval vanish; at its end the phase of that time goes on (Kill Bill's BlockingCalculator). */
const withoutInterval = (points: readonly Point[], interval: Interval): readonly Point[] => {
  const { from, to } = interval;
  const [first] = points;
  const end = endOf(points);
  if (first === undefined || !touches(interval, first, end)) return points;
  const inside = (at: Instant): boolean => at >= from && (to === null || at < to);
  const kept = points.filter((point) => point === end || !inside(point.effectiveAt));
  const disabled: readonly Point[] =
    from < first.effectiveAt
      ? []
      : [{ seed: `disabled/${from}`, kind: 'BILLING_DISABLED', effectiveAt: from, phase: null }];
  return inOrder([...kept, ...disabled, ...resumed(points, to)]);
};

/**
 * From when on which resolved phase is charged: past and planned, a function of the bundle's events alone. Sorted by
 * `effectiveAt`; from the first transition to the end, or for ever, there is exactly one in force.
 */
export const timelineOf = (bundle: Bundle, subscription: Subscription): readonly BillingTransition[] => {
  const { dayChanges, quantityChanges, subscriptionId } = subscription;
  const plain = withChanges(
    withChanges(planned(bundle, subscription), dayChanges, 'BCD_CHANGE'),
    quantityChanges,
    'QUANTITY_CHANGE',
  );
  const points = billingDisabled(bundle, subscriptionId).reduce(withoutInterval, plain);
  return points.map(({ seed, kind, effectiveAt, phase, isMove }) => ({
    transitionId: derivedId(subscriptionId, seed, kind),
    kind,
    effectiveAt,
    phase,
    quantity:
      quantityChanges.findLast((change) => change.effectiveAt <= effectiveAt)?.quantity ?? subscription.quantity,
    billCycleDayLocal: dayChanges.findLast((change) => change.effectiveAt <= effectiveAt)?.billCycleDayLocal ?? null,
    ...(isMove === undefined ? {} : { isNewVersion: isMove }),
  }));
};

/** The timeline as if nothing were blocked: what the subscriber has, whether charged or not. */
export const plannedPhases = (
  bundle: Bundle,
  subscription: Subscription,
): readonly {
  readonly transitionId: string;
  readonly kind: Kind;
  readonly effectiveAt: Instant;
  readonly phase: ResolvedPhase | null;
  /** New prices of a later catalog version: the plan and its phase go on. */
  readonly isMove: boolean;
}[] =>
  planned(bundle, subscription).map(({ seed, kind, effectiveAt, phase, isMove }) => ({
    transitionId: derivedId(subscription.subscriptionId, seed, kind),
    kind,
    effectiveAt,
    phase,
    isMove: isMove === true,
  }));
