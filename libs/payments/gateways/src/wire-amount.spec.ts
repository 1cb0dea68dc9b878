import fc from 'fast-check';
import { fromWireAmount, isoMinorDigits, toWireAmount } from './wire-amount';

const payPal = {
  platform: isoMinorDigits,
  wire: (currency: string) => (['HUF', 'JPY', 'TWD'].includes(currency) ? 0 : 2),
};

describe('an amount on the wire', () => {
  it.each([
    [2000, 'USD', '20.00'],
    [5, 'USD', '0.05'],
    [1500, 'JPY', '1500'],
    [150_000, 'HUF', '1500'],
    [20_990, 'KWD', '20.99'],
  ])('of %i minor units of %s is %s', (minor, currency, text) => {
    expect(toWireAmount({ minor, currency }, payPal)).toBe(text);
  });

  it.each([
    [150_050, 'HUF'],
    [20_995, 'KWD'],
    [1.5, 'USD'],
    [-1, 'USD'],
  ])('is nothing for %d of %s, because it would have to be rounded', (minor, currency) => {
    expect(toWireAmount({ minor, currency }, payPal)).toBeUndefined();
  });

  it('comes back as it went, in every scale', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_999_999 }),
        fc.constantFrom('USD', 'JPY', 'HUF', 'KWD'),
        (minor, currency) => {
          const text = toWireAmount({ minor, currency }, payPal);
          if (text !== undefined) expect(fromWireAmount(text, currency, isoMinorDigits)).toEqual({ minor, currency });
        },
      ),
    );
  });

  it.each(['', '1,00', '1e3', '0x10', '1.', '--1'])('is not read from %j', (text) => {
    expect(fromWireAmount(text, 'USD', isoMinorDigits)).toBeUndefined();
  });

  it('keeps its sign when read', () => {
    expect(fromWireAmount('-20.00', 'USD', isoMinorDigits)).toEqual({ minor: -2000, currency: 'USD' });
    expect(fromWireAmount('-0.00', 'USD', isoMinorDigits)).toEqual({ minor: 0, currency: 'USD' });
  });
});
