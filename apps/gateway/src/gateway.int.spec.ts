import { innerHeaders } from '@billstream/http';
import { silentLogger } from '@billstream/observability';
import fastify, { type FastifyInstance } from 'fastify';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { json } from 'node:stream/consumers';
import { type Gateway, type ListenOptions, generousLimits, httpDispatch, localDispatch, startGateway } from './index';

const innerSecret = 'a secret between gateway and services';
const tenantId = '21f742f1-ac86-4349-adc2-70cefd075232';
const basic = `Basic ${Buffer.from('admin:password').toString('base64')}`;
const headers = {
  authorization: basic,
  'x-killbill-apikey': 'admin',
  'x-killbill-apisecret': 'password',
  'x-killbill-createdby': 'test',
};

/** Stands for any service: says what it got, and answers the inner questions. */
const service = (name: string, settled = true): FastifyInstance => {
  const app = fastify();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body));
  app.get('/health/ready', (_, reply) =>
    reply.status(name === 'metering' ? 503 : 200).send({ waitingFor: 'read models' }),
  );
  app.get('/internal/openapi', () => ({ paths: { [`/1.0/kb/${name}`]: {} } }));
  app.get('/internal/clock', () => ({ distanceMs: 0 }));
  app.post('/internal/clock', () => ({ position: '1' }));
  app.post('/internal/fence', () => ({ position: '7' }));
  app.get('/internal/settled', () => ({ relay: true, projections: true, heard: settled, due: 0 }));
  app.get('/internal/quiet', () => ({ quiet: true }));
  app.get('/internal/due', () => ({ dueAt: null }));
  app.get('/internal/failing', () => ({ failing: [] }));
  app.post('/internal/authenticate', (request) => {
    const given = request.body as { user: string | null; password: string; apiKey: string | null; apiSecret: string };
    const isUser = ['admin', 'reader'].includes(given.user ?? '') && given.password === 'password';
    const isTenant = given.apiKey === 'admin' && given.apiSecret === 'password';
    const problems = [
      ...(given.user !== null && !isUser ? ['user-unknown'] : []),
      ...(given.apiKey !== null && !isTenant ? ['tenant-unknown'] : []),
    ];
    const permissions = given.user === 'admin' ? ['*'] : ['account:update'];
    return { user: isUser ? given.user : null, tenantId: isTenant ? tenantId : null, permissions, problems };
  });
  app.get('/1.0/kb/catalog/slow', () => new Promise(() => undefined));
  app.get('/1.0/kb/subscriptions/gone', (request) => {
    request.raw.socket.destroy();
    return new Promise(() => undefined);
  });
  app.post('/1.0/kb/subscriptions', (_, reply) =>
    reply.status(201).header('Location', 'http://x/1.0/kb/subscriptions/1').send(),
  );
  app.all('/*', (request, reply) =>
    reply
      .status(name === 'payments' ? 302 : 200)
      .send({ service: name, url: request.url, headers: request.headers, body: request.body ?? null }),
  );
  return app;
};

const apps: FastifyInstance[] = [];
const gateways: Gateway[] = [];
const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close()));
  await Promise.all(closers.map((close) => close()));
  await Promise.all(apps.map((app) => app.close()));
});

const start = async (changes: Partial<ListenOptions> = {}, settled = true) => {
  const local = async (name: string) => {
    const app = service(name, settled);
    apps.push(app);
    await app.ready();
    return localDispatch(app);
  };
  const remote = service('subscriptions', settled);
  apps.push(remote);
  const subscriptions = httpDispatch(await remote.listen({ port: 0, host: '127.0.0.1' }), { timeoutMs: 300 });
  const invoicing = httpDispatch('http://127.0.0.1:1');
  closers.push(
    () => subscriptions.close(),
    () => invoicing.close(),
  );
  const upstreams = {
    accounts: await local('accounts'),
    subscriptions,
    metering: await local('metering'),
    invoicing: settled ? invoicing : await local('invoicing'),
    payments: await local('payments'),
  };
  const gateway = await startGateway({
    host: '127.0.0.1',
    ports: [0],
    upstreams,
    innerSecret,
    logger: silentLogger(),
    testClock: true,
    defaultTenant: null,
    limits: null,
    ...changes,
  });
  gateways.push(gateway);
  const base = `http://127.0.0.1:${String(gateway.ports[0])}`;
  return (path: string, init: RequestInit = {}) =>
    fetch(`${base}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { ...headers, ...(init.headers as Record<string, string>) },
    });
};
type Echo = { service: string; url: string; headers: Record<string, string>; body: unknown };
const echo = async (answer: Response): Promise<Echo> => (await answer.json()) as Echo;

let call: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  call = await start();
});

describe('routing', () => {
  it.each([
    ['in this process', '/1.0/kb/accounts?externalKey=a%40b', 'accounts'],
    ['in another process', '/1.0/kb/bundles?externalKey=a%40b', 'subscriptions'],
  ])('reaches a service %s, with body, query and headers', async (_, path, name) => {
    const answer = await call(path, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'text/plain' } });
    expect(await echo(answer)).toMatchObject({
      service: name,
      url: path,
      body: '{"a":1}',
      headers: { 'x-killbill-createdby': 'test' },
    });
  });
  it('passes redirects on as they are', async () => {
    expect(
      (await call('/plugins/killbill-paypal-express/1.0/setup-checkout', { method: 'POST', body: 'x' })).status,
    ).toBe(302);
  });
  it('hides inner paths and says 404 for what nobody answers', async () => {
    expect((await call('/internal/authenticate', { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await call('/1.0/kb/nothing')).status).toBe(404);
  });
});

describe('what a service is told', () => {
  it.each(['/1.0/kb/accounts', '/1.0/kb/bundles'])(
    'is who asks, never what the client claims to be (%s)',
    async (path) => {
      const claimed = { 'x-billstream-tenant': 'forged', 'x-billstream-inner': 'forged', 'x-billstream-admin': '1' };
      const { headers: got } = await echo(await call(path, { headers: claimed }));
      expect(got).toMatchObject({
        [innerHeaders.tenant]: tenantId,
        [innerHeaders.user]: 'admin',
        [innerHeaders.secret]: innerSecret,
      });
      expect(got).not.toHaveProperty('x-billstream-admin');
      expect(got).not.toHaveProperty('authorization');
      expect(got).not.toHaveProperty('x-killbill-apisecret');
      expect(got['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(got['x-forwarded-host']).toMatch(/^127\.0\.0\.1:\d+$/);
    },
  );
  it.each(['/1.0/kb/accounts', '/1.0/kb/bundles'])(
    'stays so when the client calls it a matter of its connection (%s)',
    async (path) => {
      const { port } = new URL((await call(path)).url);
      const connection = `close, ${Object.values(innerHeaders).join(', ')}, x-of-this-hop`;
      // `fetch` does not let anybody write this header.
      const got = await new Promise<Partial<Echo>>((resolve, reject) => {
        const asked = { port, path, headers: { ...headers, connection, 'x-of-this-hop': '1' } };
        request(asked, (answer) => void json(answer).then((body) => resolve(body as Echo), reject)).end();
      });
      expect(got.headers).toMatchObject({
        [innerHeaders.tenant]: tenantId,
        [innerHeaders.user]: 'admin',
        [innerHeaders.secret]: innerSecret,
      });
      expect(got.headers).not.toHaveProperty('x-of-this-hop');
    },
  );
  it('is the public face that a proxy in front names, the request’s own id and trace', async () => {
    const id = 'ddfe6518-7ce7-4bf7-aa10-2ffd33192aae';
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await call('/1.0/kb/accounts', {
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'pay.example.com', 'x-request-id': id, traceparent },
    });
    expect(answer.headers.get('x-request-id')).toBe(id);
    expect((await echo(answer)).headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'pay.example.com',
      [innerHeaders.correlation]: id,
      traceparent,
    });
  });
});

describe('who may not', () => {
  it('is answered 401 with a challenge and without Kill Bill’s error body', async () => {
    for (const wrong of [
      { authorization: '' },
      { authorization: 'Basic eDp5' },
      { 'x-killbill-apisecret': 'x' },
      { 'x-killbill-apikey': 'x' },
    ]) {
      const answer = await call('/1.0/kb/accounts', { headers: wrong });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('Basic');
      expect(answer.headers.get('content-type')).toContain('text/plain');
    }
  });
  it('meters for the default tenant without credentials where there is one, else not at all', async () => {
    const bare = { authorization: '', 'x-killbill-apikey': '', 'x-killbill-apisecret': '' };
    expect((await call('/meter/record/json', { method: 'POST', headers: bare })).status).toBe(401);
    const embedded = await start({ defaultTenant: { apiKey: 'admin', apiSecret: 'password' } });
    const gateway = gateways.at(-1);
    const answer = await fetch(`http://127.0.0.1:${String(gateway?.ports[0])}/meter/record/json`, {
      method: 'POST',
      body: '[]',
    });
    expect((await echo(answer)).headers).toMatchObject({ [innerHeaders.tenant]: tenantId });
    expect((await embedded('/meter/record/json', { headers: { authorization: 'Basic eDp5' } })).status).toBe(401);
  });
});

describe('a user without the permission', () => {
  const reader = { authorization: `Basic ${Buffer.from('reader:password').toString('base64')}` };
  it('reads, and changes only what their roles allow', async () => {
    expect((await call('/1.0/kb/accounts/x', { headers: reader })).status).toBe(200);
    expect((await call('/1.0/kb/accounts/x', { method: 'PUT', headers: reader })).status).toBe(200);
    const refused = await call('/1.0/kb/accounts', { method: 'POST', headers: reader });
    expect([refused.status, await refused.json()]).toMatchObject([
      401,
      { className: 'org.apache.shiro.authz.UnauthorizedException', code: null },
    ]);
    const ours = await call('/v1/usage', { method: 'POST', headers: reader });
    expect([ours.status, ours.headers.get('content-type')]).toEqual([403, 'application/problem+json']);
  });
});

describe('a path written in another way', () => {
  /** `fetch` would write it plainly. */
  const sent = async (
    method: string,
    path: string,
    authorization = basic,
  ): Promise<{ status: number; body: unknown }> => {
    const { port } = new URL((await call('/1.0/kb/accounts')).url);
    return new Promise((resolve, reject) => {
      const asked = { port, path, method, headers: { ...headers, authorization } };
      request(asked, (answer) => {
        json(answer).then((body) => {
          resolve({ status: answer.statusCode ?? 0, body });
        }, reject);
      }).end();
    });
  };
  const reader = `Basic ${Buffer.from('reader:password').toString('base64')}`;
  it.each(['/1.0/kb/accounts/x/tag%73', '/1.0/kb/accounts/x/tags#', '/1.0/kb/accounts#/x', '/1.0/kb/%61ccounts'])(
    'is allowed to those who may ask for the plain one: %s',
    async (path) => {
      expect((await sent('PUT', path, reader)).status).toBe(401);
    },
  );
  it('reaches the service plainly, what is a value in it as it was', async () => {
    expect(await sent('GET', '/1.0/kb/%61ccounts/a%2Fb%20c?d=%61#e')).toMatchObject({
      body: { service: 'accounts', url: '/1.0/kb/accounts/a%2Fb%20c?d=%61' },
    });
  });
  it.each([
    '/plugins/../internal/fence',
    '/1.0/kb/accounts/%2e%2E/catalog',
    '/1.0/kb/subscriptions/../../../internal/fence?callCompletion=true',
  ])('never steps upwards: %s', async (path) => {
    expect((await sent('POST', path)).status).toBe(400);
  });
});

describe('a service in trouble', () => {
  it('answers 503 with Retry-After when it cannot be reached, 504 when it is slow', async () => {
    const down = await call('/1.0/kb/invoices/x');
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await call('/1.0/kb/catalog/slow')).status).toBe(504);
  });
  it('answers 503 for a read whose connection broke', async () => {
    expect((await call('/1.0/kb/subscriptions/gone')).status).toBe(503);
  });
  it('is named by readiness', async () => {
    const answer = await call('/health/ready');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ status: 'not-ready', waitingFor: ['metering', 'invoicing'] });
    expect((await call('/health/live')).status).toBe(200);
    const kb = await call('/1.0/healthcheck');
    expect(kb.status).toBe(500);
    expect(await kb.json()).toMatchObject({ accounts: { healthy: true }, metering: { healthy: false } });
  });
});

describe('limits', () => {
  it('hold up whoever fails to log in, before another secret is checked', async () => {
    const limited = await start({ limits: generousLimits });
    const wrong = { authorization: `Basic ${Buffer.from('admin:guess').toString('base64')}` };
    const statuses: number[] = [];
    for (let times = 0; times < 22; times += 1)
      statuses.push((await limited('/1.0/kb/accounts', { headers: wrong })).status);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 401), 429, 429]);
    const held = await limited('/1.0/kb/accounts', { headers: wrong });
    expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0);
  });
  it('answer 429 with Retry-After', async () => {
    const none = { perSecond: 0.1, burst: 1 };
    const limited = await start({ limits: { read: none, write: none, ingest: none } });
    expect((await limited('/1.0/kb/accounts')).status).toBe(200);
    const second = await limited('/1.0/kb/accounts');
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '10']);
  });
  it('refuse long URLs and large headers', async () => {
    expect((await call(`/1.0/kb/accounts?externalKey=${'x'.repeat(9000)}`)).status).toBe(414);
    expect((await call('/1.0/kb/accounts', { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431);
  });
});

describe('browsers', () => {
  it('may ask from anywhere, as Kill Bill lets them', async () => {
    const preflight = await call('/1.0/kb/accounts', {
      method: 'OPTIONS',
      headers: { authorization: '', origin: 'https://shop.example' },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('X-Killbill-ApiKey');
    const answer = await call('/1.0/kb/bundles');
    expect(answer.headers.get('access-control-expose-headers')).toContain('Location');
  });
  it('find the whole API at /api.html, without a network', async () => {
    const html = await (await call('/api.html', { headers: { authorization: '' } })).text();
    for (const path of html.match(/\/api-page\/[\w.-]+/g) ?? []) expect((await call(path)).status).toBe(200);
    expect((await call('/api-page/../package.json')).status).toBe(404);
    const whole = (await (await call('/openapi.json')).json()) as { paths: object };
    expect(Object.keys(whole.paths)).toEqual(
      expect.arrayContaining(['/1.0/kb/accounts', '/1.0/kb/subscriptions', '/1.0/kb/test/clock']),
    );
    expect((await call('/swagger.json')).status).toBe(200);
  });
});

describe('the test clock', () => {
  it('says what time it is, and refuses what is no time', async () => {
    const settled = await start({}, false);
    const clock = await settled('/1.0/kb/test/clock?timeZone=Asia/Seoul');
    expect(await clock.json()).toEqual({
      currentUtcTime: expect.any(String),
      timeZone: 'Asia/Seoul',
      localDate: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
    expect((await settled('/1.0/kb/test/clock?requestedDate=soon', { method: 'POST' })).status).toBe(400);
    expect((await settled('/1.0/kb/test/clock', { method: 'PUT' })).status).toBe(400);
    expect((await settled('/1.0/kb/test/clock?timeZone=Mars', {})).status).toBe(400);
    expect((await settled('/1.0/kb/test/queues?timeoutSec=0.1')).status).toBe(412);
    expect((await settled('/1.0/kb/test/clock', { headers: { 'x-killbill-apikey': 'x' } })).status).toBe(401);
  });
  it('cannot be moved unless that is enabled', async () => {
    const real = await start({ testClock: false });
    expect((await real('/1.0/kb/test/clock?days=1', { method: 'PUT' })).status).toBe(500);
  });
});

describe('callCompletion', () => {
  it('answers 408 without a body when things do not come to rest in time', async () => {
    const restless = await start({}, false);
    const answer = await restless('/1.0/kb/subscriptions?callCompletion=true&callTimeoutSec=0.1', {
      method: 'POST',
      body: '{}',
    });
    expect([answer.status, await answer.text()]).toEqual([408, '']);
    const plain = await restless('/1.0/kb/subscriptions?callCompletion=false', { method: 'POST', body: '{}' });
    expect([plain.status, plain.headers.get('location')]).toEqual([201, 'http://x/1.0/kb/subscriptions/1']);
  });
});

describe('a port', () => {
  it('that is taken is named', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await expect(start({ ports: [port] })).rejects.toThrow(`Port ${String(port)} on 127.0.0.1 is taken`);
    other.close();
  });
});
