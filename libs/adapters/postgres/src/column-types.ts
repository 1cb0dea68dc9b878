import { types, type CustomTypesConfig } from 'pg';

type Parse = (text: string) => unknown;

const typeIds = {
  int8: 20,
  int8Array: 1016,
  date: 1082,
  dateArray: 1182,
  timestamp: 1114,
  timestampArray: 1115,
  timestamptz: 1184,
  timestamptzArray: 1185,
  numeric: 1700,
  numericArray: 1231,
  textArray: 1009,
} as const;

const asText: Parse = (text) => text;

const utcTimestamp = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d+))?\+00$/;

/**
 * `2026-03-01 10:00:00.12+00` becomes `2026-03-01T10:00:00.120Z`. Microseconds are cut, not rounded, so that an instant
 * never moves into the next day. What has no such form (`infinity`, years beyond 9999) stays as PostgreSQL wrote it.
 */
const instant = (text: string): string => {
  const match = utcTimestamp.exec(text);
  if (!match) return text;
  const [, date, time, fraction = ''] = match;
  return `${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
};

const deep = (value: unknown, parse: Parse): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => deep(item, parse));
  return typeof value === 'string' ? parse(value) : value;
};

type TypeParserOf = (id: number, format?: 'text' | 'binary') => Parse;

// The driver's declarations know a closed list of type ids that leaves out every array type.
const driverParserOf = types.getTypeParser as TypeParserOf;
const textArray = driverParserOf(typeIds.textArray);

const arrayOf =
  (parse: Parse): Parse =>
  (text) =>
    deep(textArray(text), parse);

const parsers = new Map<number, Parse>([
  [typeIds.int8, BigInt],
  [typeIds.int8Array, arrayOf(BigInt)],
  [typeIds.date, asText],
  [typeIds.dateArray, arrayOf(asText)],
  [typeIds.timestamp, asText],
  [typeIds.timestampArray, arrayOf(asText)],
  [typeIds.timestamptz, instant],
  [typeIds.timestamptzArray, arrayOf(instant)],
  [typeIds.numeric, asText],
  [typeIds.numericArray, arrayOf(asText)],
]);

/**
 * How columns become JavaScript values. Given to each connection and never registered globally, because another user of
 * `pg` in the same process may expect its defaults. Nothing becomes a `Date` or loses digits in a `number`.
 */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    (format === 'binary' ? undefined : parsers.get(id)) ?? driverParserOf(id, format),
};
