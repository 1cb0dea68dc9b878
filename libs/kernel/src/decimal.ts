import { Decimal as Library } from 'decimal.js';
import type { Brand } from './brand';

const Exact = Library.clone({ precision: 80, rounding: Library.ROUND_HALF_UP, toExpNeg: -60, toExpPos: 60 });

/** An exact decimal as text without exponent, e.g. `-12.50`; the only form in which fractions travel or are stored. */
export type Decimal = Brand<string, 'Decimal'>;

export type Rounding = 'HALF_UP' | 'HALF_EVEN' | 'CEIL' | 'FLOOR';

const modes: Readonly<Record<Rounding, Library.Rounding>> = {
  HALF_UP: Library.ROUND_HALF_UP,
  HALF_EVEN: Library.ROUND_HALF_EVEN,
  CEIL: Library.ROUND_CEIL,
  FLOOR: Library.ROUND_FLOOR,
};

const text = (value: Library): Decimal => value.toFixed() as Decimal;

/** Accepts a finite number or plain decimal text (an exponent is allowed in numbers); null for anything else. */
export const parseDecimal = (value: unknown): Decimal | null => {
  if (typeof value === 'number') return Number.isFinite(value) ? text(new Exact(value)) : null;
  if (typeof value !== 'string' || !/^[+-]?(\d{1,60}(\.\d{0,60})?|\.\d{1,60})$/.test(value.trim())) return null;
  return text(new Exact(value.trim()));
};

/** A decimal that the program itself wrote down; throws on anything that is none, because then the program is wrong. */
export const decimal = (value: number | string): Decimal => {
  const parsed = parseDecimal(value);
  if (parsed === null) throw new RangeError(`not a decimal: ${value}`);
  return parsed;
};

export const zero = decimal(0);
export const add = (a: Decimal, b: Decimal): Decimal => text(new Exact(a).plus(b));
export const subtract = (a: Decimal, b: Decimal): Decimal => text(new Exact(a).minus(b));
export const multiply = (a: Decimal, b: Decimal): Decimal => text(new Exact(a).times(b));
/** Division to a stated number of digits behind the point; a quotient has no exact text otherwise. */
export const divide = (a: Decimal, b: Decimal, scale: number, rounding: Rounding = 'HALF_UP'): Decimal =>
  text(new Exact(a).div(b).toDecimalPlaces(scale, modes[rounding]));
export const round = (a: Decimal, scale: number, rounding: Rounding = 'HALF_UP'): Decimal =>
  text(new Exact(a).toDecimalPlaces(scale, modes[rounding]));
export const negate = (a: Decimal): Decimal => text(new Exact(a).negated());
/** Negative, zero or positive as a is below, equal to or above b. */
export const compare = (a: Decimal, b: Decimal): number => new Exact(a).comparedTo(b);
export const isZero = (a: Decimal): boolean => new Exact(a).isZero();
export const isNegative = (a: Decimal): boolean => compare(a, zero) < 0;
export const smaller = (a: Decimal, b: Decimal): Decimal => (compare(a, b) <= 0 ? a : b);
export const larger = (a: Decimal, b: Decimal): Decimal => (compare(a, b) >= 0 ? a : b);
export const sum = (values: readonly Decimal[]): Decimal =>
  text(values.reduce((total, value) => total.plus(value), new Exact(0)));
/** For JSON of APIs whose amounts are numbers (Kill Bill, the original metering API). Not for arithmetic. */
export const toNumber = (a: Decimal): number => new Exact(a).toNumber();
