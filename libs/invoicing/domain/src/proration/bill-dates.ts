import { type LocalDate, dayOfMonth, withDayOfMonth } from '@billstream/kernel';
import { type ChargingPeriod, hasBillCycleDay, plusPeriods, wholePeriodsBetween } from './billing-period';

/** The dates on which a charge that starts at one date falls due: at(0), at(1), … */
export type BillDates = {
  readonly first: LocalDate;
  readonly period: ChargingPeriod;
  readonly at: (n: number) => LocalDate;
};

/** Dates of the stretches that were looked at last: the same account is asked for them several times in a run. */
const rememberedMax = 32;
const remembered = new Map<string, BillDates>();

export const billDates = (start: LocalDate, billCycleDay: number, period: ChargingPeriod): BillDates => {
  const name = `${start} ${billCycleDay} ${period}`;
  const dates = remembered.get(name) ?? newBillDates(start, billCycleDay, period);
  remembered.delete(name);
  remembered.set(name, dates);
  const [oldest] = remembered.keys();
  if (remembered.size > rememberedMax && oldest !== undefined) remembered.delete(oldest);
  return dates;
};

/**
 * Kill Bill 2.9, steps 1 to 4. The first one is on or after the start; each is counted from the first, so that a bill
 * cycle day of 31 is the 28th in February and the 31st again in March. For more than a month only the day is aligned:
 * a year that starts in October is billed in October, whatever the account's first invoice was.
 */
const newBillDates = (start: LocalDate, billCycleDay: number, period: ChargingPeriod): BillDates => {
  if (!hasBillCycleDay(period)) return counted(start, period, (date) => date);
  const day = billCycleDay === 0 ? dayOfMonth(start) : billCycleDay;
  const align = (date: LocalDate): LocalDate => (dayOfMonth(date) === day ? date : withDayOfMonth(date, day));
  const inMonth = align(start);
  return counted(inMonth >= start ? inMonth : align(plusPeriods(inMonth, period, 1)), period, align);
};

/** Each date is worked out once: a run walks the same ones several times. */
const counted = (first: LocalDate, period: ChargingPeriod, align: (date: LocalDate) => LocalDate): BillDates => {
  const known = new Map<number, LocalDate>([[0, first]]);
  const at = (n: number): LocalDate => {
    const before = known.get(n);
    if (before !== undefined) return before;
    const date = align(plusPeriods(first, period, n));
    known.set(n, date);
    return date;
  };
  return { first, period, at };
};

/** The last bill date on or before a date, and its number; null when the first one is later. */
export const lastBillDateUpTo = (
  { first, period, at }: BillDates,
  date: LocalDate,
): { readonly n: number; readonly date: LocalDate } | null => {
  if (date < first) return null;
  // Aligning moves a date within its month, so the count of whole periods is right or one off in either direction.
  const near = wholePeriodsBetween(first, date, period);
  const n = at(near) > date ? near - 1 : at(near + 1) <= date ? near + 1 : near;
  return { n, date: at(n) };
};

/** The first bill date after a date. */
export const firstBillDateAfter = (dates: BillDates, date: LocalDate): LocalDate => {
  const last = lastBillDateUpTo(dates, date);
  return last === null ? dates.first : dates.at(last.n + 1);
};
