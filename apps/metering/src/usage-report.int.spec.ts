import { closingUsage, phase, transition } from './testing/closing-usage';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const now = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(now);
  const record = (id: string, user: string, time: string, amount: number | string, region?: string) => ({
    ...{ unit: 'analytics', user, id, source: 's', time, amount },
    ...(region === undefined ? {} : { dimensions: { region, size: 'l' } }),
  });
  const sent = await json('POST', '/v1/usage/events', [
    record('1', 'a', '2024-03-31T00:30:00Z', 1, 'eu'),
    record('2', 'a', '2024-03-31T01:30:00Z', 2, 'eu'),
    record('3', 'a', '2024-03-31T22:30:00Z', 4, 'us'),
    record('4', 'b', '2024-03-31T00:45:00Z', '8.5'),
    record('5', 'b', '2024-04-30T22:00:00Z', 16),
    { unit: 'host', user: 'a', id: '6', source: 's', time: '2024-03-31T00:00:00Z', amount: 32 },
    record('1', 'a', '2024-03-31T00:30:00Z', 1, 'eu'),
  ]);
  expect(sent.body).toMatchObject({ accepted: 6, duplicates: 1 });
  await system.runtime.caughtUp();
});
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const { holder } = closingUsage(() => system, now);
const report = async (query: string) => (await json('GET', `/v1/usage?${query}`)).body;
const rows = async (query: string, ...names: readonly string[]) =>
  (await report(query)).usage.map((row: Loose) => names.map((name) => String(row[name])).join(' '));
const march = 'from=2024-03-01&to=2024-06-01&unit=analytics';

describe('the report of usage', () => {
  it('adds up by unit and user, and says how fresh it is', async () => {
    const whole = await report('from=2024-03-01&to=2024-06-01&groupBy=unit,user');
    expect(whole.usage).toEqual([
      { unit: 'analytics', user: 'a', sum: '7', max: '4', mean: '2.333333333', records: 3 },
      { unit: 'analytics', user: 'b', sum: '24.5', max: '16', mean: '12.25', records: 2 },
      { unit: 'host', user: 'a', sum: '32', max: '32', mean: '32', records: 1 },
    ]);
    expect(whole.freshness).toEqual({ position: expect.stringMatching(/^\d+$/), behindMs: 0 });
  });
  it('cuts hours, days and months in the zone that is asked for', async () => {
    expect(await rows(`${march}&user=a&interval=hour`, 'time', 'sum')).toEqual([
      '2024-03-31T00:00:00.000Z 1',
      '2024-03-31T01:00:00.000Z 2',
      '2024-03-31T22:00:00.000Z 4',
    ]);
    // Days and months begin at midnight of Berlin, which changes its clock in that night.
    const berlin = `${march}&timeZone=Europe/Berlin&groupBy=`;
    expect(await rows(`${berlin}&interval=day`, 'time', 'sum')).toEqual([
      '2024-03-30T23:00:00.000Z 11.5',
      '2024-03-31T22:00:00.000Z 4',
      '2024-04-30T22:00:00.000Z 16',
    ]);
    expect(await rows(`${berlin}&interval=month`, 'time', 'sum')).toEqual([
      '2024-02-29T23:00:00.000Z 11.5',
      '2024-03-31T22:00:00.000Z 4',
      '2024-04-30T22:00:00.000Z 16',
    ]);
    expect(await rows('from=2024-03-31&to=2024-04-01&timeZone=Asia/Kolkata&interval=hour&user=a', 'time')).toEqual([
      '2024-03-30T23:30:00.000Z',
      '2024-03-31T00:30:00.000Z',
      '2024-03-31T01:30:00.000Z',
    ]);
  });
  it('groups and filters by dimensions, those that are not said among them', async () => {
    expect(await report(`${march}&groupBy=dimension:region`)).toMatchObject({
      usage: [
        { dimensions: { region: 'eu' }, sum: '3' },
        { dimensions: { region: 'us' }, sum: '4' },
        { dimensions: { region: null }, sum: '24.5' },
      ],
    });
    expect(await rows(`${march}&dimension=region:eu&groupBy=user`, 'user', 'sum')).toEqual(['a 3']);
  });
  it('comes in pages, and follows corrections', async () => {
    const first = await report(`${march}&groupBy=user&limit=1`);
    const second = await report(`${march}&groupBy=user&limit=1&cursor=${first.next}`);
    expect([first.usage[0].user, second.usage[0].user, second.next]).toEqual(['a', 'b', null]);
    await json('POST', '/v1/usage/corrections', [{ action: 'VOID', source: 's', id: '5', reason: 'test' }]);
    expect(await rows(`${march}&user=b`, 'sum', 'records')).toEqual(['8.5 1']);
  });
  it('goes on after the row it ended with, whatever is sent meanwhile', async () => {
    const sent = (user: string, region?: string) => ({
      ...{ unit: 'paged', user, amount: 1, source: 'paged', time: '2024-04-02T00:30:00Z' },
      ...(region === undefined ? {} : { dimensions: { region } }),
    });
    await json(
      'POST',
      '/v1/usage/events',
      ['c', 'ä', 'e 😀', 'g'].flatMap((user) => [sent(user), sent(user, 'eu')]),
    );
    await system.runtime.caughtUp();
    const query = 'from=2024-04-01&to=2024-05-01&unit=paged&groupBy=user,dimension:region&interval=hour';
    const whole = (await report(query)).usage;
    expect(whole).toHaveLength(8);
    const seen: Loose[] = [];
    for (let cursor = ''; ;) {
      const { usage, next } = await report(`${query}&limit=1${cursor}`);
      seen.push(...usage);
      await json('POST', '/v1/usage/events', [{ ...sent('a'), time: '2024-04-01T00:00:00Z' }, sent('b', 'us')]);
      await system.runtime.caughtUp();
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(seen).toEqual(expect.arrayContaining(whole));
    const names = seen.map(({ time, user, dimensions }) => `${time} ${user} ${dimensions.region}`);
    expect(new Set(names).size).toBe(names.length);
  });
  it('groups by the subscription that usage is billed to, at the very instant of a change', async () => {
    await unit('seats', 'SUM', [{ applyPlan: true, basePlan: 'pro' }, {}]);
    const march10 = '2024-03-10T10:30:00.000Z';
    const pro = await holder('holder', [
      transition('2024-03-05T00:00:00.000Z', phase('pro', [])),
      transition(march10, null),
    ]);
    const plain = await holder('holder2', [transition(march10, phase('plain', ['seats']))]);
    const at = (id: string, user: string, time: string, amount: number) => ({
      ...{ unit: 'seats', user, source: 'seats', id, time, amount },
    });
    await record([
      at('1', 'holder', '2024-03-04T23:59:59.999Z', 1),
      at('2', 'holder', '2024-03-05T00:00:00.000Z', 2),
      at('3', 'holder', '2024-03-10T10:29:59.999Z', 4),
      at('4', 'holder', march10, 8),
      at('5', 'holder2', march10, 16),
      at('6', 'passer-by', march10, 32),
    ]);
    await system.runtime.caughtUp();
    const query = 'from=2024-03-01&to=2024-04-01&unit=seats&groupBy=subscription';
    const usage = [
      { subscriptionId: pro.subscriptionId, sum: '6', records: 2 },
      { subscriptionId: plain.subscriptionId, sum: '16', records: 1 },
    ].sort((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1));
    const whole = [...usage, { subscriptionId: null, sum: '41', records: 3 }];
    expect((await report(query)).usage).toMatchObject(whole);
    const paged: Loose[] = [];
    for (let next = ''; paged.length < 3;) {
      const page = await report(`${query}&limit=1${next}`);
      paged.push(...page.usage);
      next = `&cursor=${page.next}`;
    }
    expect(paged).toMatchObject(whole);
    expect(await rows(`${query},user&interval=day&user=holder`, 'time', 'user', 'sum')).toEqual([
      '2024-03-04T00:00:00.000Z holder 1',
      '2024-03-05T00:00:00.000Z holder 2',
      '2024-03-10T00:00:00.000Z holder 4',
      '2024-03-10T00:00:00.000Z holder 8',
    ]);
  });
  it.each([
    ['from=2024-03-01', 'query:to'],
    ['from=2024-03-01&to=2024-03-01', 'query:to'],
    ['from=yesterday&to=2024-03-01', 'query:from'],
    [`${march}&timeZone=Mars`, 'query:timeZone'],
    [`${march}&interval=week`, 'query:interval'],
    [`${march}&groupBy=price`, 'query:groupBy'],
    [`${march}&groupBy=dimension:x'y`, 'query:groupBy'],
    [`${march}&dimension=region`, 'query:dimension'],
    [`${march}&cursor=x`, 'query:cursor'],
    [`${march}&cursor=${Buffer.from('[null]').toString('base64url')}`, 'query:cursor'],
    [`${march}&interval=day&cursor=${Buffer.from('["May","analytics"]').toString('base64url')}`, 'query:cursor'],
    [`${march}&limit=0`, 'query:limit'],
    [`${march}&colour=red`, 'query:colour'],
  ])('names what is wrong: %s', async (query, pointer) => {
    const answer = await json('GET', `/v1/usage?${query}`);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
  });
});
