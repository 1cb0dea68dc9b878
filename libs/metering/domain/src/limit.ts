import {
  type Decimal,
  type Instant,
  add,
  compare,
  decimal,
  epochMs,
  instantOfMs,
  larger,
  plusDays,
  startOfDay,
  subtract,
  zero,
  zonedDateOf,
} from '@billstream/kernel';
import type { CountingMethod, Interval, Rule } from './rule';

/** Where a user stands with a unit. SUM: `current` is the sum of the open window; AVG and PEAK: the newest sample. */
export type LimitState = {
  readonly current: Decimal;
  /** Event time of the newest sample; older ones never change a gauge (M2). */
  readonly newestAt: Instant | null;
  readonly windowFrom: Instant | null;
  readonly windowTo: Instant | null;
  readonly override: LimitOverride | null;
  /** Records that were billed and limited nothing, because their time lay outside the window or before the newest sample (M4). */
  readonly passedOver: number;
};

/** A state set by hand (M18); it holds until `until`, or until it is cleared. */
export type LimitOverride = {
  readonly state: 'LIMITED' | 'RELEASED';
  readonly until: Instant | null;
  readonly reason: string;
};

export type LimitSample = { readonly at: Instant; readonly amount: Decimal };

export const untouched: LimitState = {
  current: zero,
  newestAt: null,
  windowFrom: null,
  windowTo: null,
  override: null,
  passedOver: 0,
};

/** What a check answers. `remaining` is floored at -1 as in the original; `limited` is "usage exceeds the limit" (M1). */
export type LimitVerdict = {
  readonly current: Decimal;
  readonly limit: Decimal | null;
  readonly remaining: Decimal | null;
  readonly limited: boolean;
  readonly exhausted: boolean;
  readonly resetAt: Instant | null;
};

const windowMsMax = 25 * 3_600_000;
const intervalMs: Readonly<Record<Interval, number>> = { HOUR: 3_600_000, DAY: 86_400_000 };

/** The window of the reset interval around an instant, in the account's zone or from the first use. */
const windowAround = (at: Instant, rule: Rule, timeZone: string): { readonly from: Instant; readonly to: Instant } => {
  const interval = rule.limitRefreshInterval ?? 'HOUR';
  if (rule.windowAnchor === 'FIRST_USE') return { from: at, to: instantOfMs(epochMs(at) + intervalMs[interval]) };
  const date = zonedDateOf(at, timeZone);
  const dayStart = startOfDay(date, timeZone);
  if (interval === 'DAY') return { from: dayStart, to: startOfDay(plusDays(date, 1), timeZone) };
  const from = epochMs(dayStart) + Math.floor((epochMs(at) - epochMs(dayStart)) / intervalMs.HOUR) * intervalMs.HOUR;
  return { from: instantOfMs(from), to: instantOfMs(from + intervalMs.HOUR) };
};

/** The state as it is at `now`: a window that has ended counts nothing any more, an override that has ended is gone. */
export const atNow = (state: LimitState, now: Instant): LimitState => ({
  ...state,
  ...(state.windowTo !== null && state.windowTo <= now ? { current: zero, windowFrom: null, windowTo: null } : {}),
  override: state.override?.until != null && state.override.until <= now ? null : state.override,
});

const passedOver = (state: LimitState): LimitState => ({ ...state, passedOver: state.passedOver + 1 });

/** What a state is judged by: the rule that holds for the user now. */
export type LimitTerms = { readonly method: CountingMethod; readonly rule: Rule; readonly timeZone: string };

/**
 * The state after a record. A SUM record counts when its event time lies inside the window open at `now`; an older or
 * future one is billed but does not limit (M4). A gauge takes the sample unless a newer one was seen.
 */
export const afterSample = (
  state: LimitState,
  sample: LimitSample,
  now: Instant,
  { method, rule, timeZone }: LimitTerms,
): LimitState => {
  if (method !== 'SUM')
    return state.newestAt !== null && sample.at < state.newestAt
      ? passedOver(state)
      : { ...state, current: sample.amount, newestAt: sample.at };
  const open = atNow(state, now);
  // No window is longer than a day of 25 hours: a backfill of old records need not look into the calendar for each.
  if (Math.abs(epochMs(sample.at) - epochMs(now)) > windowMsMax) return passedOver(open);
  const window =
    open.windowFrom !== null && open.windowTo !== null
      ? { from: open.windowFrom, to: open.windowTo }
      : windowAround(rule.windowAnchor === 'FIRST_USE' ? sample.at : now, rule, timeZone);
  if (sample.at < window.from || sample.at >= window.to || window.to <= now) return passedOver(open);
  const newestAt = open.newestAt === null || sample.at > open.newestAt ? sample.at : open.newestAt;
  return { ...open, current: add(open.current, sample.amount), newestAt, windowFrom: window.from, windowTo: window.to };
};

/** The counter set by hand (the original's reset): the open window goes on from `amount`. A gauge has no counter. */
export const afterReset = (
  state: LimitState,
  amount: Decimal,
  now: Instant,
  { method, rule, timeZone }: LimitTerms,
): LimitState => {
  if (method !== 'SUM') return state;
  const open = atNow(state, now);
  const window =
    open.windowFrom !== null && open.windowTo !== null
      ? { from: open.windowFrom, to: open.windowTo }
      : windowAround(now, rule, timeZone);
  return { ...open, current: amount, windowFrom: window.from, windowTo: window.to };
};

/** A record as it counted and as it counts from now on; null: not for this user and unit. */
export type CorrectedSample = {
  readonly before: LimitSample | null;
  readonly after: LimitSample | null;
  /** A gauge's newest sample after the correction; null: it has none. */
  readonly newest: LimitSample | null;
};

/**
 * The state after a record was corrected. What counted in the open window is taken out of it, never more than is there (a
 * counter may have been set by hand since); what counts now and lies in it is put in. A gauge stands where its newest sample is.
 */
export const afterCorrection = (
  state: LimitState,
  { before, after, newest }: CorrectedSample,
  now: Instant,
  terms: LimitTerms,
): LimitState => {
  if (terms.method !== 'SUM') return { ...state, current: newest?.amount ?? zero, newestAt: newest?.at ?? null };
  const open = atNow(state, now);
  const { windowFrom, windowTo } = open;
  const counted =
    before !== null && windowFrom !== null && windowTo !== null && before.at >= windowFrom && before.at < windowTo;
  const without = counted ? { ...open, current: larger(subtract(open.current, before.amount), zero) } : open;
  return after === null ? without : afterSample(without, after, now, terms);
};

export const verdict = (state: LimitState, now: Instant, limit: Decimal | null): LimitVerdict => {
  const { current, override, windowTo } = atNow(state, now);
  const exceeded = limit !== null && compare(current, limit) > 0;
  const remaining = limit === null ? null : subtract(limit, current);
  return {
    current,
    limit,
    remaining: remaining !== null && compare(remaining, decimal(-1)) < 0 ? decimal(-1) : remaining,
    limited: override === null ? exceeded : override.state === 'LIMITED',
    exhausted: limit !== null && compare(current, limit) >= 0,
    resetAt: windowTo,
  };
};
