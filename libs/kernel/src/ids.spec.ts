import { derivedId, parseDecimal, parseUuid } from './index';

describe('derived ids', () => {
  it('are the same for the same parts and are UUIDs', () => {
    expect(derivedId('invoice', 'a')).toBe(derivedId('invoice', 'a'));
    expect(parseUuid(derivedId('x'))).toBe(derivedId('x'));
  });
  it('keep parts apart', () => expect(derivedId('ab', 'c')).not.toBe(derivedId('a', 'bc')));
});

describe('decimals', () => {
  it.each([
    [1e-7, '0.0000001'],
    ['007.50', '7.5'],
    ['-.5', '-0.5'],
    [12, '12'],
  ])('%s is read exactly as %s', (value, expected) => expect(parseDecimal(value)).toBe(expected));
  it.each([NaN, Infinity, '1e3', '1,5', '', 'NaN', null, undefined, {}, '0x10'])('%s is refused', (value) =>
    expect(parseDecimal(value)).toBeNull(),
  );
});
