import type { LimitCause, LimitStatus } from '@billstream/metering-contracts';
import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import {
  type CorrectedSample,
  type LimitOverride,
  type LimitSample,
  type LimitState,
  type LimitTerms,
  afterCorrection,
  afterReset,
  afterSample,
  verdict,
} from './limit';

/** Where a user stands with a unit, as it was judged last, and how much of that was told to others. */
export type LimitStanding = {
  readonly status: LimitStatus;
  /** Whose counter decided last. */
  readonly subscriptionId: string | null;
  readonly override: LimitOverride | null;
  /** Entries of the history so far: the ordinal of the next one. */
  readonly entries: number;
  /** Ordinal and instant of the last entry that changed the status; -1: none did. */
  readonly changed: number;
  readonly changedAt: Instant | null;
  /** Ordinal told last; -1: none. */
  readonly told: number;
  /** When somebody has to look: news wait to be told, or time alone can change the status. */
  readonly dueAt: Instant | null;
};

export const released: LimitStanding = {
  status: 'RELEASED',
  subscriptionId: null,
  override: null,
  entries: 0,
  changed: -1,
  changedAt: null,
  told: -1,
  dueAt: null,
};

/** Something that can move a limit, in log order. */
export type LimitMove =
  | { readonly kind: 'sample'; readonly sample: LimitSample }
  | { readonly kind: 'correction'; readonly corrected: CorrectedSample }
  | { readonly kind: 'counter'; readonly amount: Decimal }
  | { readonly kind: 'override'; readonly override: LimitOverride | null }
  | { readonly kind: 'told'; readonly ordinal: number }
  | { readonly kind: 'look'; readonly cause: 'RULES_CHANGED' | 'PLANS_CHANGED' };

/** What a user is judged by at an instant. Without a rule there is nothing to count by. */
export type JudgedBy = { readonly subscriptionId: string | null; readonly terms: LimitTerms | null };

export type LimitFacts = {
  readonly now: Instant;
  readonly judgedBy: (at: Instant) => JudgedBy;
  /** The counter of one of the user's subscriptions, or of none. */
  readonly counterOf: (subscriptionId: string | null) => LimitState;
  /** The next instant after `now` at which the user's plans or the unit's rules change; null: none is planned. */
  readonly nextChange: Instant | null;
};

export type LimitEntry = {
  readonly ordinal: number;
  readonly from: LimitStatus;
  readonly to: LimitStatus;
  readonly cause: LimitCause;
  readonly subscriptionId: string | null;
  readonly current: Decimal;
  readonly limit: Decimal | null;
  readonly at: Instant;
  readonly resetAt: Instant | null;
};

export type Followed = {
  readonly standing: LimitStanding;
  /** The counter that was moved; null: none was. */
  readonly counter: { readonly subscriptionId: string | null; readonly state: LimitState } | null;
  readonly entries: readonly LimitEntry[];
};

/** A standing and what its history got since the move came. */
type Course = {
  readonly standing: LimitStanding;
  readonly entries: readonly LimitEntry[];
};

/**
 * What a move does to a standing: first what time has changed on the way to `now`, in its order; then other plans or
 * rules; then the move itself. The same moves give the same history, in whatever pages they come.
 */
export const followLimit = (before: LimitStanding, move: LimitMove, facts: LimitFacts): Followed => {
  const counter = movedCounter(move, facts);
  const known = counter === null ? facts : { ...facts, counterOf: counterAfter(facts, counter) };
  // Most moves are records of users who are far from their limits and about whom there is nothing to say.
  if (before === released && move.kind === 'sample' && facts.nextChange === null && !isLimited(released, known))
    return { standing: before, counter, entries: [] };
  const course = { standing: before, entries: [] };
  const arrived = before === released ? course : judged(timePassed(course, facts), facts, lookOf(move));
  const after = judged({ ...arrived, standing: standingAfter(arrived.standing, move) }, known, effectOf(move));
  const due = dueAt(after.standing, known);
  const isWithoutNews = before === released && due === null && after.entries.length === 0;
  return { standing: isWithoutNews ? before : { ...after.standing, dueAt: due }, counter, entries: after.entries };
};

type MovedCounter = NonNullable<Followed['counter']>;

const movedCounter = (move: LimitMove, { now, judgedBy, counterOf }: LimitFacts): MovedCounter | null => {
  if (move.kind !== 'sample' && move.kind !== 'correction' && move.kind !== 'counter') return null;
  const { subscriptionId, terms } = judgedBy(now);
  if (terms?.rule.limitAmount == null) return null;
  const state = counterOf(subscriptionId);
  return { subscriptionId, state: stateAfter(state, move, { now, terms }) };
};

type CounterMove = Extract<LimitMove, { readonly kind: 'sample' | 'correction' | 'counter' }>;

const stateAfter = (
  state: LimitState,
  move: CounterMove,
  { now, terms }: { readonly now: Instant; readonly terms: LimitTerms },
): LimitState => {
  switch (move.kind) {
    case 'sample':
      return afterSample(state, move.sample, now, terms);
    case 'correction':
      return afterCorrection(state, move.corrected, now, terms);
    case 'counter':
      return afterReset(state, move.amount, now, terms);
  }
};

const counterAfter =
  ({ counterOf }: LimitFacts, moved: MovedCounter): LimitFacts['counterOf'] =>
  (subscriptionId) =>
    subscriptionId === moved.subscriptionId ? moved.state : counterOf(subscriptionId);

const verdictAt = (at: Instant, { override }: LimitStanding, { judgedBy, counterOf }: LimitFacts) => {
  const { subscriptionId, terms } = judgedBy(at);
  const limit = terms?.rule.limitAmount ?? null;
  return { subscriptionId, ...verdict({ ...counterOf(subscriptionId), override }, at, limit) };
};

const isLimited = (standing: LimitStanding, facts: LimitFacts): boolean =>
  verdictAt(facts.now, standing, facts).limited;

const standingAfter = (standing: LimitStanding, move: LimitMove): LimitStanding => {
  if (move.kind === 'override') return { ...standing, override: move.override };
  if (move.kind !== 'told') return standing;
  // A later release may count entries otherwise; what was told before is never told again.
  return {
    ...standing,
    told: Math.max(standing.told, move.ordinal),
    entries: Math.max(standing.entries, move.ordinal + 1),
  };
};

/** What is looked at before the move counts, and what the move is the cause of. `always`: an entry even of no change. */
type Look = { readonly cause: LimitCause; readonly always: boolean };

const lookOf = (move: LimitMove): Look => ({
  cause: move.kind === 'look' ? move.cause : 'PLANS_CHANGED',
  always: false,
});

const effectOf = (move: LimitMove): Look => {
  switch (move.kind) {
    case 'sample':
    case 'correction':
      return { cause: 'USAGE', always: false };
    case 'counter':
      return { cause: 'COUNTER_SET', always: true };
    case 'override':
      return { cause: 'OVERRIDDEN', always: true };
    case 'told':
    case 'look':
      return lookOf(move);
  }
};

/** The status at an instant by what holds then, with an entry when it is another one than before. */
const judged = ({ standing, entries }: Course, facts: LimitFacts, { cause, always }: Look, at = facts.now): Course => {
  const { subscriptionId, current, limit, limited, resetAt } = verdictAt(at, standing, facts);
  const to: LimitStatus = limited ? 'LIMITED' : 'RELEASED';
  const { status: from, entries: ordinal, override } = standing;
  if (to === from && !always) return { standing: { ...standing, subscriptionId }, entries };
  const entry = { ordinal, from, to, cause, subscriptionId, current, limit, at };
  return {
    standing: {
      ...standing,
      status: to,
      subscriptionId,
      entries: ordinal + 1,
      ...(to === from ? {} : { changed: ordinal, changedAt: at }),
    },
    entries: [...entries, { ...entry, resetAt: !limited ? null : override === null ? resetAt : override.until }],
  };
};

/** Ends of overrides and windows up to now. Whoever is limited after one of them is so by a window that ends later. */
const timePassed = (start: Course, facts: LimitFacts): Course => {
  let course = start;
  for (let end = nextEnd(course.standing, facts); end !== null && end.at <= facts.now;) {
    const standing = { ...course.standing, override: null };
    course = judged({ ...course, standing }, facts, { cause: end.cause, always: false }, end.at);
    end = nextEnd(course.standing, facts);
  }
  return course;
};

type End = { readonly at: Instant; readonly cause: 'OVERRIDE_ENDED' | 'WINDOW_ENDED' };

/** What time alone changes next. A window matters only to who is limited by it. */
const nextEnd = ({ status, subscriptionId, override }: LimitStanding, { counterOf }: LimitFacts): End | null => {
  if (override !== null) return override.until === null ? null : { at: override.until, cause: 'OVERRIDE_ENDED' };
  const { windowTo } = counterOf(subscriptionId);
  return status === 'LIMITED' && windowTo !== null ? { at: windowTo, cause: 'WINDOW_ENDED' } : null;
};

const dueAt = (standing: LimitStanding, facts: LimitFacts): Instant | null => {
  const { changed, changedAt, told } = standing;
  // News of one instant are due at different ones, lest the second look like a repetition of the first.
  if (changed > told && changedAt !== null) return instantOfMs(epochMs(changedAt) - (changed % 1_000));
  const end = nextEnd(standing, facts)?.at ?? null;
  const { nextChange } = facts;
  return end !== null && (nextChange === null || end < nextChange) ? end : nextChange;
};
