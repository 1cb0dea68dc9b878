import { hashSecret, matchesHash, open, seal } from './index';

const key = '0f'.repeat(32);

describe('a sealed text', () => {
  it('opens with the key and the name it was bound to', () => {
    expect(open(key, seal(key, ':paypal_express:\n  :login: søren', 'tenant/plugin'), 'tenant/plugin')).toBe(
      ':paypal_express:\n  :login: søren',
    );
  });
  it('never shows the text and never looks the same twice', () => {
    const sealed = seal(key, 'a password', 'x');
    expect(sealed).not.toContain('password');
    expect(seal(key, 'a password', 'x')).not.toBe(sealed);
  });
  it('does not open for another tenant, with another key or after a change', () => {
    const sealed = seal(key, 'a password', 'one');
    expect(() => open(key, sealed, 'two')).toThrow();
    expect(() => open('00'.repeat(32), sealed, 'one')).toThrow();
    expect(() => open(key, `${sealed.slice(0, -2)}AA`, 'one')).toThrow();
    expect(() => open(key, 'a password', 'one')).toThrow('not a sealed text');
  });
  it('refuses a key that is not 32 bytes', () => {
    expect(() => seal('short', 'text', 'x')).toThrow(RangeError);
  });
});

describe('a hashed secret', () => {
  it('matches the secret and nothing else', async () => {
    const hash = await hashSecret('password');
    expect(hash).not.toContain('password');
    expect(await matchesHash('password', hash)).toBe(true);
    expect(await matchesHash('Password', hash)).toBe(false);
    expect(await matchesHash('password', 'password')).toBe(false);
  });
  it('is salted', async () => {
    expect(await hashSecret('password')).not.toBe(await hashSecret('password'));
  });
});
