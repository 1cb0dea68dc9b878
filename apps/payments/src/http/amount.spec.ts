import type { Currency } from '@billstream/kernel';
import { amountFrom } from './amount';

const usd = 'USD' as Currency;
const jpy = 'JPY' as Currency;

describe('an amount of a request', () => {
  it.each([
    [20, usd, 2_000],
    ['16.45', usd, 1_645],
    [500, jpy, 500],
    [1e12, usd, 1e14],
    [null, usd, null],
    [undefined, null, null],
  ])('%p in %s is %p minor units', (value, currency, minor) => {
    expect(amountFrom('purchasedAmount', value, currency)).toBe(minor);
  });
  it.each([1e22, 1_000_000_000_000.01, -1e22, 0, -1, 0.001, 'much', Number.NaN, Infinity])('%p is refused', (value) => {
    expect(() => amountFrom('purchasedAmount', value, usd)).toThrow(/^purchasedAmount must/);
  });
  it('needs a currency', () => {
    expect(() => amountFrom('purchasedAmount', 1, null)).toThrow(/^purchasedAmount: the account has no currency/);
  });
});
