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
import { type CycleFacts, calendarMonths, cycleAround } from './billing-cycle';
import type { CountingMethod, Rule } from './rule';

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
const hourMs = 3_600_000;
const intervalMs = { HOUR: hourMs, DAY: 24 * hourMs } as const;

/** What a state is judged by: the rule that holds for the user now, and how the user's subscription is billed. */
export type LimitTerms = {
  readonly method: CountingMethod;
  readonly rule: Rule;
  readonly timeZone: string;
  /** Null: no subscription, so calendar months. */
  readonly cycle?: CycleFacts | null;
};

/** Half-open; null is without end. */
type Window = { readonly from: Instant | null; readonly to: Instant | null };

const holds = ({ from, to }: Window, at: Instant): boolean => (from === null || at >= from) && (to === null || at < to);

/** The window that is open, else the one of the reset interval around `now`, or from the first use, at `usedAt`. */
const openWindow = (
  { windowFrom, windowTo }: LimitState,
  { rule, timeZone, cycle }: LimitTerms,
  { now, usedAt }: { readonly now: Instant; readonly usedAt: Instant },
): Window => {
  const interval = rule.limitRefreshInterval ?? 'HOUR';
  if (interval === 'MANUAL') return { from: windowFrom, to: null };
  if (windowFrom !== null && windowTo !== null) return { from: windowFrom, to: windowTo };
  if (interval === 'SUBSCRIPTION_CYCLE') return cycleAround(now, cycle ?? calendarMonths(timeZone));
  if (rule.windowAnchor === 'FIRST_USE')
    return { from: usedAt, to: instantOfMs(epochMs(usedAt) + intervalMs[interval]) };
  const date = zonedDateOf(now, timeZone);
  const dayStart = startOfDay(date, timeZone);
  if (interval === 'DAY') return { from: dayStart, to: startOfDay(plusDays(date, 1), timeZone) };
  const from = epochMs(dayStart) + Math.floor((epochMs(now) - epochMs(dayStart)) / hourMs) * hourMs;
  return { from: instantOfMs(from), to: instantOfMs(from + hourMs) };
};

/** The state as it is at `now`: a window that has ended counts nothing any more, an override that has ended is gone. */
export const atNow = (state: LimitState, now: Instant): LimitState => ({
  ...state,
  ...(state.windowTo !== null && state.windowTo <= now ? { current: zero, windowFrom: null, windowTo: null } : {}),
  override: state.override?.until != null && state.override.until <= now ? null : state.override,
});

/**
 * The instant after which a use at the earliest has opened a window that is open at `now`; null: windows are not opened by
 * use. What came before it had a window of its own, which is over.
 */
export const firstUseAfter = ({ rule }: LimitTerms, now: Instant): Instant | null => {
  const interval = rule.limitRefreshInterval ?? 'HOUR';
  return rule.windowAnchor === 'FIRST_USE' && (interval === 'HOUR' || interval === 'DAY')
    ? instantOfMs(epochMs(now) - intervalMs[interval])
    : null;
};

/** The window that use counts in at `now`; of one that opens with its first use, by the first there is. Null: none counts. */
export const windowForUse = (
  state: LimitState,
  terms: LimitTerms,
  { now, firstUseAt }: { readonly now: Instant; readonly firstUseAt: Instant | null },
): { readonly from: Instant | null; readonly to: Instant | null } | null => {
  const open = atNow(state, now);
  const isOpenedByUse = open.windowTo === null && terms.rule.windowAnchor === 'FIRST_USE';
  const window = openWindow(open, terms, { now, usedAt: isOpenedByUse ? (firstUseAt ?? now) : now });
  return window.to !== null && window.to <= now ? null : window;
};

const passedOver = (state: LimitState): LimitState => ({ ...state, passedOver: state.passedOver + 1 });

/**
 * The state after a record. A SUM record counts when its event time lies inside the window open at `now`; an older or
 * future one is billed but does not limit (M4). A gauge takes the sample unless a newer one was seen.
 */
export const afterSample = (state: LimitState, sample: LimitSample, now: Instant, terms: LimitTerms): LimitState => {
  if (terms.method !== 'SUM')
    return state.newestAt !== null && sample.at < state.newestAt
      ? passedOver(state)
      : { ...state, current: sample.amount, newestAt: sample.at };
  const open = atNow(state, now);
  // No window by the clock is longer than a day of 25 hours: a backfill need not look into the calendar for each record.
  const isByClock = terms.rule.limitRefreshInterval === 'HOUR' || terms.rule.limitRefreshInterval === 'DAY';
  if (isByClock && Math.abs(epochMs(sample.at) - epochMs(now)) > windowMsMax) return passedOver(open);
  const window = openWindow(open, terms, { now, usedAt: sample.at });
  const isOver = window.to !== null && window.to <= now;
  if (isOver || !holds(window, sample.at)) return passedOver(open);
  const newestAt = open.newestAt === null || sample.at > open.newestAt ? sample.at : open.newestAt;
  return { ...open, current: add(open.current, sample.amount), newestAt, windowFrom: window.from, windowTo: window.to };
};

/**
 * The counter set by hand (the original's reset): the open window goes on from `amount`. Where nothing else begins a
 * window anew, this does. A gauge has no counter.
 */
export const afterReset = (state: LimitState, amount: Decimal, now: Instant, terms: LimitTerms): LimitState => {
  if (terms.method !== 'SUM') return state;
  const open = atNow(state, now);
  const window =
    terms.rule.limitRefreshInterval === 'MANUAL'
      ? { from: now, to: null }
      : openWindow(open, terms, { now, usedAt: now });
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
  const { windowFrom: from, windowTo: to } = open;
  const isOpen = to !== null || terms.rule.limitRefreshInterval === 'MANUAL';
  const counted = before !== null && isOpen && holds({ from, to }, before.at);
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
