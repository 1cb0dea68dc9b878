import fc from 'fast-check';
import {
  type Currency,
  addMoney,
  allocate,
  decimal,
  formatMoney,
  money,
  parseCurrency,
  settle,
  toDecimal,
} from './index';

const usd = 'USD' as Currency;
const krw = 'KRW' as Currency;
const kwd = 'KWD' as Currency;

describe('money', () => {
  it('settles with HALF_UP at the minor digits of its currency', () => {
    expect(settle(decimal('10.9675'), usd)).toEqual({ minor: 1097, currency: usd });
    expect(settle(decimal('0.005'), usd).minor).toBe(1);
    expect(settle(decimal('-0.005'), usd).minor).toBe(-1);
    expect(settle(decimal('13548.4'), krw).minor).toBe(13548);
    expect(settle(decimal('1.2345'), kwd).minor).toBe(1235);
  });

  it('prints all minor digits', () => {
    expect(formatMoney(money(2000, usd))).toBe('20.00');
    expect(formatMoney(money(-5, usd))).toBe('-0.05');
    expect(formatMoney(money(30000, krw))).toBe('30000');
  });

  it('refuses to mix currencies', () => {
    expect(() => addMoney(money(1, usd), money(1, krw))).toThrow('cannot mix USD and KRW');
  });

  it('refuses an amount that a number cannot hold exactly', () => {
    expect(() => settle(decimal('90071992547409.93'), usd)).toThrow('amount out of range');
  });

  it('survives a round trip through decimal text', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.constantFrom(usd, krw, kwd), (minor, currency) => {
        expect(settle(toDecimal(money(minor, currency)), currency)).toEqual(money(minor, currency));
      }),
    );
  });

  it('is allocated without creating or destroying a minor unit, each part within one of its exact share', () => {
    const weights = fc
      .array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 12 })
      .filter((w) => w.some((x) => x > 0));
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), weights, (minor, shares) => {
        const parts = allocate(money(minor, usd), shares);
        const total = shares.reduce((a, b) => a + b, 0);
        expect(parts.reduce((a, part) => a + part.minor, 0)).toBe(minor === 0 ? 0 : minor);
        parts.forEach((part, i) => expect(Math.abs(part.minor - (minor * shares[i]!) / total)).toBeLessThan(1.0001));
      }),
    );
  });

  it('knows the currencies of ISO 4217 and no others', () => {
    expect(parseCurrency('EUR')).toBe('EUR');
    expect(parseCurrency('eur')).toBeNull();
    expect(parseCurrency('XXQ')).toBeNull();
  });
});
