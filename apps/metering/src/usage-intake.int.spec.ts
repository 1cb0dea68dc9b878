import { newId } from '@billstream/kernel';
import type { IntakeAnswer, IntakeMessage, IntakeOptions } from '@billstream/rabbitmq';
import { patienceMs } from './ingest/tenant-check';
import { takeUsage } from './ingest/usage-intake';
import { meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
let take: (message: Partial<IntakeMessage> & { readonly body?: unknown }) => Promise<IntakeAnswer>;
const noon = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
  const opened: IntakeOptions[] = [];
  const intake = (options: IntakeOptions) => {
    opened.push(options);
    return Promise.resolve();
  };
  await takeUsage({ ...system.runtime, intake }, new AbortController().signal);
  const [options] = opened;
  take = ({ body, ...message }) =>
    options!.take({
      routingKey: `${system.tenantId}.pods`,
      content: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      contentType: 'application/json',
      headers: {},
      messageId: null,
      correlationId: 'c',
      ...message,
    });
});
afterAll(() => system.close());

const { json } = overHttp(() => system);
const total = async (user: string) => {
  await system.runtime.caughtUp();
  const query = `unit=analytics&user=${user}&start=2024-05-10 00&end=2024-05-11 00`;
  return (await json('GET', `/meter/record/series?${query}`)).body[0].subscriptions[0]?.total;
};
const record = { unit: 'analytics', user: 'broker', amount: 2, id: '1', source: 'pods' };
const event = {
  specversion: '1.0',
  id: 'e1',
  source: 'pods',
  type: 'analytics',
  subject: 'broker',
  data: { amount: 3 },
};

describe('usage that comes over the broker', () => {
  it('is taken once, however often it is delivered, in each form', async () => {
    for (let delivery = 0; delivery < 2; delivery += 1) {
      expect(await take({ body: [record, { ...record, id: '2' }] })).toBeNull();
      expect(await take({ body: { unit: 'analytics', user: 'broker', amount: 10 }, messageId: 'm1' })).toBeNull();
      expect(await take({ body: event, contentType: 'application/cloudevents+json' })).toBeNull();
      const more = [{ ...event, id: 'e2' }];
      expect(await take({ body: more, contentType: 'application/cloudevents-batch+json; charset=utf-8' })).toBeNull();
      const { data, ...attributes } = { ...event, id: 'e3' };
      const headers = Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [`cloudEvents:${name}`, value]),
      );
      expect(await take({ body: data, headers })).toBeNull();
    }
    expect(await total('broker')).toBe(2 + 2 + 10 + 3 + 3 + 3);
  });
  it('that cannot be taken is answered by its place and field, the rest is taken', async () => {
    const body = [{ ...record, user: 'some', id: 'a' }, { unit: 'analytics' }, { ...record, id: 'b', amuont: 1 }, 7];
    expect(await take({ body, correlationId: 'c7' })).toMatchObject({
      correlationId: 'c7',
      tenantId: system.tenantId,
      rejected: [
        { index: 1, field: 'id', code: 'required' },
        { index: 2, field: 'amuont', code: 'unknown-field' },
        { index: 3, field: '', code: 'not-an-object' },
      ],
    });
    expect(await total('some')).toBe(2);
  });
  it.each<[string, Partial<IntakeMessage> & { readonly body?: unknown }, string]>([
    ['nobody', { body: record, routingKey: 'pods' }, 'routing-key invalid'],
    ['no JSON', { body: '{"unit":' }, ' malformed-json'],
    ['what cannot be stored', { body: '[{"unit":"a\\u0000"}]' }, ' malformed-json'],
    ['half a surrogate pair', { body: '[{"unit":"a\\ud83d"}]' }, ' malformed-json'],
    ['a batch that is none', { body: event, contentType: 'application/cloudevents-batch+json' }, ' invalid'],
    ['too much', { body: Array.from({ length: 1_001 }, () => record) }, ' batch-too-large'],
  ])('from %s is answered and not delivered for ever', async (_, message, fault) => {
    const answer = (await take(message)) as { rejected: { index: null; field: string; code: string }[] };
    expect(answer.rejected.map(({ index, field, code }) => [index, `${field} ${code}`])).toEqual([[null, fault]]);
  });
  it('of a tenant that nobody told of is given back for a while and refused then, that of a new one is taken', async () => {
    const routingKey = `${newId()}.pods`;
    const created = newId();
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    await expect(take({ body: record, routingKey })).rejects.toThrow('nobody has told of the tenant');
    await expect(take({ body: record, routingKey: `${created}.pods` })).rejects.toThrow(created);
    const tenant = { tenantId: created, apiKey: 'c', externalKey: 'c', useGlobalDefault: false };
    await system.facts.defineUnits(system.heard('accounts.tenant-created.v1', tenant));
    await system.facts.defineUnits(system.heard('accounts.tenant-created.v1', tenant));
    await system.runtime.caughtUp();
    expect(await take({ body: record, routingKey: `${created}.pods` })).toBeNull();
    now.mockReturnValue(1_000 + patienceMs);
    const answer = await take({ body: record, routingKey });
    now.mockRestore();
    expect(answer).toMatchObject({ rejected: [{ index: null, field: 'routing-key', code: 'unknown-tenant' }] });
    expect(await system.store.read(`meteredTenant-${created}`)).toHaveLength(1);
    const [taken, refused] = await Promise.all(
      [created, routingKey.split('.')[0]!].map((id) =>
        system.store.readAll({ after: null, prefixes: [`usage-${id}-`] }),
      ),
    );
    expect([taken!.events.length, refused!.events.length]).toEqual([1, 0]);
  });
  it('is not acknowledged while it is not durable', async () => {
    const append = jest.spyOn(system.store, 'append').mockRejectedValueOnce(new Error('disk full'));
    const body = { ...record, user: 'later', id: newId() };
    await expect(take({ body })).rejects.toThrow('disk full');
    append.mockRestore();
    expect(await take({ body })).toBeNull();
    expect(await total('later')).toBe(2);
  });
});
