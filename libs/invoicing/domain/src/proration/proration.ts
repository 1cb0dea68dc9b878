import { type Decimal, type LocalDate, daysBetween, daysInMonth, decimal, divide } from '@billstream/kernel';
import { type ChargingPeriod, plusPeriods } from './billing-period';

/**
 * How many days stand for a month when a part of one is charged; 0 means the days it really has
 * (`org.killbill.invoice.proration.fixed.days`).
 */
export type FixedDays = number;

const ratioScale = 9;

/** Days from start to end. With fixed days, a span that crosses into another month counts its first month as that long. */
export const proratedDays = (start: LocalDate, end: LocalDate, fixedDays: FixedDays = 0): number => {
  const days = daysBetween(start, end);
  if (fixedDays === 0 || start.slice(0, 7) === end.slice(0, 7)) return days;
  return days - (daysInMonth(start) - fixedDays);
};

/** The part of a span of `wholeDays` that start to end is: days by days, to 9 digits, HALF_UP (Kill Bill 2.9, 9). */
export const prorationBetween = (
  start: LocalDate,
  end: LocalDate,
  wholeDays: number,
  fixedDays: FixedDays = 0,
): Decimal => divide(decimal(proratedDays(start, end, fixedDays)), decimal(fixedDays || wholeDays), ratioScale);

/** The part of the days from start to end that ends at `cut`. Only the part is counted in fixed days, not the whole. */
export const partOfDays = (start: LocalDate, cut: LocalDate, end: LocalDate, fixedDays: FixedDays = 0): Decimal =>
  divide(decimal(proratedDays(start, cut, fixedDays)), decimal(daysBetween(start, end)), ratioScale);

/** From a start to the next billing date. The whole period is the plain one that ends there, not an aligned one. */
export const leadingProration = (
  start: LocalDate,
  nextBillDate: LocalDate,
  period: ChargingPeriod,
  fixedDays: FixedDays = 0,
): Decimal =>
  prorationBetween(start, nextBillDate, daysBetween(plusPeriods(nextBillDate, period, -1), nextBillDate), fixedDays);

/** From the last billing date to an end. The whole period is the plain one that starts there. */
export const trailingProration = (
  lastBillDate: LocalDate,
  end: LocalDate,
  period: ChargingPeriod,
  fixedDays: FixedDays = 0,
): Decimal =>
  prorationBetween(lastBillDate, end, daysBetween(lastBillDate, plusPeriods(lastBillDate, period, 1)), fixedDays);
