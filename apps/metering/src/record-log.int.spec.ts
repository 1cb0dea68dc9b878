import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T12:00:00.000Z');
}, 30_000);
afterAll(() => system.close());

const { json } = overHttp(() => system);
const send = async (lines: readonly string[], headers = {}) =>
  json('POST', '/meter/record/log', lines.join('\n'), { 'content-type': 'text/plain', ...headers });
const patterns = {
  timeZone: 'Asia/Seoul',
  patterns: [
    { pattern: '%{TIMESTAMP_ISO8601:time} usage %{WORD:unit} %{NOTSPACE:user} %{NUMBER:amount}' },
    { pattern: '%{DATESTAMP_EU:time} %{IP} %{NOTSPACE:user} "GET %{NOTSPACE}"', constants: { unit: 'analytics' } },
  ],
};
const total = async (user: string): Promise<number> => {
  const search = `unit=analytics&user=${user}&start=2024-05-10%2000&end=2024-05-11%2000`;
  const [series] = (await json('GET', `/meter/record/series?${search}`)).body;
  return series.subscriptions.reduce((sum: number, one: Loose) => sum + Number(one.total), 0);
};

describe('log lines', () => {
  it('have patterns that are objects, not lists', async () => {
    expect((await json('PUT', '/meter/record/log/patterns', { patterns: [[]] })).status).toBe(400);
  });
  it('are refused by name until the tenant has patterns', async () => {
    const { status, body } = await send(['2024-05-10T10:00:00Z usage analytics u 1']);
    expect([status, body]).toMatchObject([202, { accepted: 0, rejected: [{ index: 0, code: 'no-pattern' }] }]);
  });
  it('become records by the patterns of the tenant, each of the others named by its line', async () => {
    expect((await json('PUT', '/meter/record/log/patterns', patterns)).status).toBe(200);
    expect((await json('GET', '/meter/record/log/patterns')).body).toMatchObject({
      timeZone: 'Asia/Seoul',
      patterns: [{ constants: {} }, { constants: { unit: 'analytics' } }],
    });
    const lines = [
      '2024-05-10T10:00:00Z usage analytics u 2.5',
      'a line of something else',
      '',
      '10.05.2024 18:30:00 10.0.0.1 u "GET /report?x=100%25+1"',
      '2024-05-10T10:00:00Z usage analytics u -1',
      '2024-02-30T10:00:00Z usage analytics u 1',
    ];
    const { body } = await send(lines);
    expect(body).toMatchObject({ accepted: 2, duplicates: 0, deduplicated: false });
    expect(body.rejected.map(({ index, field, code }: Loose) => [index, field, code])).toEqual([
      [1, '', 'no-pattern'],
      [4, 'amount', 'negative'],
      [5, 'time', 'invalid'],
    ]);
    expect(await total('u')).toBe(3.5);
  });
  it('of a request with a key count once, also when patterns have changed in between', async () => {
    const lines = [
      'not a record',
      '2024-05-10T10:00:00Z usage analytics v 1',
      '2024-05-10T10:00:00Z usage analytics v 1',
    ];
    const key = { 'idempotency-key': 'k1' };
    expect((await send(lines, key)).body).toMatchObject({ accepted: 2, deduplicated: true });
    const more = [...patterns.patterns, { pattern: '%{WORD:user} a %{WORD:unit}' }];
    await json('PUT', '/meter/record/log/patterns', { ...patterns, patterns: more });
    expect((await send(lines, key)).body).toMatchObject({ duplicates: 2 });
    expect(await total('v')).toBe(2);
    expect((await send(lines, { ...key, prefer: 'return=minimal' })).text).toBe('');
  });
  it('are text, and patterns are refused with their place', async () => {
    expect((await json('POST', '/meter/record/log', ['x'])).status).toBe(400);
    const wrong = await json('PUT', '/meter/record/log/patterns', { patterns: [{ pattern: '%{NONE:unit}' }] });
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, '/patterns/0/pattern']);
    const odd = { patterns: [{ pattern: '%{WORD:user}', constants: { colour: 'red' } }] };
    expect((await json('PUT', '/meter/record/log/patterns', odd)).status).toBe(400);
    const zone = { patterns: [], timeZone: 'Mars' };
    expect((await json('PUT', '/meter/record/log/patterns', zone)).body.errors[0].pointer).toBe('/timeZone');
  });
});
