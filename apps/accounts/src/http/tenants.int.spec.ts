import { accountsOn } from '../accounts';
import { bootstrapTenant, bootstrapTenantId } from '../bootstrap';
import { accountsUnderTest } from '../testing/accounts-under-test';

let system: Awaited<ReturnType<typeof accountsUnderTest>>;
beforeAll(async () => {
  system = await accountsUnderTest();
});
afterAll(() => system.close());

const tenants = '/1.0/kb/tenants';
const text = { 'content-type': 'text/plain' };
const authenticate = async (payload: object) =>
  (await system.call({ method: 'POST', url: '/internal/authenticate', payload })).json<object>();

describe('tenants', () => {
  it('are created once per API key, and never show their secret', async () => {
    const payload = { apiKey: 'shop', apiSecret: 'very secret' };
    const answer = await system.call({ method: 'POST', url: tenants, payload });
    expect([answer.statusCode, answer.body]).toEqual([201, '']);
    const shown = await system.call({ method: 'GET', url: new URL(String(answer.headers.location)).pathname });
    const { tenantId } = shown.json<{ tenantId: string }>();
    expect(shown.json()).toEqual({ tenantId, externalKey: tenantId, apiKey: 'shop', apiSecret: null, auditLogs: [] });
    expect((await system.call({ method: 'GET', url: `${tenants}?apiKey=shop` })).json()).toMatchObject({ tenantId });
    const again = await system.call({ method: 'POST', url: tenants, payload });
    expect([again.statusCode, again.json<{ code: number }>().code]).toEqual([409, 20000]);
    expect((await system.call({ method: 'POST', url: tenants, payload: { apiKey: 'x' } })).statusCode).toBe(400);
    const log = JSON.stringify(
      (await system.store.readAll({ after: null, prefixes: ['tenant'] })).events,
      (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    );
    expect(log).not.toContain('very secret');
  });
  it('answers 404 for one that is not there', async () => {
    const answer = await system.call({ method: 'GET', url: `${tenants}/11111111-2222-4333-8444-555555555555` });
    expect([answer.statusCode, answer.json<{ code: number }>().code]).toEqual([404, 20001]);
  });
});

describe('the first tenant', () => {
  it('exists after the start, under the same id however often that is', async () => {
    const accounts = accountsOn(system.runtime);
    await bootstrapTenant(accounts);
    const head = await system.store.head();
    await bootstrapTenant(accounts);
    expect(await system.store.head()).toBe(head);
    expect(await authenticate({ user: 'admin', password: 'password', apiKey: 'admin', apiSecret: 'password' })).toEqual(
      {
        user: 'admin',
        tenantId: bootstrapTenantId('admin'),
        permissions: ['*'],
        problems: [],
      },
    );
  });
});

describe('authentication', () => {
  it('names what is wrong and keeps quiet about what was not presented', async () => {
    expect(await authenticate({})).toEqual({ user: null, tenantId: null, permissions: [], problems: [] });
    expect(await authenticate({ user: 'admin', password: 'x', apiKey: 'admin', apiSecret: 'password' })).toMatchObject({
      user: null,
      problems: ['user-unknown'],
    });
    expect(await authenticate({ user: 'admin', password: 'password', apiKey: 'admin', apiSecret: 'x' })).toEqual({
      user: 'admin',
      tenantId: null,
      permissions: ['*'],
      problems: ['tenant-unknown'],
    });
    expect(await authenticate({ apiKey: 'nobody', apiSecret: 'x' })).toMatchObject({
      tenantId: null,
      problems: ['tenant-unknown'],
    });
  });
});

describe('a plugin’s configuration', () => {
  const url = `${tenants}/uploadPluginConfig/killbill-paypal-express`;
  const config = ':paypal_express:\n  :signature: canary-signature\n  :login: a\n  :password: b';
  it('comes back to its owner and lies sealed in the log', async () => {
    const answer = await system.call({ method: 'POST', url, headers: text, payload: config });
    expect([answer.statusCode, answer.headers.location]).toEqual([201, `http://localhost:80${url}`]);
    expect((await system.call({ method: 'GET', url })).json()).toEqual({
      key: 'PLUGIN_CONFIG_killbill-paypal-express',
      values: [config],
      auditLogs: [],
    });
    const other = await system.call({ method: 'GET', url, tenant: '99999999-2222-4333-8444-555555555555' });
    expect(other.json()).toMatchObject({ values: [] });
    const { events } = await system.store.readAll({ after: null, prefixes: ['tenantConfig-'] });
    expect(JSON.stringify(events.map(({ data }) => data))).not.toContain('canary-signature');
    expect((await system.call({ method: 'DELETE', url })).statusCode).toBe(204);
    expect((await system.call({ method: 'GET', url })).json()).toMatchObject({ values: [] });
    expect((await system.call({ method: 'POST', url, headers: text, payload: '' })).statusCode).toBe(400);
  });
});

describe('key-values', () => {
  it('gather under a user’s key and are found by prefix', async () => {
    const url = `${tenants}/userKeyValue/colour`;
    for (const payload of ['red', 'blue'])
      expect((await system.call({ method: 'POST', url, headers: text, payload })).statusCode).toBe(201);
    expect((await system.call({ method: 'GET', url })).json()).toMatchObject({
      key: 'colour',
      values: ['red', 'blue'],
    });
    const found = await system.call({ method: 'GET', url: `${tenants}/uploadPerTenantConfig/col/search` });
    expect(found.json()).toMatchObject([{ key: 'colour' }]);
  });
  it('holds one push notification callback, which must be a URL', async () => {
    const url = `${tenants}/registerNotificationCallback`;
    for (const cb of ['https://a.example/hook', 'https://b.example/hook'])
      expect((await system.call({ method: 'POST', url: `${url}?cb=${encodeURIComponent(cb)}` })).statusCode).toBe(201);
    expect((await system.call({ method: 'GET', url })).json()).toMatchObject({ values: ['https://b.example/hook'] });
    expect((await system.call({ method: 'POST', url: `${url}?cb=javascript:1` })).statusCode).toBe(400);
  });
  it('refuses a per-tenant configuration that is no JSON object', async () => {
    const url = `${tenants}/uploadPerTenantConfig`;
    expect((await system.call({ method: 'POST', url, headers: text, payload: 'a=b' })).statusCode).toBe(400);
    expect((await system.call({ method: 'POST', url, headers: text, payload: '{"a":"1"}' })).statusCode).toBe(201);
    expect((await system.call({ method: 'GET', url })).json()).toMatchObject({
      key: 'PER_TENANT_CONFIG',
      values: ['{"a":"1"}'],
    });
  });
});

describe('a tenant’s clock', () => {
  it('is moved from inside, for a tenant that exists', async () => {
    const move = (tenantId: string) =>
      system.call({ method: 'POST', url: '/internal/clock', payload: { tenantId, distanceMs: 5 } });
    expect((await move(bootstrapTenantId('admin'))).statusCode).toBe(200);
    expect((await move('11111111-2222-4333-8444-555555555555')).statusCode).toBe(404);
  });
});

describe('a server', () => {
  it('tells Kill Bill’s clients what it is, and takes commands to nodes without obeying', async () => {
    const nodes = await system.call({ method: 'GET', url: '/1.0/kb/nodesInfo', tenant: '' });
    expect(nodes.json()).toMatchObject([{ kbVersion: '0.24.0', pluginsInfo: [] }]);
    expect((await system.call({ method: 'GET', url: '/1.0/kb/pluginsInfo' })).json()).toEqual([]);
    const command = { method: 'POST' as const, url: '/1.0/kb/nodesInfo' };
    expect((await system.call({ ...command, payload: { nodeCommandType: 'START_PLUGIN' } })).statusCode).toBe(202);
    expect((await system.call({ ...command, payload: {} })).statusCode).toBe(400);
  });
});
