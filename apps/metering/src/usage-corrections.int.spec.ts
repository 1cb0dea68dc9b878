import { newId } from '@billstream/kernel';
import { usageClosingStream } from '@billstream/metering-domain';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { usageCounted } from './close-usage';
import { settleLateUsage } from './testing/late-usage-due';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
});
beforeEach(() => system.at(noon));
afterAll(() => system.close());

const { json, unit } = overHttp(() => system);
const path = '/v1/usage/corrections';
const send = (records: readonly object[]) => json('POST', '/v1/usage/events', [...records]);
const correct = (body: object, headers = {}) => json('POST', path, body, headers);
const reason = 'counted wrongly';
const total = async (user: string, name = 'analytics') => {
  const query = `unit=${name}&user=${user}&start=2024-05-10 00&end=2024-05-11 00`;
  const { body } = await json('GET', `/meter/record/series?${query}`);
  return body[0].subscriptions[0]?.total ?? 0;
};
const limited = async (name: string, user: string) =>
  (await json('GET', `/meter/limit/check/${name}?user=${user}`)).body;

describe('corrections of usage', () => {
  it('make a record void, or another; the name stays taken, and what was done can be read', async () => {
    const record = (id: string, amount: number) => ({ unit: 'analytics', user: 'a', id, source: 's', amount });
    await send([record('1', 10), record('2', 20), record('3', 40)]);
    const { body } = await correct([
      { action: 'VOID', source: 's', id: '1', reason },
      { action: 'REPLACE', source: 's', id: '2', reason, replacement: { amount: '5.5' } },
    ]);
    expect(body).toEqual({ accepted: 2, duplicates: 0, rejected: [] });
    expect(await total('a')).toBe(45.5);
    expect((await send([record('1', 10)])).body).toMatchObject({ duplicates: 1 });
    await correct({
      action: 'REPLACE',
      source: 's',
      id: '3',
      reason,
      replacement: { user: 'b', dimensions: { x: 'y' } },
    });
    expect([await total('a'), await total('b')]).toEqual([5.5, 40]);
    await correct({ action: 'REPLACE', source: 's', id: '1', reason: 'back again', replacement: { amount: 1 } });
    expect(await total('a')).toBe(6.5);
    const history = await json('GET', `${path}?source=s&id=1`);
    expect(history.body).toMatchObject({
      next: null,
      corrections: [
        { action: 'VOID', reason, actor: 'test', before: { amount: 10, user: 'a', unit: 'analytics' }, after: null },
        { action: 'REPLACE', reason: 'back again', before: null, after: { amount: 1, user: 'a', unit: 'analytics' } },
      ],
    });
    const first = (await json('GET', `${path}?limit=3`)).body;
    const rest = (await json('GET', `${path}?limit=3&cursor=${first.next}`)).body;
    expect([first.corrections.length, rest.corrections.length, rest.next]).toEqual([3, 1, null]);
  });
  it('are carried out once by their name, or by that of their request', async () => {
    await send([{ unit: 'analytics', user: 'once', id: 'o', amount: 1 }]);
    const named = (amount: number) => ({
      action: 'REPLACE',
      id: 'o',
      reason,
      correctionId: 'c',
      replacement: { amount },
    });
    expect((await correct(named(2))).body).toMatchObject({ accepted: 1 });
    expect((await correct(named(3))).body).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await total('once')).toBe(2);
    const keyed = { action: 'REPLACE', id: 'o', reason, replacement: { amount: 4 } };
    await correct(keyed, { 'idempotency-key': 'k1' });
    await correct({ ...keyed, replacement: { amount: 9 } }, { 'idempotency-key': 'k2' });
    expect((await correct(keyed, { 'idempotency-key': 'k1' })).body).toMatchObject({ duplicates: 1 });
    expect(await total('once')).toBe(9);
  });
  it('wait for what was taken before them, not for what is taken meanwhile', async () => {
    const one = () => send([{ unit: 'analytics', user: 'steady', amount: 1 }]);
    const busy: ServiceRuntime = {
      ...system.runtime,
      visible: async (position) => {
        await system.runtime.visible(position);
        await one();
      },
    };
    await one();
    const head = await system.store.head();
    const asked = { tenantId: system.tenantId, subscriptionId: null };
    expect(await usageCounted(busy)(asked, 0n)).toBeGreaterThanOrEqual(head);
  });
  it.each(['-1 0', '1 -1', '1', 'x y'])('are not listed from a place that is none (%s)', async (place) => {
    const cursor = Buffer.from(place).toString('base64url');
    expect((await json('GET', `${path}?cursor=${cursor}`)).status).toBe(400);
  });
  it('are listed from any place there could be', async () => {
    const cursor = Buffer.from('999999999999999999 999999999999999').toString('base64url');
    expect((await json('GET', `${path}?cursor=${cursor}`)).body).toEqual({ corrections: [], next: null });
  });
  it('that cannot be carried out are named, the others are', async () => {
    await send([{ unit: 'analytics', user: 'named', id: 'n', amount: 1 }]);
    const { body } = await correct([
      { action: 'VOID', id: 'nobody', reason },
      { action: 'VOID', id: 'n' },
      { action: 'ERASE', id: 'n', reason },
      { action: 'REPLACE', id: 'n', reason, replacement: { amount: -1 } },
      { action: 'REPLACE', id: 'n', reason, replacement: { price: 1 } },
      { action: 'VOID', id: 'n', reason, replacement: { amount: 1 } },
      { action: 'VOID', id: 'n', reason, note: '' },
      { action: 'REPLACE', id: 'n', reason, replacement: { amount: 7 } },
    ]);
    expect(body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(body.rejected.map(({ index, field, code }: Loose) => `${index} ${field} ${code}`)).toEqual([
      '0 id unknown-record',
      '1 reason required',
      '2 action invalid',
      '3 replacement.amount negative',
      '4 replacement.price unknown-field',
      '5 replacement not-allowed',
      '6 note unknown-field',
    ]);
    expect(await total('named')).toBe(7);
    expect((await correct({ action: 'VOID', id: 'nobody', reason })).status).toBe(404);
    const single = await correct({ action: 'VOID', reason });
    expect([single.status, single.body.errors[0].pointer]).toEqual([400, '/id']);
    expect((await correct({ action: 'VOID', id: 'n' }, { 'x-killbill-reason': 'as the header says' })).status).toBe(
      202,
    );
  });
  it('move limits: of a sum by what counted in the window, of a gauge to its newest sample', async () => {
    await unit('calls', 'SUM', [{ limitAmount: 100, limitRefreshInterval: 'HOUR' }]);
    await unit('load', 'AVG', [{ periodSplitting: 'HOUR', limitAmount: 100 }]);
    const at = (time: string) => Date.parse(`2024-05-10T${time}:00Z`);
    await send([
      { unit: 'calls', user: 'l', id: 'l1', amount: 90, time: at('12:00') },
      { unit: 'calls', user: 'l', id: 'l2', amount: 20, time: at('12:00') },
      { unit: 'calls', user: 'l', id: 'old', amount: 20, time: at('09:00') },
      { unit: 'load', user: 'l', id: 'g1', amount: 50, time: at('11:00') },
      { unit: 'load', user: 'l', id: 'g2', amount: 150, time: at('11:30') },
    ]);
    expect([await limited('calls', 'l'), await limited('load', 'l')]).toMatchObject([
      { current: 110, limited: true },
      { current: 150, limited: true },
    ]);
    await correct([
      { action: 'VOID', id: 'l2', reason },
      { action: 'VOID', id: 'old', reason },
      { action: 'VOID', id: 'g2', reason },
    ]);
    expect([await limited('calls', 'l'), await limited('load', 'l')]).toMatchObject([
      { current: 90, limited: false },
      { current: 50, limited: false },
    ]);
    await correct([
      { action: 'REPLACE', id: 'l1', reason, replacement: { amount: 101 } },
      { action: 'REPLACE', id: 'g1', reason, replacement: { amount: 101 } },
    ]);
    expect([await limited('calls', 'l'), await limited('load', 'l')]).toMatchObject([
      { current: 101, limited: true },
      { current: 101, limited: true },
    ]);
  });
});

describe('usage of a closed period', () => {
  const close = async (user: string) => {
    const [accountId, subscriptionId, requestId] = [newId(), newId(), newId()];
    await system.facts.recordNewAccount(
      system.heard('accounts.account-created.v1', { accountId, externalKey: user, timeZone: 'UTC' } as never),
    );
    const transitions = [
      {
        effectiveAt: '2024-04-01T00:00:00.000Z',
        phase: {
          planName: 'standard-monthly',
          productCategory: 'BASE',
          usages: [{ tiers: [{ blocks: [{ unit: 'analytics', size: '1', max: null, price: '1' }], limits: [] }] }],
        },
      },
    ];
    await system.facts.recordPlans(
      system.heard('subscriptions.billing-changed.v1', { accountId, subscriptionId, transitions } as never),
    );
    await system.runtime.caughtUp();
    const period = { fromAt: '2024-04-01T00:00:00.000Z', toAt: '2024-05-01T00:00:00.000Z' };
    const ask = (id: string) =>
      system.requests.closeUsage(
        system.heard('invoicing.usage-requested.v1', {
          ...{ requestId: id, accountId, accountExternalKey: user, subscriptionId },
          ...{ planName: 'standard-monthly', timeZone: 'UTC' },
          periods: [{ unit: 'analytics', usageName: 'usage', ...period }],
        } as never),
      );
    await ask(requestId);
    const told = async () =>
      (await system.store.read(usageClosingStream(subscriptionId)))
        .filter(({ type }) => type === 'usage-closing.late-counted.v1')
        .map(({ data }: Loose) => [data.closedQuantity, data.quantity]);
    return { told, ask, settled: () => settleLateUsage(system) };
  };
  const inApril = (user: string, id: string, amount: number) => ({
    ...{ unit: 'analytics', user, id, amount },
    time: '2024-04-20T10:00:00Z',
  });

  it('that comes late, is corrected or taken back is counted again, and told once', async () => {
    await send([inApril('late', 'late1', 10)]);
    const { told, ask, settled } = await close('late');
    expect(await settled()).toBe(0);
    await send([inApril('late', 'late2', 5), { unit: 'analytics', user: 'late', id: 'late3', amount: 99 }]);
    expect(await settled()).toBe(1);
    await correct([{ action: 'REPLACE', id: 'late1', reason, replacement: { amount: 1 } }]);
    expect(await settled()).toBe(1);
    expect(await told()).toEqual([
      ['10', '15'],
      ['15', '6'],
    ]);
    await send([inApril('late', 'late2', 5)]);
    expect(await settled()).toBe(0);
    await ask(newId());
    expect(await settled()).toBe(0);
    await correct([{ action: 'REPLACE', id: 'late3', reason, replacement: { time: '2024-04-02T00:00:00Z' } }]);
    await settled();
    expect((await told()).at(-1)).toEqual(['6', '105']);
  });
  it('is not told of when it comes to the same', async () => {
    await send([inApril('same', 'same1', 10)]);
    const { told, settled } = await close('same');
    await correct([
      { action: 'REPLACE', id: 'same1', reason, replacement: { time: '2024-04-21T00:00:00Z', dimensions: { a: 'b' } } },
    ]);
    expect(await settled()).toBe(1);
    expect(await told()).toEqual([['10', '10']]);
  });
  it('is told record by record as it was counted, whatever became of it since', async () => {
    await send([inApril('told', 'told1', 10), inApril('told', 'told2', 20)]);
    const { ask } = await close('told');
    await ask(newId());
    const [closed] = (await system.store.readAll({ after: null, prefixes: ['usageClosing-'] })).events.slice(-1);
    const { fromAt, toAt, countedTo } = (closed!.data as Loose).usages[0];
    const lineage = async (more = '') =>
      (
        await json(
          'GET',
          `/v1/usage/lineage?user=told&unit=analytics&fromAt=${fromAt}&toAt=${toAt}&countedTo=${countedTo}${more}`,
        )
      ).body;
    const before = await lineage();
    expect(before.records.map(({ amount }: Loose) => amount)).toEqual(['10', '20']);
    const [{ stream, revision, index }] = before.records;
    const [event] = await system.store.read(stream, BigInt(revision), 1);
    expect((event!.data as Loose).records[index]).toEqual(expect.arrayContaining(['told', '10', 'told1']));
    await send([inApril('told', 'told3', 40)]);
    await correct([
      { action: 'VOID', id: 'told1', reason },
      { action: 'REPLACE', id: 'told2', reason, replacement: { amount: 1 } },
    ]);
    expect(await lineage()).toEqual(before);
    const first = await lineage('&limit=1');
    const second = await lineage(`&limit=1&cursor=${first.next}`);
    expect([...first.records, ...second.records]).toEqual(before.records);
    expect(second.next).toBeNull();
  });
});
