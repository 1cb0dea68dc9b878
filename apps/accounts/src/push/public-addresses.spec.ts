import { isPublicAddress, namesPrivateAddress, publicLookup } from './public-addresses';

describe('a callback’s address', () => {
  it.each(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    'fd00::1',
    'fe80::1',
    '64:ff9b::7f00:1',
    'nonsense',
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
  it.each([
    ['http://127.1/x', true],
    ['http://2130706433/', true],
    ['http://[::1]:8080/', true],
    ['http://localhost:3000/', true],
    ['http://db.localhost/', true],
    ['https://example.com/hook', false],
    ['https://8.8.8.8/hook', false],
  ])('%s names a private one: %p', (url, isPrivate) => {
    expect(namesPrivateAddress(new URL(url))).toBe(isPrivate);
  });
  it('is refused when a name leads to this machine', async () => {
    const failure = await new Promise<Error | null>((resolve) => {
      publicLookup('localhost', { all: true }, (error) => {
        resolve(error);
      });
    });
    expect(failure?.message).toBe('localhost does not lead to a public address');
  });
});
