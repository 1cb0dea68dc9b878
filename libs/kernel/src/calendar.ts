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
const text = (date: Temporal.PlainDate): LocalDate => date.toString() as LocalDate;

/** Month ends clamp: 31 January plus one month is 28 or 29 February. */
export const plusDays = (date: LocalDate, days: number): LocalDate => text(plain(date).add({ days }));
export const plusMonths = (date: LocalDate, months: number): LocalDate => text(plain(date).add({ months }));
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
  plain(start).until(plain(end), { largestUnit: 'days' }).days;

export const dayOfMonth = (date: LocalDate): number => Number(date.slice(8, 10));
export const daysInMonth = (date: LocalDate): number => plain(date).daysInMonth;
export const withDayOfMonth = (date: LocalDate, day: number): LocalDate =>
  text(plain(date).with({ day: Math.min(day, daysInMonth(date)) }));

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

const frozenOffsetMs = ({ timeZone, referenceTime }: AccountTime): number =>
  Temporal.Instant.from(referenceTime).toZonedDateTimeISO(timeZone).offsetNanoseconds / 1e6;

export const localDateOf = (instant: Instant, account: AccountTime): LocalDate =>
  instantOfMs(epochMs(instant) + frozenOffsetMs(account)).slice(0, 10) as LocalDate;

/** The day at the account's reference time of day (whole seconds), at the frozen offset. */
export const instantOf = (date: LocalDate, account: AccountTime): Instant => {
  const offset = frozenOffsetMs(account);
  const timeOfDay = instantOfMs(epochMs(account.referenceTime) + offset).slice(11, 19);
  return instantOfMs(epochMs(`${date}T${timeOfDay}.000Z` as Instant) - offset);
};

/** The first instant of a local day in the real zone (metering's buckets follow daylight saving; billing does not). */
export const startOfDay = (date: LocalDate, timeZone: string): Instant =>
  instantOfMs(plain(date).toZonedDateTime({ timeZone }).epochMilliseconds);
export const zonedDateOf = (instant: Instant, timeZone: string): LocalDate =>
  text(Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone).toPlainDate());
