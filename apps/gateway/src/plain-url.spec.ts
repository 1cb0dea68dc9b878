import { permissionsFor } from './permissions';
import { plainUrl } from './plain-url';

const payment = '/1.0/kb/payments/a';

describe('a URL written plainly', () => {
  it.each([
    [`${payment}/refund%73`, `${payment}/refunds`],
    [`${payment}/%72efunds?a=%72#x`, `${payment}/refunds?a=%72`],
    [`${payment}/refunds#x`, `${payment}/refunds`],
    [`${payment}/refunds#x?y=1`, `${payment}/refunds`],
    ['/1.0/kb/accounts/search/a%2Fb%20%2573', '/1.0/kb/accounts/search/a%2Fb%20%2573'],
    ['/1.0/kb/subscriptions/..\\catalog', '/1.0/kb/subscriptions/..%5Ccatalog'],
    ['/a.b/..c/d..?x=/../', '/a.b/..c/d..?x=/../'],
  ])('%s is %s', (url, plain) => {
    expect(plainUrl(url)).toBe(plain);
  });
  it.each(['/1.0/kb/subscriptions/../catalog', '/1.0/kb/subscriptions/%2e%2E/catalog', '/a/.', '/..?x', '/a/.%2e#x'])(
    '%s has no plain form',
    (url) => {
      expect(plainUrl(url)).toBeNull();
    },
  );
  it('takes the permission of what it is served as', () => {
    for (const url of [`${payment}/refund%73`, `${payment}/refunds#x`])
      expect(permissionsFor('POST', plainUrl(url) ?? '')).toEqual(['payment:refund']);
  });
});
