import { Temporal } from 'temporal-polyfill';
import type { Brand } from './brand';
import { type Instant, epochMs, instantOfMs } from './instant';

/** A calendar day without a zone: `yyyy-MM-dd`. Billing happens on these, in the account's calendar. */
export type LocalDate = Brand<string, 'LocalDate'>;
export type DurationUnit = 'DAYS' | 'WEEKS' | 'MONTHS' | 'YEARS';

export const parseLocalDate = (text: string): LocalDate | null => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() as LocalDate;
  } catch {
    return null;
  }
};

const plain = (date: LocalDate): Temporal.PlainDate => Temporal.PlainDate.from(date);

/**
 * Days are counted and months added in whole numbers here: an invoice run asks for little else, and building calendar
 * objects for it took most of its time. Specs hold the results against Temporal's. Years 0000 to 9999, as the text has
 * four digits; going beyond is a bug of the caller.
 */
type YearMonthDay = { readonly year: number; readonly month: number; readonly day: number };

/** The number that two digits of a text say. */
const twoDigits = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;

const partsOf = (date: LocalDate): YearMonthDay => ({
  year: twoDigits(date, 0) * 100 + twoDigits(date, 2),
  month: twoDigits(date, 5),
  day: twoDigits(date, 8),
});

const written: readonly string[] = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));
const digits = (value: number): string => written[value] ?? '';

const dateOf = ({ year, month, day }: YearMonthDay): LocalDate => {
  if (!(year >= 0 && year <= 9999)) throw new RangeError(`the year ${year} is not one of four digits`);
  return `${digits(Math.floor(year / 100))}${digits(year % 100)}-${digits(month)}-${digits(day)}` as LocalDate;
};

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const lengthOfMonth = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : (monthLengths[month - 1] ?? Number.NaN);

/** Days since 0000-03-01: with the leap day at the year's end, the days before a month follow from its number alone. */
const dayNumber = ({ year, month, day }: YearMonthDay): number => {
  const shifted = month > 2 ? year : year - 1;
  const monthFromMarch = (month + 9) % 12;
  return (
    365 * shifted +
    Math.floor(shifted / 4) -
    Math.floor(shifted / 100) +
    Math.floor(shifted / 400) +
    Math.floor((153 * monthFromMarch + 2) / 5) +
    day -
    1
  );
};

const daysIn400Years = 146_097;

/** The inverse: counts within a cycle of 400 years, after which the calendar repeats itself. */
const dateOfDayNumber = (number: number): LocalDate => {
  const cycle = Math.floor(number / daysIn400Years);
  const inCycle = number - cycle * daysIn400Years;
  const yearOfCycle = Math.floor(
    (inCycle - Math.floor(inCycle / 1_460) + Math.floor(inCycle / 36_524) - Math.floor(inCycle / 146_096)) / 365,
  );
  const inYear = inCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const monthFromMarch = Math.floor((5 * inYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return dateOf({
    year: 400 * cycle + yearOfCycle + (month <= 2 ? 1 : 0),
    month,
    day: inYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  });
};

/** Month ends clamp: 31 January plus one month is 28 or 29 February. */
export const plusMonths = (date: LocalDate, months: number): LocalDate => {
  const { year, month, day } = partsOf(date);
  const count = 12 * year + (month - 1) + months;
  const to = { year: Math.floor(count / 12), month: (((count % 12) + 12) % 12) + 1 };
  return dateOf({ ...to, day: Math.min(day, lengthOfMonth(to.year, to.month)) });
};
export const plusDays = (date: LocalDate, days: number): LocalDate => dateOfDayNumber(dayNumber(partsOf(date)) + days);
export const plusDuration = (date: LocalDate, unit: DurationUnit, count: number): LocalDate => {
  switch (unit) {
    case 'DAYS':
      return plusDays(date, count);
    case 'WEEKS':
      return plusDays(date, 7 * count);
    case 'MONTHS':
      return plusMonths(date, count);
    case 'YEARS':
      return plusMonths(date, 12 * count);
  }
};

/** Half-open [start, end): the end date belongs to the next period. Negative when end is before start. */
export const daysBetween = (start: LocalDate, end: LocalDate): number =>
  dayNumber(partsOf(end)) - dayNumber(partsOf(start));

export const dayOfMonth = (date: LocalDate): number => Number(date.slice(8, 10));
export const daysInMonth = (date: LocalDate): number =>
  lengthOfMonth(Number(date.slice(0, 4)), Number(date.slice(5, 7)));
export const withDayOfMonth = (date: LocalDate, day: number): LocalDate => {
  if (day < 1) throw new RangeError(`there is no day ${day} of a month`);
  return dateOf({ ...partsOf(date), day: Math.min(day, daysInMonth(date)) });
};

export const isTimeZone = (name: string): boolean => {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
};

/**
 * How an account turns days into instants and back. The offset is that of the zone at the reference time and stays so
 * for ever, as Kill Bill does it (AccountDateTimeUtils): a summer account in New York is UTC-4 in winter too.
 */
export type AccountTime = { readonly timeZone: string; readonly referenceTime: Instant };

/** The last account's offset: an invoice run asks for one account some hundred times on end. */
let lastOffset: { readonly timeZone: string; readonly referenceTime: Instant; readonly ms: number } | undefined;

const frozenOffsetMs = ({ timeZone, referenceTime }: AccountTime): number => {
  if (lastOffset?.timeZone === timeZone && lastOffset.referenceTime === referenceTime) return lastOffset.ms;
  const ms = Temporal.Instant.from(referenceTime).toZonedDateTimeISO(timeZone).offsetNanoseconds / 1e6;
  lastOffset = { timeZone, referenceTime, ms };
  return ms;
};

const dayMs = 86_400_000;
const firstDayOfEpoch = 719_468;

export const localDateOf = (instant: Instant, account: AccountTime): LocalDate =>
  dateOfDayNumber(firstDayOfEpoch + Math.floor((epochMs(instant) + frozenOffsetMs(account)) / dayMs));

/** The day at the account's reference time of day (whole seconds), at the frozen offset. */
export const instantOf = (date: LocalDate, account: AccountTime): Instant => {
  const offset = frozenOffsetMs(account);
  const reference = epochMs(account.referenceTime) + offset;
  const timeOfDay = Math.floor((reference - Math.floor(reference / dayMs) * dayMs) / 1_000) * 1_000;
  return instantOfMs((dayNumber(partsOf(date)) - firstDayOfEpoch) * dayMs + timeOfDay - offset);
};

/** The first instant of the day in the account's calendar, at the frozen offset. */
export const midnightOf = (date: LocalDate, account: AccountTime): Instant =>
  instantOfMs(epochMs(`${date}T00:00:00.000Z` as Instant) - frozenOffsetMs(account));

/** The first instant of a local day in the real zone (metering's buckets follow daylight saving; billing does not). */
export const startOfDay = (date: LocalDate, timeZone: string): Instant =>
  instantOfMs(plain(date).toZonedDateTime({ timeZone }).epochMilliseconds);
export const zonedDateOf = (instant: Instant, timeZone: string): LocalDate =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate().toString() as LocalDate;

/**
 * A local date and time of a zone as an instant; null when there is no such day or time. Of a time that comes twice the
 * first is meant; one that is left out when clocks go forward is as much later (RFC 5545).
 */
export const instantInZone = (date: LocalDate, time: string, timeZone: string): Instant | null => {
  try {
    const local = Temporal.PlainDate.from(date).toPlainDateTime(Temporal.PlainTime.from(time));
    return instantOfMs(local.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds);
  } catch {
    return null;
  }
};
