import { type LocalDate, localDateOf, parseInstant, parseLocalDate } from '@billstream/kernel';
import { invalidValue } from './problems';

/** A date of a query: a day, or an instant, whose day in UTC counts (Kill Bill 1.2). Absent or empty is null. */
export const dateFrom = (name: string, text: string | undefined): LocalDate | null => {
  if (text === undefined || text === '') return null;
  const instant = text.includes('T') ? parseInstant(text) : null;
  const date =
    instant === null ? parseLocalDate(text) : localDateOf(instant, { timeZone: 'UTC', referenceTime: instant });
  if (date === null) throw invalidValue(`${name}: not a date (yyyy-MM-dd): ${text}`);
  return date;
};
