import { type Currency, compare, decimal, isNegative, parseDecimal, settle } from '@billstream/kernel';
import { invalidValue } from './problems';

/** More than anybody pays, and well within what minor units can count exactly. */
const amountMax = decimal(1_000_000_000_000);

/** A positive amount of a request in minor units; null when none is given. Refusals name the field. */
export const amountFrom = (name: string, value: unknown, currency: Currency | null): number | null => {
  if (value === undefined || value === null) return null;
  const amount = parseDecimal(value);
  if (amount === null) throw invalidValue(`${name} must be a decimal`);
  if (compare(amount, amountMax) > 0) throw invalidValue(`${name} must not be above ${amountMax}`);
  if (isNegative(amount)) throw invalidValue(`${name} must be positive`);
  if (currency === null) throw invalidValue(`${name}: the account has no currency`);
  const { minor } = settle(amount, currency);
  if (minor <= 0) throw invalidValue(`${name} must be positive`);
  return minor;
};
