import {
  type Decimal,
  type Instant,
  type LocalDate,
  epochMs,
  instantOfMs,
  plusDays,
  startOfDay,
  zonedDateOf,
} from '@billstream/kernel';
import {
  type Fraction,
  dividedBy,
  fractionOf,
  greater,
  lesser,
  minus,
  nothing,
  plus,
  toDecimal,
  total,
} from './fraction';
import type { CountingMethod, Rule } from './rule';
import { hourFractionMs, hourMs, hourStartMs } from './zone-hour';

/** Samples of one quarter of an hour, added up. Every offset in use is a multiple of it, so quarters make hours in any zone. */
export type Quarter = { readonly at: Instant; readonly sum: Decimal; readonly count: number; readonly max: Decimal };

export type CountedHour = {
  readonly at: Instant;
  readonly value: Decimal;
  readonly records: number;
  readonly synthetic: boolean;
};
export type CountedDay = {
  readonly date: LocalDate;
  readonly usage: Decimal;
  readonly free: Decimal;
  readonly total: Decimal;
};

/** What a range of usage amounts to. `total` is charged: usage less free amounts, never below zero. */
export type Counted = {
  readonly hours: readonly CountedHour[];
  readonly days: readonly CountedDay[];
  readonly usage: Decimal;
  readonly free: Decimal;
  readonly total: Decimal;
  readonly records: number;
  readonly syntheticHours: number;
  /** Interior gaps longer than the rule's `maxGapHours`: they stay empty (M6). */
  readonly gapsTooLong: number;
};

/** A half-open range of usage in a real time zone: hours and days follow daylight saving (M17). */
export type CountedRange = { readonly fromAt: Instant; readonly toAt: Instant; readonly timeZone: string };

type Hour = { readonly at: number; readonly value: Fraction; readonly records: number; readonly synthetic: boolean };

/**
 * Counts one unit for one user by one rule. Hours first, gaps filled, then days (section 1.7 of the metering contract):
 * SUM adds; AVG and PEAK split by hour add the hours' values, split by day they take the day's mean or maximum.
 */
export const count = (
  quarters: readonly Quarter[],
  { method, rule, range }: { readonly method: CountingMethod; readonly rule: Rule; readonly range: CountedRange },
): Counted => {
  const { hours, gapsTooLong } = filled(hoursOf(quarters, method, range.timeZone), method, rule);
  const days = settledDays(hours, { method, rule, range });
  const usage = total(days.map((day) => day.usage));
  const free = total(days.map((day) => day.free));
  return {
    hours: hours.map(({ at, value, ...rest }) => ({ at: instantOfMs(at), value: toDecimal(value), ...rest })),
    days: days.map((day) => ({
      date: day.date,
      usage: toDecimal(day.usage),
      free: toDecimal(day.free),
      total: toDecimal(minus(day.usage, day.free)),
    })),
    usage: toDecimal(usage),
    free: toDecimal(free),
    total: toDecimal(minus(usage, free)),
    records: quarters.reduce((n, quarter) => n + quarter.count, 0),
    syntheticHours: hours.filter(({ synthetic }) => synthetic).length,
    gapsTooLong,
  };
};

const hoursOf = (quarters: readonly Quarter[], method: CountingMethod, timeZone: string): readonly Hour[] => {
  const first = quarters[0];
  if (!first) return [];
  // Zones change by whole hours or have one fixed fraction, so the fraction at the first sample holds for the range.
  const fractionMs = hourFractionMs(first.at, timeZone);
  const hours = new Map<number, { sum: Fraction; count: number; max: Fraction }>();
  for (const quarter of quarters) {
    const at = hourStartMs(epochMs(quarter.at), fractionMs);
    const before = hours.get(at);
    const max = fractionOf(quarter.max);
    hours.set(at, {
      sum: plus(before?.sum ?? nothing, fractionOf(quarter.sum)),
      count: (before?.count ?? 0) + quarter.count,
      max: before ? greater(before.max, max) : max,
    });
  }
  return [...hours]
    .sort(([a], [b]) => a - b)
    .map(([at, { sum, count: records, max }]) => ({
      at,
      records,
      synthetic: false,
      value: valueOf(method, { sum, records, max }),
    }));
};

const valueOf = (
  method: CountingMethod,
  { sum, records, max }: { sum: Fraction; records: number; max: Fraction },
): Fraction => {
  switch (method) {
    case 'SUM':
      return sum;
    case 'AVG':
      return dividedBy(sum, records);
    case 'PEAK':
      return max;
  }
};

/** Only gaps between two hours with samples are filled: before the first and after the last nothing is known (M5). */
const filled = (
  hours: readonly Hour[],
  method: CountingMethod,
  rule: Rule,
): { readonly hours: readonly Hour[]; readonly gapsTooLong: number } => {
  if (method === 'SUM' || !rule.putEmptyPeriod) return { hours, gapsTooLong: 0 };
  const result: Hour[] = [];
  let gapsTooLong = 0;
  for (const hour of hours) {
    const before = result.at(-1);
    const missing = before ? Math.round((hour.at - before.at) / hourMs) - 1 : 0;
    if (missing > rule.maxGapHours) gapsTooLong += 1;
    if (before && missing > 0 && missing <= rule.maxGapHours) {
      const value = rule.gapPolicy === 'PREVIOUS' ? before.value : dividedBy(plus(before.value, hour.value), 2);
      for (let i = 1; i <= missing; i += 1)
        result.push({ at: before.at + i * hourMs, value, records: 0, synthetic: true });
    }
    result.push(hour);
  }
  return { hours: result, gapsTooLong };
};

const byDay = (hours: readonly Hour[], timeZone: string): ReadonlyMap<LocalDate, readonly Hour[]> => {
  const days = new Map<LocalDate, Hour[]>();
  for (const hour of hours) {
    const date = zonedDateOf(instantOfMs(hour.at), timeZone);
    const day = days.get(date);
    if (day) day.push(hour);
    else days.set(date, [hour]);
  }
  return days;
};

type Day = { readonly date: LocalDate; readonly usage: Fraction; readonly free: Fraction };
type Basis = { readonly method: CountingMethod; readonly rule: Rule; readonly range: CountedRange };

/** By the day; or, where a rule goes by the subscription's cycle, all of the range at once, under its first day (M15). */
const settledDays = (hours: readonly Hour[], basis: Basis): readonly Day[] => {
  const { rule, range, method } = basis;
  if (hours.length === 0) return [];
  if (rule.periodSplitting === 'SUBSCRIPTION_CYCLE' || rule.freePeriod === 'SUBSCRIPTION_CYCLE') {
    const date = zonedDateOf(range.fromAt, range.timeZone);
    const usage =
      method === 'SUM' || rule.periodSplitting !== 'SUBSCRIPTION_CYCLE'
        ? total([...byDay(hours, range.timeZone)].map(([day, own]) => dayOf(day, own, basis).usage))
        : rounded(rangeValue(hours, basis), rule);
    return [{ date, usage, free: freeOf(usage, rule) }];
  }
  return [...byDay(hours, range.timeZone)].map(([date, own]) => dayOf(date, own, basis));
};

const rangeValue = (hours: readonly Hour[], { method, range }: Basis): Fraction => {
  const values = hours.map(({ value }) => value);
  if (method === 'PEAK') return values.reduce(greater, nothing);
  return dividedBy(total(values), Math.max(1, Math.ceil((epochMs(range.toAt) - epochMs(range.fromAt)) / hourMs)));
};

const dayOf = (date: LocalDate, hours: readonly Hour[], { method, rule, range }: Basis): Day => {
  if (method !== 'SUM' && rule.periodSplitting === 'DAY') {
    const usage = rounded(dayValue(date, hours, { method, rule, range }), rule);
    return { date, usage, free: freeOf(usage, rule) };
  }
  const values = hours.map(({ value }) => (method === 'SUM' ? value : rounded(value, rule)));
  const usage = total(values);
  const free = rule.freePeriod === 'HOUR' ? total(values.map((value) => freeOf(value, rule))) : freeOf(usage, rule);
  return { date, usage, free };
};

const dayValue = (date: LocalDate, hours: readonly Hour[], { method, range }: Basis): Fraction => {
  const values = hours.map(({ value }) => value);
  if (method === 'PEAK') return values.reduce(greater, nothing);
  return dividedBy(total(values), hoursInside(date, range));
};

/** Hours of the local day that lie inside the range: 23 or 25 when the clock changes; a part of an hour counts as one. */
const hoursInside = (date: LocalDate, { fromAt, toAt, timeZone }: CountedRange): number => {
  const from = Math.max(epochMs(startOfDay(date, timeZone)), epochMs(fromAt));
  const to = Math.min(epochMs(startOfDay(plusDays(date, 1), timeZone)), epochMs(toAt));
  return Math.max(1, Math.ceil((to - from) / hourMs));
};

/** Unused free amount never carries over, and corrections below zero are not made larger by it (M20). */
const freeOf = (usage: Fraction, rule: Rule): Fraction =>
  rule.freeAmount === null ? nothing : greater(nothing, lesser(fractionOf(rule.freeAmount), usage));

const rounded = (value: Fraction, rule: Rule): Fraction =>
  rule.rounding === 'NONE' ? value : fractionOf(toDecimal(value, 0, rule.rounding));
