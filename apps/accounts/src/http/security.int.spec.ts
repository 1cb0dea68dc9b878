import { accountsUnderTest } from '../testing/accounts-under-test';

let service: Awaited<ReturnType<typeof accountsUnderTest>>;
beforeAll(async () => {
  service = await accountsUnderTest();
});
afterAll(() => service.close());

const security = '/1.0/kb/security';
const send = async (method: 'POST' | 'PUT' | 'DELETE', path: string, payload?: object) => {
  const answer = await service.call({ method, url: `${security}/${path}`, ...(payload && { payload }), tenant: '' });
  return [answer.statusCode, answer.body === '' ? null : answer.json<{ code: number | null }>().code];
};
const get = async (path: string, user = 'admin') => {
  const headers = { 'x-billstream-user': user };
  return (await service.call({ method: 'GET', url: `${security}/${path}`, headers, tenant: '' })).json<unknown>();
};
const login = async (user: string, password: string) => {
  const answer = await service.call({ method: 'POST', url: '/internal/authenticate', payload: { user, password } });
  return answer.json<unknown>();
};
const refused = { user: null, permissions: [], problems: ['user-unknown'] };

describe('users and roles', () => {
  it('log in and may do what their roles say, until they are invalidated', async () => {
    expect(await send('POST', 'roles', { role: 'clerk', permissions: ['account:*', 'tag:add'] })).toEqual([201, null]);
    expect(await send('POST', 'users', { username: 'ann', password: 'secret', roles: ['clerk'] })).toEqual([201, null]);
    expect(await get('users/ann/roles')).toEqual({ username: 'ann', password: null, roles: ['clerk'] });
    expect(await login('ann', 'secret')).toMatchObject({
      user: 'ann',
      permissions: ['account:*', 'tag:add'],
      problems: [],
    });
    expect(await get('permissions', 'ann')).toEqual(expect.arrayContaining(['account:create', 'tag:add']));
    expect(await get('permissions', 'ann')).not.toContain('tag:delete');
    expect(await get('permissions')).toContain('test:*');
    expect(await get('subject', 'ann')).toMatchObject({ principal: 'ann', isAuthenticated: true });

    expect(await send('PUT', 'users/ann/password', { password: 'other' })).toEqual([204, null]);
    expect(await login('ann', 'secret')).toMatchObject(refused);
    expect(await login('ann', 'other')).toMatchObject({ user: 'ann' });
    expect(await send('PUT', 'roles', { role: 'clerk', permissions: [] })).toEqual([204, null]);
    expect(await login('ann', 'other')).toMatchObject({ user: 'ann', permissions: [] });
    expect(await send('PUT', 'users/ann/roles', { roles: ['root'] })).toEqual([204, null]);
    expect(await send('DELETE', 'users/ann')).toEqual([204, null]);
    expect(await login('ann', 'other')).toMatchObject(refused);
    expect(await get('users/ann/roles')).toMatchObject({ code: 40001 });
  });

  it('are refused as Kill Bill refuses them', async () => {
    await send('POST', 'roles', { role: 'twice', permissions: ['*'] });
    await send('POST', 'users', { username: 'twice', password: 'x', roles: [] });
    expect(await send('POST', 'roles', { role: 'twice', permissions: [] })).toEqual([400, 40004]);
    expect(await send('PUT', 'roles', { role: 'nobody', permissions: [] })).toEqual([404, 40003]);
    expect(await send('POST', 'roles', { role: 'bad', permissions: ['fly:high'] })).toEqual([400, 40005]);
    expect(await send('POST', 'users', { username: 'twice', password: 'x', roles: [] })).toEqual([400, 40002]);
    expect(await send('POST', 'users', { username: 'admin', password: 'x', roles: [] })).toEqual([400, 40002]);
    expect(await send('PUT', 'users/nobody/password', { password: 'x' })).toEqual([404, 40001]);
    expect(await send('POST', 'users', { username: 'nameless', roles: [] })).toEqual([400, null]);
    expect(await get('roles')).toEqual(expect.arrayContaining([{ role: 'twice', permissions: ['*'] }]));
    expect(await get('roles/twice')).toEqual({ role: 'twice', permissions: ['*'] });
  });

  it('never show a password or its hash', async () => {
    await send('POST', 'users', { username: 'bob', password: 'hidden', roles: [] });
    const stored = (await service.store.readAll({ after: null, prefixes: ['user-'] })).events;
    expect(JSON.stringify(stored.map(({ data }) => data))).not.toContain('hidden');
    expect(JSON.stringify(await get('users/bob/roles'))).not.toMatch(/hidden|scrypt/);
  });
});
