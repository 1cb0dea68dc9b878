import { type Decimal, type LocalDate, compare, decimal, zero } from '@billstream/kernel';
import type { BillingMode } from '@billstream/subscriptions-contracts';
import { type BillDates, billDates, firstBillDateAfter, lastBillDateUpTo } from './bill-dates';
import type { ChargingPeriod } from './billing-period';
import { type FixedDays, leadingProration, trailingProration } from './proration';

/** A stretch of one price: from a billing event to the next one (null when none is planned), seen from a target date. */
export type Stretch = {
  readonly start: LocalDate;
  readonly end: LocalDate | null;
  readonly targetDate: LocalDate;
  /** 1 to 31; 0 takes the day of the start. */
  readonly billCycleDay: number;
  readonly period: ChargingPeriod;
  readonly mode: BillingMode;
  /** GREEDY charges a period in arrear as soon as it has begun (`org.killbill.invoice.inArrear.mode`). */
  readonly inArrearMode?: 'DEFAULT' | 'GREEDY';
  readonly fixedDays?: FixedDays;
  /** It ended before its first bill date and was charged on that day. */
  readonly isEndCharged?: boolean;
};

/** Half-open [start, end) and the part of a whole period that it is. */
export type ChargedPeriod = { readonly start: LocalDate; readonly end: LocalDate; readonly ratio: Decimal };

export type StretchDates = {
  readonly firstBillDate: LocalDate;
  /** How far the stretch is charged by the target date; null when nothing of it is. */
  readonly effectiveEnd: LocalDate | null;
  readonly lastBillDate: LocalDate;
  readonly nextBillDate: LocalDate;
};

/** The ratio of a whole period. */
export const whole = decimal(1);

const earlier = (a: LocalDate, b: LocalDate | null): LocalDate => (b !== null && b < a ? b : a);

/** Kill Bill 2.9, step 5, in advance. */
const endInAdvance = ({ end, targetDate }: Stretch, dates: BillDates): LocalDate => {
  if (end !== null && end <= targetDate) return end;
  return targetDate < dates.first ? dates.first : earlier(firstBillDateAfter(dates, targetDate), end);
};

/**
 * Kill Bill 2.9, step 5, in arrear: a stretch that ends on the target date is charged at once; that stands on the days
 * between then and its first bill date, too.
 */
const endInArrear = ({ end, targetDate, isEndCharged = false }: Stretch, dates: BillDates): LocalDate | null => {
  if (end === targetDate || (isEndCharged && end !== null && end < targetDate)) return end;
  if (targetDate < dates.first) return null;
  if (end !== null && end <= targetDate) return end;
  return lastBillDateUpTo(dates, targetDate)?.date ?? null;
};

const endInArrearGreedy = ({ end, targetDate }: Stretch, dates: BillDates): LocalDate => {
  if (end !== null && end <= targetDate) return end;
  const last = lastBillDateUpTo(dates, targetDate);
  const reached = last?.date === targetDate ? targetDate : firstBillDateAfter(dates, targetDate);
  return earlier(reached, end);
};

const effectiveEndOf = (stretch: Stretch, dates: BillDates): LocalDate | null => {
  if (stretch.mode === 'IN_ADVANCE') return endInAdvance(stretch, dates);
  return stretch.inArrearMode === 'GREEDY' ? endInArrearGreedy(stretch, dates) : endInArrear(stretch, dates);
};

/** Where a stretch stands at its target date; what schedules the next run and what `chargedPeriods` walks along. */
export const stretchDates = (stretch: Stretch): StretchDates => {
  const dates = billDates(stretch.start, stretch.billCycleDay, stretch.period);
  const effectiveEnd = effectiveEndOf(stretch, dates);
  return {
    firstBillDate: dates.first,
    effectiveEnd,
    lastBillDate: (effectiveEnd === null ? null : lastBillDateUpTo(dates, effectiveEnd)?.date) ?? dates.first,
    nextBillDate: effectiveEnd === null ? dates.first : firstBillDateAfter(dates, effectiveEnd),
  };
};

/**
 * What a stretch charges by its target date, oldest first (Kill Bill 2.9, steps 6 to 8). A stretch of less than a day
 * charges nothing; dates that run backwards are a mistake of the caller and named so. With fixed days a part of a period may
 * count no day at all; then it is no period of its own, and a first one that is left out belongs to the whole one after it.
 */
export const chargedPeriods = (stretch: Stretch): readonly ChargedPeriod[] | 'invalid-date-sequence' => {
  const { start, end, targetDate, period, fixedDays = 0 } = stretch;
  if (targetDate < start || (end !== null && end < start)) return 'invalid-date-sequence';
  if (end === start) return [];
  const dates = billDates(start, stretch.billCycleDay, period);
  const effectiveEnd = effectiveEndOf(stretch, dates);
  if (effectiveEnd === null) return [];
  if (end !== null && end <= dates.first)
    return [{ start, end, ratio: leadingProration(start, end, period, fixedDays) }];
  const periods: ChargedPeriod[] = [];
  const addPart = (part: ChargedPeriod): void => {
    if (compare(part.ratio, zero) > 0) periods.push(part);
  };
  if (start < dates.first)
    addPart({ start, end: dates.first, ratio: leadingProration(start, dates.first, period, fixedDays) });
  let from = dates.first;
  for (let n = 1; dates.at(n) <= effectiveEnd; n += 1) {
    periods.push({ start: periods.length === 0 ? start : from, end: dates.at(n), ratio: whole });
    from = dates.at(n);
  }
  if (from < effectiveEnd)
    addPart({ start: from, end: effectiveEnd, ratio: trailingProration(from, effectiveEnd, period, fixedDays) });
  return periods;
};
