import { authenticator, needOf } from './authenticate';
import { loginAttempts } from './login-attempts';
import type { Credentials, Identity } from './inner-api';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const keys = { 'x-killbill-apikey': 'admin', 'x-killbill-apisecret': 'password' };
const good = { authorization: basic('admin:password'), ...keys };

/** Accounts' rule, and how often it was asked. */
const directory = () => {
  const asked: Credentials[] = [];
  const authenticate = (given: Credentials): Promise<Identity> => {
    asked.push(given);
    const isUser = given.user === 'admin' && given.password === 'password';
    const isTenant = given.apiKey === 'admin' && given.apiSecret === 'password';
    const problems = [
      ...(given.user !== null && !isUser ? ['user-unknown'] : []),
      ...(given.apiKey !== null && !isTenant ? ['tenant-unknown'] : []),
    ];
    return Promise.resolve({
      user: isUser ? given.user : null,
      tenantId: isTenant ? 't' : null,
      permissions: isUser ? ['*'] : [],
      problems,
    });
  };
  return { asked, authenticate };
};

describe('what a path needs', () => {
  it.each([
    ['/1.0/kb/accounts', true, true],
    ['/1.0/kb/tenants', true, false],
    ['/1.0/kb/tenants/uploadPluginConfig/x', true, true],
    ['/1.0/kb/tenants/', true, true],
    ['/1.0/kb/security/subject', true, false],
    ['/1.0/kb/nodesInfo', true, false],
    ['/plugins/x', false, false],
    ['/meter/record/json', true, true],
    ['/v1/usage', true, true],
  ])('%s: user %p, tenant %p', (path, user, tenant) => {
    expect(needOf(path)).toEqual({ user, tenant });
  });
});

describe('authentication', () => {
  const ask = (
    path: string,
    headers: Record<string, string>,
    defaultTenant: null | { apiKey: string; apiSecret: string } = null,
  ) => authenticator({ authenticate: directory().authenticate, defaultTenant })(path, headers);

  it('knows user and tenant', async () => {
    expect(await ask('/1.0/kb/accounts', good)).toEqual({ user: 'admin', tenantId: 't', permissions: ['*'] });
  });
  it('refuses a missing or wrong user', async () => {
    expect(await ask('/1.0/kb/accounts', keys)).toEqual({ refused: 'user' });
    expect(await ask('/1.0/kb/accounts', { ...good, authorization: basic('admin:Password') })).toEqual({
      refused: 'user',
    });
    expect(await ask('/1.0/kb/accounts', { ...good, authorization: 'Bearer x' })).toEqual({ refused: 'user' });
    expect(await ask('/1.0/kb/accounts', { ...good, authorization: 'Basic ????' })).toEqual({ refused: 'user' });
  });
  it('refuses a missing or wrong tenant, and a key without its secret', async () => {
    expect(await ask('/1.0/kb/accounts', { authorization: good.authorization })).toEqual({ refused: 'tenant' });
    expect(await ask('/1.0/kb/accounts', { ...good, 'x-killbill-apisecret': 'x' })).toEqual({ refused: 'tenant' });
    expect(await ask('/1.0/kb/accounts', { authorization: good.authorization, 'x-killbill-apikey': 'admin' })).toEqual({
      refused: 'tenant',
    });
  });
  it('needs no tenant to create one', async () => {
    expect(await ask('/1.0/kb/tenants', { authorization: good.authorization })).toEqual({
      user: 'admin',
      tenantId: '',
      permissions: ['*'],
    });
  });
  it('lets plugins be called by anybody, but never by somebody false', async () => {
    expect(await ask('/plugins/x/notification', {})).toEqual({ user: '', tenantId: '', permissions: [] });
    expect(await ask('/plugins/x', good)).toEqual({ user: 'admin', tenantId: 't', permissions: ['*'] });
    expect(await ask('/plugins/x', { ...good, 'x-killbill-apisecret': 'x' })).toEqual({ refused: 'tenant' });
  });
  it('gives metering without credentials to the default tenant, where there is one', async () => {
    const defaultTenant = { apiKey: 'admin', apiSecret: 'password' };
    expect(await ask('/meter/record/json', {}, defaultTenant)).toEqual({
      user: 'meter',
      tenantId: 't',
      permissions: ['*'],
    });
    expect(await ask('/meter/record/json', {})).toEqual({ refused: 'user' });
    expect(await ask('/meterX', {}, defaultTenant)).toEqual({ refused: 'user' });
    expect(await ask('/meter/record/json', { ...good, authorization: basic('admin:x') }, defaultTenant)).toEqual({
      refused: 'user',
    });
  });
  it('asks once a minute for the same credentials, and each time for wrong ones', async () => {
    const { asked, authenticate } = directory();
    let time = 0;
    const who = authenticator({ authenticate, defaultTenant: null, now: () => time });
    await Promise.all([who('/1.0/kb/accounts', good), who('/1.0/kb/accounts', good)]);
    await who('/1.0/kb/accounts', good);
    expect(asked).toHaveLength(1);
    time = 60_001;
    await who('/1.0/kb/accounts', good);
    expect(asked).toHaveLength(2);
    for (let times = 0; times < 2; times += 1)
      await who('/1.0/kb/accounts', { ...good, authorization: basic('admin:x') });
    expect(asked).toHaveLength(4);
  });
  it('does not check secrets of one who failed too often, but lets in whom it knows', async () => {
    const { asked, authenticate } = directory();
    const who = authenticator({ authenticate, defaultTenant: null, attempts: loginAttempts(() => 0), now: () => 0 });
    await who('/1.0/kb/accounts', good, 'here');
    const wrong = { ...good, authorization: basic('admin:x') };
    for (let times = 0; times < 20; times += 1)
      expect(await who('/1.0/kb/accounts', wrong, 'here')).toEqual({ refused: 'user' });
    expect(await who('/1.0/kb/accounts', wrong, 'here')).toEqual({ refused: 'attempts', waitSeconds: 10 });
    expect(asked).toHaveLength(21);
    expect(await who('/1.0/kb/accounts', good, 'here')).toMatchObject({ user: 'admin' });
    expect(await who('/1.0/kb/accounts', wrong, 'there')).toEqual({ refused: 'user' });
  });
});
