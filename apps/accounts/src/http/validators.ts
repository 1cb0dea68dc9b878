import { isTimeZone, parseCurrency, parseInstant, parseLocalDate, parseUuid } from '@billstream/kernel';
import { ValidateBy } from 'class-validator';

/** A field is a text that passes a check; the answer says `<field> <what it must be>`. */
const text = (name: string, mustBe: string, check: (text: string) => boolean): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value: unknown) => typeof value === 'string' && check(value),
      defaultMessage: (args) => `${args?.property ?? 'the field'} ${mustBe}`,
    },
  });

export const IsCurrency = (): PropertyDecorator =>
  text('isCurrency', 'must be a currency code (ISO 4217, or BTC)', (value) => parseCurrency(value) !== null);

export const IsTimeZoneName = (): PropertyDecorator =>
  text('isTimeZone', 'must be an IANA time zone or a fixed offset', (value) => value.length <= 50 && isTimeZone(value));

/** An instant, or a day, which is taken as its first instant in UTC. */
export const IsInstantText = (): PropertyDecorator =>
  text('isInstant', 'must be an ISO 8601 instant from the year 1900 on', (value) => instantFrom(value) !== null);

export const IsId = (): PropertyDecorator => text('isId', 'must be a UUID', (value) => parseUuid(value) !== null);

/** From 1900 on, and with a year of four digits: what lies outside is a slip of the keyboard, and no database holds all of it. */
export const instantFrom = (value: string): ReturnType<typeof parseInstant> => {
  const instant = parseInstant(parseLocalDate(value) === null ? value : `${value}T00:00:00.000Z`);
  return instant !== null && instant >= '1900' ? instant : null;
};
