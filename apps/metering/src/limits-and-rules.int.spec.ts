import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:00:00.000Z');
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const at = (time: string): void => system.at(`2024-05-10T${time}:00.000Z`);

it.each(['/meter/limits', '/meter/units'])('%s has no page that nobody can count to', async (path) => {
  expect((await json('GET', `${path}?page=99999999999999999999`)).status).toBe(400);
});
it('a rule is an object, not a list', async () => {
  expect((await unit('listed', 'SUM', [[]])).status).toBe(400);
});

describe('the limits collection', () => {
  beforeAll(async () => {
    await unit('calls', 'SUM', [{ limitAmount: 100, limitRefreshInterval: 'HOUR' }]);
    await unit('load', 'PEAK', [{ limitAmount: 5, periodSplitting: 'HOUR' }]);
    at('10:05');
    await record([{ unit: 'calls', user: 'a', amount: 101 }]);
    await record([{ unit: 'calls', user: 'b', amount: 200 }]);
    await record([{ unit: 'load', user: 'a', amount: 7 }]);
    at('10:06');
    await record([{ unit: 'load', user: 'a', amount: 3 }]);
    await system.doDueWork();
  });
  it('is paged as Spring Data REST pages, with the original’s fields and what is behind each row', async () => {
    const first = (await json('GET', '/meter/limits?size=2')).body;
    expect(first.page).toEqual({ size: 2, totalElements: 4, totalPages: 2, number: 0 });
    expect(Object.keys(first._links)).toEqual(['first', 'self', 'next', 'last', 'search']);
    expect(first._embedded.limits[0]).toMatchObject({
      user: 'a',
      unit: 'calls',
      current: 101,
      limitAmount: 100,
      refreshInterval: 'HOUR',
      basePlan: null,
      subscriptionId: null,
      time: Date.parse('2024-05-10T10:05:00Z'),
      from: 'RELEASED',
      to: 'LIMITED',
      cause: 'USAGE',
      behind: { revision: expect.any(String), index: expect.any(Number) },
      decided: { position: expect.any(String) },
    });
    const next = await json('GET', new URL(first._links.next.href as string).pathname + '?page=1&size=2');
    expect(next.body._embedded.limits).toHaveLength(2);
    const beyond = (await json('GET', '/meter/limits?page=9&size=2')).body;
    expect(beyond._embedded.limits).toEqual([]);
    expect(beyond.page).toEqual({ size: 2, totalElements: 4, totalPages: 2, number: 9 });
    const one = await json('GET', `/meter/limits/${first._embedded.limits[0].id}`);
    expect(one.body).toEqual(first._embedded.limits[0]);
    expect((await json('GET', '/meter/limits/nothing')).status).toBe(404);
    expect((await json('GET', '/meter/limits?size=0')).status).toBe(400);
  });
  it('is searched by user, by unit and by both, and turned round', async () => {
    const found = async (search: string): Promise<readonly string[]> =>
      (await json('GET', `/meter/limits/search/${search}`)).body._embedded.limits.map(
        ({ user, unit: name, to }: Loose) => `${user} ${name} ${to}`,
      );
    expect(await found('findByUser?user=b')).toEqual(['b calls LIMITED']);
    expect(await found('findByUnit?unit=load&sort=time,desc')).toEqual(['a load RELEASED', 'a load LIMITED']);
    expect(await found('findByUnitAndUser?unit=calls&user=a')).toEqual(['a calls LIMITED']);
    expect(Object.keys((await json('GET', '/meter/limits/search')).body._links)).toEqual([
      'findByUser',
      'findByUnit',
      'findByUnitAndUser',
      'self',
    ]);
    expect((await json('GET', '/meter/limits/search/findByUser')).status).toBe(400);
  });
});

it('a check says what it knows at once when it is told not to wait, and else what was taken before', async () => {
  at('10:30');
  await unit('seats', 'SUM', [{ limitAmount: 100, limitRefreshInterval: 'HOUR' }]);
  const check = async (headers = {}) => (await json('GET', '/meter/limit/check/seats?user=c', undefined, headers)).body;
  expect(await check()).toMatchObject({ current: 0, limited: false });
  await record([{ unit: 'seats', user: 'c', amount: 101 }]);
  expect(await check({ prefer: 'respond-async, wait=0' })).toMatchObject({ current: 0, limited: false });
  expect(await check({ prefer: 'wait=1' })).toMatchObject({ current: 101, limited: true });
  expect(await check()).toMatchObject({ current: 101, limited: true });
});

describe('versions of rules', () => {
  const hourly = (limitAmount: number) => ({ limitAmount, limitRefreshInterval: 'HOUR' });
  it('are listed, written one after the other, and come into force when they say', async () => {
    at('11:00');
    await unit('ruled', 'SUM', [hourly(100)]);
    await record([{ unit: 'ruled', user: 'a', amount: 60 }]);
    const ahead = { rules: [hourly(50)], effectiveAt: '2024-05-10T11:30:00Z' };
    const written = await json('PUT', '/v1/units/ruled/rules/2', ahead);
    expect([written.status, written.body]).toMatchObject([200, { version: 2, rules: [{ limitAmount: 50 }] }]);
    expect((await json('PUT', '/v1/units/ruled/rules/2', ahead)).status).toBe(200);
    expect((await json('PUT', '/v1/units/ruled/rules/2', { rules: [] })).status).toBe(409);
    expect((await json('GET', '/v1/units/ruled/rules')).body).toMatchObject({ inForce: 1, versions: [{}, {}] });
    const check = async () => (await json('GET', '/meter/limit/check/ruled?user=a')).body;
    expect(await check()).toMatchObject({ limit: 100, limited: false });
    at('11:30');
    await system.doDueWork();
    expect(await check()).toMatchObject({ limit: 50, limited: true });
    const { body } = await json('GET', '/meter/limits/search/findByUnit?unit=ruled');
    expect(body._embedded.limits).toMatchObject([{ cause: 'RULES_CHANGED', ruleVersion: 2 }]);
    expect((await json('GET', '/v1/units/ruled/rules')).body.inForce).toBe(2);
  });
  it('are checked like those of a unit, and refused with the field', async () => {
    const refused = await json('PUT', '/v1/units/ruled/rules/3', { rules: [{ limitAmount: 1 }] });
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/rules/0/limitRefreshInterval']);
    expect((await json('PUT', '/v1/units/ruled/rules/3', { rules: [], effectiveAt: 'soon' })).status).toBe(400);
    expect((await json('GET', '/v1/units/nothing/rules')).status).toBe(404);
  });
});
