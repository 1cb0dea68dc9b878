import {
  type AccountTime,
  type Instant,
  instantOf,
  localDateOf,
  parseInstant,
  parseLocalDate,
} from '@billstream/kernel';
import type { When } from './case-file';

const instant = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (parsed === null) throw new Error(`neither a date nor an instant: ${text}`);
  return parsed;
};

export const accountTime = (timeZone: string, referenceTime: string): AccountTime => ({
  timeZone,
  referenceTime: instant(referenceTime),
});

/** The account's day of an instant; a day stays what it is. */
export const dayIn = (account: AccountTime, when: When): string =>
  parseLocalDate(when) ?? localDateOf(instant(when), account);

/** The instant of a day at the account's reference time; an instant stays what it is. */
export const instantIn = (account: AccountTime, when: When): string => {
  const day = parseLocalDate(when);
  return day === null ? instant(when) : instantOf(day, account);
};
