import { newId } from '@billstream/kernel';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
});
beforeEach(() => system.at(noon));
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const limited = async (name: string, user: string) =>
  (await json('GET', `/meter/limit/check/${name}?user=${user}`)).body;

describe('recording usage', () => {
  it('answers 202 with what became of each record, the good ones beside the bad', async () => {
    const answer = await record([
      { unit: 'analytics', user: 'one@x', amount: 51 },
      { unit: 'host', user: 'one@x', amount: -1 },
      { unit: 'host', user: 'one@x' },
      { unit: 'analytics', user: 'one@x' },
      { unit: 'analytics', user: 'one@x', amount: 0, unheardOf: true },
      'nonsense',
      { unit: 'analytics', user: 'one@x', amount: '1.0000000001' },
      { user: 'one@x', amount: 1 },
    ]);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ accepted: 3, duplicates: 0, deduplicated: false });
    expect(answer.body.rejected.map(({ index, field, code }: Loose) => [index, field, code])).toEqual([
      [1, 'amount', 'negative'],
      [2, 'amount', 'required'],
      [5, '', 'not-an-object'],
      [6, 'amount', 'too-precise'],
      [7, 'unit', 'invalid'],
    ]);
    const [series] = (
      await json('GET', '/meter/record/series?unit=analytics&user=one%40x&start=2024-05-10%2000&end=2024-05-11%2000')
    ).body;
    expect(series.subscriptions).toMatchObject([
      { subscriptionId: null, total: 52, records: 3, series: [{ time: noon, amount: 52 }] },
    ]);
  });
  it('counts a record with an id once, however often and wherever it is sent', async () => {
    const once = { unit: 'analytics', user: 'twice', amount: 5, id: 'r1', source: 'gateway' };
    expect((await record([once, once])).body).toEqual({ accepted: 1, duplicates: 1, rejected: [], deduplicated: true });
    expect((await record([once])).body).toMatchObject({ accepted: 0, duplicates: 1 });
    const other = await record(
      [
        { ...once, user: 'another', source: 'elsewhere' },
        { unit: 'analytics', user: 'twice', amount: 1 },
      ],
      { 'x-request-id': 'req-1' },
    );
    expect(other.body).toMatchObject({ accepted: 2, deduplicated: true });
    await record(
      [
        { ...once, user: 'another', source: 'elsewhere' },
        { unit: 'analytics', user: 'twice', amount: 1 },
      ],
      { 'x-request-id': 'req-1' },
    );
    const [series] = (
      await json('GET', '/meter/record/series?unit=analytics&user=twice&start=2024-05-10%2000&end=2024-05-11%2000')
    ).body;
    expect(series.subscriptions).toMatchObject([{ total: 6, records: 2 }]);
  });
  it('gives the original’s empty 200 to who prefers it', async () => {
    const answer = await record([{ unit: 'analytics', amount: 1 }], { prefer: 'return=minimal' });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
  it('refuses a body that is no array, and no JSON', async () => {
    expect((await json('POST', '/meter/record/json', { unit: 'x' })).status).toBe(400);
    const broken = await system.call({
      method: 'POST',
      url: '/meter/record/json',
      headers: { 'content-type': 'application/json' },
      payload: '[{',
    });
    expect(broken.statusCode).toBe(400);
  });
  it('keeps usage of a unit nobody defined, and rates it once somebody does', async () => {
    await record([{ unit: 'later', user: 'early', amount: 7 }]);
    await system.runtime.caughtUp();
    expect((await json('GET', '/meter/record/unrated')).body).toEqual([{ unit: 'later', users: 1 }]);
    system.at('2024-05-10T18:00:00.000Z');
    await unit('later', 'SUM', [{}]);
    const [series] = (
      await json('GET', '/meter/record/series?unit=later&user=early&start=2024-05-10%2000&end=2024-05-11%2000')
    ).body;
    expect(series.subscriptions).toMatchObject([{ total: 7 }]);
  });
});

describe('units', () => {
  it('come with the default catalog, and are listed as Spring Data REST lists', async () => {
    const { body } = await json('GET', '/meter/units?size=2');
    expect(body._embedded.units.map(({ name, countingMethod }: Loose) => [name, countingMethod])).toEqual([
      ['host', 'AVG'],
      ['analytics', 'SUM'],
    ]);
    expect(body._embedded.units[0]).toMatchObject({
      rules: [{ applyPlan: false, countingMethod: 'AVG', periodSplitting: 'HOUR', limitAmount: null }],
    });
    expect(body.page).toMatchObject({ size: 2, number: 0 });
    expect((await json('GET', '/meter/units/search/findByName?name=host')).body.id).toBe(body._embedded.units[0].id);
    expect((await json('GET', '/meter/units/search/findLikeName?name=NALY')).body._embedded.units).toHaveLength(1);
  });
  it('are defined once, changed by their rules alone, and removed', async () => {
    const created = await unit('disk', 'PEAK', [{ periodSplitting: 'DAY', freeAmount: 10, freePeriod: 'DAY' }]);
    expect([created.status, created.headers.location]).toEqual([201, created.body._links.self.href]);
    expect(created.body.rules[0]).toMatchObject({ freeAmount: 10, periodSplitting: 'DAY', countingMethod: 'PEAK' });
    expect((await unit('disk', 'PEAK', [])).status).toBe(409);
    const at = `/meter/units/${created.body.id}`;
    expect((await json('PUT', at, { ...created.body, rules: [] })).body).toMatchObject({ version: 2, rules: [] });
    expect((await json('PATCH', at, { countingMethod: 'SUM' })).status).toBe(400);
    expect((await json('DELETE', at)).status).toBe(204);
    expect((await json('GET', at)).status).toBe(404);
    expect((await unit('disk', 'SUM', [])).body).toMatchObject({ version: 4, countingMethod: 'SUM' });
  });
  it('are checked when changed as when defined, with every fault named', async () => {
    const created = await unit('checked', 'AVG', [{ periodSplitting: 'HOUR' }]);
    const refused = await json('PUT', `/meter/units/${created.body.id}`, {
      rules: [
        { periodSplitting: 'HOUR' },
        {},
        { applyPlan: true, periodSplitting: 'HOUR', limitRefreshInterval: 'DAY', limitAmount: 'many' },
      ],
    });
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map(({ pointer }: Loose) => pointer)).toEqual(['/rules/2/limitAmount']);
    const judged = await json('PUT', `/meter/units/${created.body.id}`, {
      rules: [
        { periodSplitting: 'HOUR' },
        {},
        { applyPlan: true, periodSplitting: 'HOUR', limitRefreshInterval: 'DAY' },
      ],
    });
    expect(judged.body.errors.map(({ pointer }: Loose) => pointer)).toEqual([
      '/rules/1/applyPlan',
      '/rules/1/periodSplitting',
      '/rules/2/basePlan',
      '/rules/2/limitRefreshInterval',
    ]);
  });
  it('belong to their tenant', async () => {
    const { body } = await json('GET', '/meter/units/search/findByName?name=host');
    const foreign = await system.call({ method: 'GET', url: `/meter/units/${body.id}`, tenant: newId() });
    expect(foreign.statusCode).toBe(404);
  });
});

describe('limits', () => {
  it('of a SUM unit are exceeded above the amount, and released when the window ends', async () => {
    await unit('calls', 'SUM', [{ limitAmount: 100, limitRefreshInterval: 'HOUR' }]);
    const use = async (time: string, amount: number) => {
      system.at(`2024-05-10T${time}:00.000Z`);
      await record([{ unit: 'calls', user: 'u', amount }]);
      return limited('calls', 'u');
    };
    expect(await use('10:05', 60)).toMatchObject({
      unit: 'calls',
      user: 'u',
      current: 60,
      remaining: 40,
      reset: 55 * 60_000,
      limited: false,
    });
    expect(await use('10:20', 40)).toMatchObject({ current: 100, remaining: 0, limited: false, exhausted: true });
    expect(await use('10:40', 1)).toMatchObject({ current: 101, remaining: -1, limited: true });
    system.at('2024-05-10T11:00:00.000Z');
    expect(await limited('calls', 'u')).toMatchObject({ current: 0, remaining: 100, limited: false });
  });
  it('of a gauge follow the newest sample, and of nobody are none', async () => {
    await unit('load', 'AVG', [{ periodSplitting: 'HOUR', limitAmount: 100 }]);
    await record([
      { unit: 'load', user: 'u', amount: 120 },
      { unit: 'load', user: 'u', amount: 50, time: Date.parse('2024-05-10T11:00:00Z') },
    ]);
    expect(await limited('load', 'u')).toMatchObject({ current: 120, limited: true, reset: null });
    await record([{ unit: 'load', amount: 120 }]);
    expect(await limited('load', 'anonymous')).toMatchObject({ limited: false, remaining: null });
  });
  it('can be set to any state by hand', async () => {
    await unit('set', 'SUM', [{ limitAmount: 10, limitRefreshInterval: 'DAY' }]);
    await record([{ unit: 'set', user: 'u', amount: 11 }]);
    expect((await json('PUT', '/meter/limit/reset/set?user=u&amount=3')).body).toMatchObject({
      current: 3,
      remaining: 7,
      limited: false,
    });
    expect(
      (await json('PUT', '/v1/usage/limits/set', { user: 'u', state: 'LIMITED', until: '2024-05-10T13:00:00Z' })).body,
    ).toMatchObject({ limited: true, current: 3 });
    system.at('2024-05-10T13:00:00.000Z');
    expect(await limited('set', 'u')).toMatchObject({ limited: false, current: 3 });
  });
  it('name what is missing', async () => {
    expect((await json('GET', '/meter/limit/check/nothing?user=u')).status).toBe(404);
    const missing = await json('GET', '/meter/limit/check/host');
    expect([missing.status, missing.body.errors[0].pointer]).toEqual([400, 'query:user']);
    expect((await json('PUT', '/meter/limit/reset/host?user=u&amount=-1')).status).toBe(400);
  });
});
