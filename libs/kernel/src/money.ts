import { type Currency, minorDigits } from './currency';
import { type Decimal, type Rounding, compare, decimal, divide, multiply, negate, round } from './decimal';

/** An exact, settled amount: whole minor units, so it adds without rounding and survives JSON. */
export type Money = { readonly minor: number; readonly currency: Currency };

const safe = (minor: number): number => {
  if (!Number.isSafeInteger(minor)) throw new RangeError(`amount out of range: ${minor}`);
  return minor === 0 ? 0 : minor;
};

export const money = (minor: number, currency: Currency): Money => ({ minor: safe(minor), currency });

const power = (digits: number): Decimal => decimal(`1${'0'.repeat(digits)}`);

/** Settles an amount in minor units. The only place where a fraction of a minor unit is dropped; HALF_UP, as Kill Bill rounds. */
export const settle = (amount: Decimal, currency: Currency, rounding: Rounding = 'HALF_UP'): Money =>
  money(Number(round(multiply(amount, power(minorDigits(currency))), 0, rounding)), currency);

const statableMinorMax = decimal('1000000000000000');

/** Whether an amount can stand on an invoice: up to 10^15 minor units either way, so that sums of it stay exact. */
export const isStatable = (amount: Decimal, currency: Currency): boolean => {
  const minor = multiply(amount, power(minorDigits(currency)));
  return compare(minor, statableMinorMax) <= 0 && compare(negate(minor), statableMinorMax) <= 0;
};

/** The same amount as decimal text in major units, e.g. `16.45`. */
export const toDecimal = ({ minor, currency }: Money): Decimal =>
  divide(decimal(minor), power(minorDigits(currency)), minorDigits(currency));

/** With all minor digits, for people and gateways: `20.00`, `30000` (KRW). */
export const formatMoney = (amount: Money): string => {
  const digits = minorDigits(amount.currency);
  const sign = amount.minor < 0 ? '-' : '';
  const minor = String(Math.abs(amount.minor)).padStart(digits + 1, '0');
  return digits === 0 ? `${sign}${minor}` : `${sign}${minor.slice(0, -digits)}.${minor.slice(-digits)}`;
};

const sameCurrency = (a: Money, b: Money): void => {
  if (a.currency !== b.currency) throw new TypeError(`cannot mix ${a.currency} and ${b.currency}`);
};

export const addMoney = (a: Money, b: Money): Money => {
  sameCurrency(a, b);
  return money(a.minor + b.minor, a.currency);
};
export const subtractMoney = (a: Money, b: Money): Money => {
  sameCurrency(a, b);
  return money(a.minor - b.minor, a.currency);
};
export const negateMoney = (a: Money): Money => money(-a.minor, a.currency);
export const sumMoney = (amounts: readonly Money[], currency: Currency): Money =>
  amounts.reduce(addMoney, money(0, currency));

/** Splits an amount by whole weights, largest remainder first; the parts always sum to the whole. */
export const allocate = (amount: Money, weights: readonly number[]): readonly Money[] => {
  const total = weights.reduce((a, b) => a + b, 0);
  if (total <= 0 || weights.some((w) => w < 0 || !Number.isSafeInteger(w)))
    throw new RangeError('weights are whole numbers, none negative, not all zero');
  const whole = BigInt(total);
  const shares = weights.map((weight, index) => {
    const product = BigInt(Math.abs(amount.minor)) * BigInt(weight);
    return { index, minor: Number(product / whole), remainder: product % whole };
  });
  let rest = Math.abs(amount.minor) - shares.reduce((given, share) => given + share.minor, 0);
  const extra = new Set<number>();
  for (const share of [...shares].sort((a, b) =>
    a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1,
  )) {
    if (rest === 0) break;
    extra.add(share.index);
    rest -= 1;
  }
  const sign = amount.minor < 0 ? -1 : 1;
  return shares.map(({ index, minor }) => money(sign * (minor + (extra.has(index) ? 1 : 0)), amount.currency));
};
