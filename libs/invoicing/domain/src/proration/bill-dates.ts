import { type LocalDate, dayOfMonth, withDayOfMonth } from '@billstream/kernel';
import { type ChargingPeriod, hasBillCycleDay, plusPeriods } from './billing-period';

/** The dates on which a charge that starts at one date falls due: billDate(0), billDate(1), … */
export type BillDates = { readonly first: LocalDate; readonly at: (n: number) => LocalDate };

/**
 * Kill Bill 2.9, steps 1 to 4. The first one is on or after the start; each is counted from the first, so that a bill
 * cycle day of 31 is the 28th in February and the 31st again in March. For more than a month only the day is aligned:
 * a year that starts in October is billed in October, whatever the account's first invoice was.
 */
export const billDates = (start: LocalDate, billCycleDay: number, period: ChargingPeriod): BillDates => {
  if (!hasBillCycleDay(period)) return { first: start, at: (n) => plusPeriods(start, period, n) };
  const day = billCycleDay === 0 ? dayOfMonth(start) : billCycleDay;
  const inMonth = withDayOfMonth(start, day);
  const first = inMonth >= start ? inMonth : withDayOfMonth(plusPeriods(inMonth, period, 1), day);
  return { first, at: (n) => (n === 0 ? first : withDayOfMonth(plusPeriods(first, period, n), day)) };
};

/** The last bill date on or before a date, and its number; null when the first one is later. */
export const lastBillDateUpTo = (
  dates: BillDates,
  date: LocalDate,
): { readonly n: number; readonly date: LocalDate } | null => {
  if (date < dates.first) return null;
  let n = 0;
  let current = dates.first;
  for (let next = dates.at(1); next <= date; next = dates.at(n + 1)) {
    n += 1;
    current = next;
  }
  return { n, date: current };
};

/** The first bill date after a date. */
export const firstBillDateAfter = (dates: BillDates, date: LocalDate): LocalDate => {
  const last = lastBillDateUpTo(dates, date);
  return last === null ? dates.first : dates.at(last.n + 1);
};
