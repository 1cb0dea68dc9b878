import { meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
});
afterAll(() => system.close());

const { json } = overHttp(() => system);
const path = '/v1/usage/events';
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const batched = { 'content-type': 'application/cloudevents-batch+json' };
const event = (id: string, amount: number) => ({
  specversion: '1.0',
  id,
  source: '/pods',
  type: 'analytics',
  subject: 'cloud',
  time: noon,
  data: { amount },
});
const total = async (user: string) => {
  const query = `unit=analytics&user=${user}&start=2024-05-10 00&end=2024-05-11 00`;
  const { body } = await json('GET', `/meter/record/series?${query}`);
  return body[0].subscriptions[0]?.total;
};

describe('usage events', () => {
  it('are taken one by one or many at a time, each once for ever, whatever time it says', async () => {
    const record = { unit: 'analytics', user: 'own', amount: 2, id: '1', source: 'app' };
    expect(await json('POST', path, record)).toMatchObject({ status: 202, body: { accepted: 1, deduplicated: true } });
    const again = { ...record, time: '2024-05-10T03:00:00Z', amount: 50 };
    const { body } = await json('POST', path, [again, { ...record, id: '2' }, { ...record, source: 'other' }]);
    expect(body).toMatchObject({ accepted: 2, duplicates: 1, rejected: [] });
    expect(await total('own')).toBe(6);
  });
  it('are taken as CloudEvents, structured, batched and binary', async () => {
    expect(await json('POST', path, event('1', 3), structured)).toMatchObject({ status: 202, body: { accepted: 1 } });
    const { body } = await json('POST', path, [event('1', 3), event('2', 4), { ...event('3', 5), id: 7 }], batched);
    expect(body).toMatchObject({ accepted: 1, duplicates: 1, rejected: [{ index: 2, field: 'id', code: 'required' }] });
    const binary = {
      'ce-specversion': '1.0',
      'ce-id': '4',
      'ce-source': '/pods/%E2%82%AC',
      'ce-type': 'analytics',
      'ce-subject': 'cloud',
    };
    expect(await json('POST', path, { amount: 10 }, binary)).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await total('cloud')).toBe(17);
  });
  it('name what is wrong: the field of a single one, place and field of one among many', async () => {
    const single = await json('POST', path, { unit: 'analytics', amount: 1, dimensions: { 'x y': '1' } });
    expect([single.status, single.body.errors[0].pointer]).toEqual([400, '/dimensions/x y']);
    const many = await json('POST', path, [{ unit: 'analytics' }, { unit: 'analytics', amuont: 1 }]);
    expect([many.status, many.body.rejected]).toMatchObject([
      202,
      [{ index: 1, field: 'amuont', code: 'unknown-field' }],
    ]);
    expect((await json('POST', path, 'text', { 'content-type': 'text/plain' })).status).toBe(400);
    expect((await json('POST', path, event('1', 1), batched)).status).toBe(400);
  });
  it('come at most a thousand at a time', async () => {
    const batch = Array.from({ length: 1_001 }, () => ({ unit: 'analytics' }));
    expect(await json('POST', path, batch)).toMatchObject({
      status: 413,
      body: { type: 'urn:problem:batch-too-large' },
    });
    const answer = await json('POST', path, batch.slice(1), { 'idempotency-key': 'k' });
    expect(answer.body).toMatchObject({ accepted: 1_000, deduplicated: true });
    const repeated = await json('POST', path, batch.slice(1), { 'idempotency-key': 'k' });
    expect(repeated.body).toMatchObject({ accepted: 0, duplicates: 1_000 });
  });
});
