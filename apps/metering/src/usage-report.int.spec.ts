import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T12:00:00.000Z');
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

const { json } = overHttp(() => system);
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
    [`${march}&limit=0`, 'query:limit'],
    [`${march}&colour=red`, 'query:colour'],
  ])('names what is wrong: %s', async (query, pointer) => {
    const answer = await json('GET', `/v1/usage?${query}`);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, pointer]);
  });
});
