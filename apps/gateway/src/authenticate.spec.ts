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
  it('asks now and then for the same credentials, and each time for wrong ones', async () => {
    const { asked, authenticate } = directory();
    let time = 0;
    const who = authenticator({ authenticate, defaultTenant: null, now: () => time });
    await Promise.all([who('/1.0/kb/accounts', good), who('/1.0/kb/accounts', good)]);
    await who('/1.0/kb/accounts', good);
    expect(asked).toHaveLength(1);
    time = 4_999;
    await who('/1.0/kb/accounts', good);
    expect(asked).toHaveLength(1);
    time = 10_000;
    await who('/1.0/kb/accounts', good);
    expect(asked).toHaveLength(2);
    for (let times = 0; times < 2; times += 1)
      await who('/1.0/kb/accounts', { ...good, authorization: basic('admin:x') });
    expect(asked).toHaveLength(4);
  });
  it('lets nobody in for more than ten seconds who was taken the credentials, however often they come', async () => {
    for (const everyMs of [100, 4_000, 9_000, 50_000]) {
      let time = 0;
      let isGood = true;
      const { authenticate } = directory();
      const who = authenticator({
        authenticate: (given) => authenticate(isGood ? given : { ...given, password: 'changed', apiSecret: 'changed' }),
        defaultTenant: null,
        now: () => time,
      });
      await who('/1.0/kb/accounts', good);
      isGood = false;
      let lastMs = 0;
      for (time = everyMs; time <= 100_000; time += everyMs)
        if (!('refused' in (await who('/1.0/kb/accounts', good)))) lastMs = time;
      expect(lastMs).toBeLessThan(10_000);
    }
  });
  it('nobody who comes often waits while it is asked again', async () => {
    let time = 0;
    const answers: ((identity: Identity) => void)[] = [];
    const who = authenticator({
      authenticate: () => new Promise((resolve) => answers.push(resolve)),
      defaultTenant: null,
      now: () => time,
    });
    const identity = { user: 'admin', tenantId: 't', permissions: ['*'], problems: [] };
    const first = who('/1.0/kb/accounts', good);
    answers[0]?.(identity);
    await first;
    time = 6_000;
    // Nobody answers the question, and these are let in all the same; it is one question.
    await who('/1.0/kb/accounts', good);
    expect(await who('/1.0/kb/accounts', good)).toMatchObject({ user: 'admin' });
    expect(answers).toHaveLength(2);
    answers[1]?.({ ...identity, permissions: ['account:create'] });
    await new Promise((resolve) => setImmediate(resolve));
    expect(await who('/1.0/kb/accounts', good)).toMatchObject({ permissions: ['account:create'] });
  });
  it('lets in whom it knew a minute ago while nobody can be asked, and users of the log no longer than ten seconds', async () => {
    for (const [permissions, knownMs] of [
      [['*'], 60_000],
      [['account:create'], 10_000],
    ] as const) {
      let time = 0;
      let isThere = true;
      const who = authenticator({
        authenticate: () =>
          isThere
            ? Promise.resolve({ user: 'admin', tenantId: 't', permissions, problems: [] })
            : Promise.reject(new Error('nobody answers')),
        defaultTenant: null,
        now: () => time,
      });
      await who('/1.0/kb/accounts', good);
      isThere = false;
      time = knownMs - 1;
      expect(await who('/1.0/kb/accounts', good)).toMatchObject({ user: 'admin' });
      time = knownMs;
      await expect(who('/1.0/kb/accounts', good)).rejects.toThrow('nobody answers');
    }
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
