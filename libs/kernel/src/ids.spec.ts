import { derivedId, parseDecimal, parseUuid } from './index';

describe('derived ids', () => {
  it('are the same for the same parts and are UUIDs', () => {
    expect(derivedId('invoice', 'a')).toBe(derivedId('invoice', 'a'));
    expect(parseUuid(derivedId('x'))).toBe(derivedId('x'));
  });
  it('never change: logs are full of them', () => {
    expect(derivedId()).toBe('e3b0c442-98fc-8c14-9afb-f4c8996fb924');
    expect(derivedId('bundle', 'żółw 🐢', '')).toBe('d07d5a6d-70ab-8dcf-a0a3-5e0b8db8bbcb');
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
