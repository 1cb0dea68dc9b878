import { type Decimal, type Instant, isNegative, parseDecimal, parseInstant } from '@billstream/kernel';

export type ShapeError = { readonly pointer: string; readonly message: string };

/** What a part of a JSON document may look like: read and described by one definition, so that the two agree. */
export type Shape<T> = {
  /** JSON Schema, as OpenAPI takes it. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The value, or undefined after having said what is wrong with it; everything wrong is said, not only the first. */
  read(value: unknown, pointer: string, errors: ShapeError[]): T | undefined;
};

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const scalar = <T>(schema: Shape<T>['schema'], message: string, parse: (value: unknown) => T | null): Shape<T> => ({
  schema,
  read: (value, pointer, errors) => {
    const parsed = parse(value);
    if (parsed !== null) return parsed;
    errors.push({ pointer, message });
    return undefined;
  },
});

const nameLengthMax = 255;

export const text: Shape<string> = scalar(
  { type: 'string', minLength: 1, maxLength: nameLengthMax },
  `must be a text of 1 to ${nameLengthMax} characters`,
  (value) => (typeof value === 'string' && value !== '' && value.length <= nameLengthMax ? value : null),
);

export const oneOf = <T extends string>(allowed: readonly T[]): Shape<T> =>
  scalar(
    { type: 'string', enum: [...allowed] },
    `must be one of ${allowed.join(', ')}`,
    (value) => allowed.find((one) => one === value) ?? null,
  );

/** A number with any amount of digits: as text, or as a JSON number where that is exact enough. */
export const decimalNumber: Shape<Decimal> = scalar(
  { oneOf: [{ type: 'string', pattern: String.raw`^-?\d+(\.\d+)?$` }, { type: 'number' }] },
  'must be a number, best as text',
  parseDecimal,
);

export const price: Shape<Decimal> = scalar(
  {
    oneOf: [
      { type: 'string', pattern: String.raw`^\d+(\.\d+)?$` },
      { type: 'number', minimum: 0 },
    ],
  },
  'must be an amount that is not negative, best as text',
  (value) => {
    const parsed = parseDecimal(value);
    return parsed === null || isNegative(parsed) ? null : parsed;
  },
);

export const wholeNumber = (minimum: number, maximum: number): Shape<number> =>
  scalar({ type: 'integer', minimum, maximum }, `must be a whole number from ${minimum} to ${maximum}`, (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum ? value : null,
  );

export const instant: Shape<Instant> = scalar(
  { type: 'string', format: 'date-time' },
  'must be an instant, e.g. 2026-01-01T00:00:00Z',
  (value) => (typeof value === 'string' ? parseInstant(value.includes('T') ? value : `${value}T00:00:00Z`) : null),
);

export const listOf = <T>(item: Shape<T>, maxItems = 10_000): Shape<readonly T[]> => ({
  schema: { type: 'array', items: item.schema, maxItems },
  read: (value, pointer, errors) => {
    if (!Array.isArray(value) || value.length > maxItems) {
      errors.push({ pointer, message: `must be a list of at most ${maxItems}` });
      return undefined;
    }
    return value.flatMap((one: unknown, index) => item.read(one, `${pointer}/${index}`, errors) ?? []);
  },
});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object whose keys are free, e.g. prices by currency. */
export const recordOf = <T>(item: Shape<T>, keys: RegExp, maxProperties = 200): Shape<Readonly<Record<string, T>>> => ({
  schema: {
    type: 'object',
    additionalProperties: item.schema,
    description: `Its names match ${keys.source}`,
    maxProperties,
  },
  read: (value, pointer, errors) => {
    if (!isRecord(value) || Object.keys(value).length > maxProperties) {
      errors.push({ pointer, message: `must be an object of at most ${maxProperties} fields` });
      return undefined;
    }
    const entries = Object.entries(value).flatMap(([key, one]): readonly (readonly [string, T])[] => {
      const at = `${pointer}/${escaped(key)}`;
      if (!keys.test(key)) errors.push({ pointer: at, message: `${key} does not match ${keys.source}` });
      const read = item.read(one, at, errors);
      return read === undefined ? [] : [[key, read]];
    });
    return Object.fromEntries(entries);
  },
});

type Field<T> = { readonly shape: Shape<T>; readonly fallback?: { readonly value: T } };
type Fields<T> = { readonly [Name in keyof T]-?: Field<T[Name]> };

export const needed = <T>(shape: Shape<T>): Field<T> => ({ shape });
/** A field that may be left out, and what it then is. */
export const optional = <T, Absent>(shape: Shape<T>, absent: Absent): Field<T | Absent> => ({
  shape: {
    schema: absent === null ? { ...shape.schema, nullable: true } : shape.schema,
    read: (value, pointer, errors) => (value === null && absent === null ? absent : shape.read(value, pointer, errors)),
  },
  fallback: { value: absent },
});

/** An object with these fields and no other. */
export const objectOf = <T extends object>(fields: Fields<T>, description?: string): Shape<T> => {
  const entries = Object.entries<Field<unknown>>(fields);
  const required = entries.filter(([, { fallback }]) => fallback === undefined).map(([name]) => name);
  return {
    schema: {
      type: 'object',
      ...(description === undefined ? {} : { description }),
      properties: Object.fromEntries(entries.map(([name, { shape }]) => [name, shape.schema])),
      additionalProperties: false,
      ...(required.length === 0 ? {} : { required }),
    },
    read: (value, pointer, errors) => {
      if (!isRecord(value)) {
        errors.push({ pointer, message: 'must be an object' });
        return undefined;
      }
      const before = errors.length;
      for (const name of Object.keys(value))
        if (!(name in fields)) errors.push({ pointer: `${pointer}/${escaped(name)}`, message: 'is not known here' });
      const read = entries.map(([name, { shape, fallback }]) => {
        const given = value[name];
        if (given !== undefined) return [name, shape.read(given, `${pointer}/${escaped(name)}`, errors)];
        if (fallback === undefined) errors.push({ pointer: `${pointer}/${escaped(name)}`, message: 'is missing' });
        return [name, fallback?.value];
      });
      return errors.length > before ? undefined : (Object.fromEntries(read) as T);
    },
  };
};

export const readAs = <T>(
  shape: Shape<T>,
  value: unknown,
): { readonly value: T } | { readonly errors: readonly ShapeError[] } => {
  const errors: ShapeError[] = [];
  const read = shape.read(value, '', errors);
  return read === undefined || errors.length > 0 ? { errors } : { value: read };
};
