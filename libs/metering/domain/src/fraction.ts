import { type Decimal, type Rounding, decimal, divide, multiply, round } from '@billstream/kernel';

/** An exact quotient. Means of samples are these: rounding them hour by hour would change the bill. Denominator > 0. */
export type Fraction = { readonly over: bigint; readonly under: bigint };

const digits = 9;
const scale = 10n ** BigInt(digits);

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b));
const reduced = (over: bigint, under: bigint): Fraction => {
  const divisor = gcd(over, under) || 1n;
  return { over: over / divisor, under: under / divisor };
};

export const nothing: Fraction = { over: 0n, under: 1n };

/** Amounts have at most nine digits behind the point (M9), so every one is a whole number of billionths. */
export const fractionOf = (amount: Decimal): Fraction =>
  reduced(BigInt(round(multiply(amount, decimal(scale.toString())), 0)), scale);

export const plus = (a: Fraction, b: Fraction): Fraction =>
  reduced(a.over * b.under + b.over * a.under, a.under * b.under);
export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { over: -b.over, under: b.under });
export const dividedBy = (a: Fraction, n: number): Fraction => reduced(a.over, a.under * BigInt(n));
export const isAbove = (a: Fraction, b: Fraction): boolean => a.over * b.under > b.over * a.under;
export const lesser = (a: Fraction, b: Fraction): Fraction => (isAbove(a, b) ? b : a);
export const greater = (a: Fraction, b: Fraction): Fraction => (isAbove(a, b) ? a : b);
export const total = (values: readonly Fraction[]): Fraction => values.reduce(plus, nothing);

/** As decimal text; a quotient without an exact text is cut at nine digits, HALF_UP. */
export const toDecimal = ({ over, under }: Fraction, places = digits, rounding: Rounding = 'HALF_UP'): Decimal =>
  divide(decimal(over.toString()), decimal(under.toString()), places, rounding);
