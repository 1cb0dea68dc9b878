import {
  type AccountTime,
  type Instant,
  type LocalDate,
  instantOf,
  localDateOf,
  midnightOf,
  startOfDay,
  zonedDateOf,
} from '@billstream/kernel';
import type { RecordedAccount } from './account-invoices.events';
import { accountTimeOf } from './billing-events';
import type { InvoicingSettings } from './invoicing-settings';

/**
 * The calendar of usage (Kill Bill 3.5): all else is billed at the account's reference time, usage is cut where a day
 * begins. FIXED has the account's frozen offset, VARIABLE the days that the zone really has.
 */
export type UsageCalendar = { readonly time: AccountTime; readonly zone: InvoicingSettings['usageZone'] };

export const usageCalendarOf = (account: RecordedAccount, { usageZone }: InvoicingSettings): UsageCalendar => ({
  time: accountTimeOf(account),
  zone: usageZone,
});

export const usageDateOf = (instant: Instant, { time, zone }: UsageCalendar): LocalDate =>
  zone === 'VARIABLE' ? zonedDateOf(instant, time.timeZone) : localDateOf(instant, time);

export const usageDayStart = (date: LocalDate, { time, zone }: UsageCalendar): Instant =>
  zone === 'VARIABLE' ? startOfDay(date, time.timeZone) : midnightOf(date, time);

/** When usage up to a day is charged: with all else of that day, never before the day has begun. */
export const usageBilledAt = (date: LocalDate, calendar: UsageCalendar): Instant => {
  const [begins, billed] = [usageDayStart(date, calendar), instantOf(date, calendar.time)];
  return begins > billed ? begins : billed;
};
