import { newId } from '@billstream/kernel';
import { correctUsage } from './corrections/correct-usage';
import { reduceUsage } from './corrections/reduce-usage';
import type { Metering } from './metering';
import { meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T12:00:00.000Z');
}, 30_000);
afterAll(() => system.close());

const { json, record: sendOriginal } = overHttp(() => system);
const [from, to] = ['2024-05-01T00:00:00.000Z', '2024-05-08T00:00:00.000Z'];
const record = (user: string, id: string, amount: number) => ({
  ...{ unit: 'analytics', user, id, source: 's', amount, time: '2024-05-03T00:00:00.000Z' },
});
const send = (records: readonly object[]) => json('POST', '/v1/usage/events', [...records]);
const total = async (user: string): Promise<string> => {
  await system.runtime.caughtUp();
  const { body } = await json('GET', `/v1/usage?unit=analytics&user=${user}&from=${from}&to=${to}`);
  return body.usage[0]?.sum ?? '0';
};
const context = () => ({
  ...{ tenantId: system.tenantId, user: 'admin', actor: { createdBy: 'test' } },
  ...{ correlationId: newId(), commandId: newId() },
});
const backfill = async (user: string, records: readonly object[]): Promise<string> => {
  const asked = { name: 'b', reason: 'again', mode: 'REPLACE', from, to, units: ['analytics'], users: [user] };
  const { body } = await json('POST', '/v1/usage/backfills', asked);
  await json('PUT', `/v1/usage/backfills/${body.backfillId}/parts/1`, [...records]);
  return body.backfillId as string;
};
const commit = (id: string) => json('POST', `/v1/usage/backfills/${id}/commit`);
const revert = (id: string) => json('POST', `/v1/usage/backfills/${id}/revert`, { reason: 'wrong' });

/** Metering in which something is done between what a correction reads and its append, once. */
const inBetween = (act: () => Promise<unknown>): Metering => {
  let done = false;
  return {
    ...system.metering,
    correction: Object.assign(
      async (...asked: Parameters<Metering['correction']>) => {
        if (!done) {
          done = true;
          await act();
        }
        return system.metering.correction(...asked);
      },
      { stateOf: system.metering.correction.stateOf },
    ),
  };
};
const reduce = (metering: Metering, user: string, id: string, amount: number) =>
  reduceUsage(metering, {
    context: context(),
    records: [{ raw: { ...record(user, `${id}-back`, amount), corrects: id }, index: 0 }],
    requestKey: null,
  });
const accepted = { accepted: 1, duplicates: 0, rejected: [] };

describe('what takes usage back', () => {
  it('takes it from what a backfill brought that was committed while it was worked out', async () => {
    await send([record('a', 'a1', 50)]);
    const id = await backfill('a', [record('a', 'a1', 100)]);
    expect(
      await reduce(
        inBetween(() => commit(id)),
        'a',
        'a1',
        -10,
      ),
    ).toEqual(accepted);
    expect(await total('a')).toBe('90');
    expect(await reduce(system.metering, 'a', 'a1', -10)).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await total('a')).toBe('90');
  });
  it('takes it from what counts again after a backfill that was reverted while it was worked out', async () => {
    await send([record('b', 'b1', 50)]);
    const id = await backfill('b', [record('b', 'b1', 100)]);
    await commit(id);
    expect(
      await reduce(
        inBetween(() => revert(id)),
        'b',
        'b1',
        -10,
      ),
    ).toEqual(accepted);
    expect(await total('b')).toBe('40');
  });
  it('is refused when a backfill has left too little meanwhile', async () => {
    await send([record('c', 'c1', 50)]);
    const id = await backfill('c', [record('c', 'c1', 5)]);
    const answer = await reduce(
      inBetween(() => commit(id)),
      'c',
      'c1',
      -10,
    );
    expect(answer).toMatchObject({ accepted: 0, rejected: [{ code: 'exceeds-record' }] });
    expect(await total('c')).toBe('5');
  });
  it('is not undone by a backfill that was abandoned meanwhile', async () => {
    await send([record('d', 'd1', 50)]);
    const id = await backfill('d', []);
    const abandon = () => json('DELETE', `/v1/usage/backfills/${id}`);
    expect(await reduce(inBetween(abandon), 'd', 'd1', -10)).toEqual(accepted);
    expect(await total('d')).toBe('40');
  });
});

describe('the name of a record that takes usage back', () => {
  it('is taken: another record under it is a duplicate, and no correction finds usage there', async () => {
    await sendOriginal([record('j', 'j1', 50), { ...record('j', 'j2', -10), corrects: 'j1' }]);
    expect(await total('j')).toBe('40');
    await send([record('j', 'j2', 5)]);
    expect(await total('j')).toBe('40');
    const fix = { action: 'REPLACE', source: 's', id: 'j2', reason: 'r', replacement: { amount: 3 } };
    expect((await json('POST', '/v1/usage/corrections', fix)).status).toBe(404);
    expect((await sendOriginal([{ ...record('j', 'j2', -10), corrects: 'j1' }])).body).toMatchObject({ duplicates: 1 });
  });
  it("that a record took while it was worked out makes it that record's duplicate", async () => {
    await send([record('k', 'k1', 50)]);
    const first = () => send([record('k', 'k1-back', 5)]);
    await reduce(inBetween(first), 'k', 'k1', -10);
    expect(await total('k')).toBe('55');
    expect(await reduce(system.metering, 'k', 'k1', -10)).toMatchObject({ accepted: 0, duplicates: 1 });
  });
});

describe('a correction', () => {
  const correct = (metering: Metering, correction: object) =>
    correctUsage(metering, {
      context: context(),
      batch: [{ source: 's', reason: 'r', ...correction }],
      requestKey: null,
    });

  it('keeps what another correction changed of the record while it was worked out', async () => {
    await send([record('e', 'e1', 50)]);
    const other = () => correct(system.metering, { action: 'REPLACE', id: 'e1', replacement: { user: 'f' } });
    expect(await correct(inBetween(other), { action: 'REPLACE', id: 'e1', replacement: { amount: 7 } })).toEqual(
      accepted,
    );
    expect([await total('e'), await total('f')]).toEqual(['0', '7']);
  });
  it('keeps what a backfill changed of the record while it was worked out', async () => {
    await send([record('g', 'g1', 50)]);
    const id = await backfill('g', [{ ...record('g', 'g1', 100), dimensions: { zone: 'x' } }]);
    await correct(
      inBetween(() => commit(id)),
      { action: 'REPLACE', id: 'g1', replacement: { amount: 7 } },
    );
    const [change] = (await json('GET', '/v1/usage/corrections?source=s&id=g1')).body.corrections;
    expect(change).toMatchObject({ before: { amount: 100 }, after: { amount: 7, dimensions: { zone: 'x' } } });
  });
  it('that could not be carried out is carried out when its request is sent again', async () => {
    await send([record('h', 'h1', 1)]);
    const asked = ['h1', 'h2'].map((id) => ({
      action: 'REPLACE',
      source: 's',
      id,
      reason: 'r',
      replacement: { amount: 5 },
    }));
    const again = () => json('POST', '/v1/usage/corrections', asked, { 'idempotency-key': 'h' });
    expect((await again()).body).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'unknown-record' }] });
    await send([record('h', 'h2', 1)]);
    expect((await again()).body).toEqual({ accepted: 1, duplicates: 1, rejected: [] });
    expect(await total('h')).toBe('10');
    expect((await again()).body).toEqual({ accepted: 0, duplicates: 2, rejected: [] });
  });
  it('under an Idempotency-Key of another body is refused', async () => {
    await send([record('i', 'i1', 1)]);
    const once = (amount: number) =>
      json(
        'POST',
        '/v1/usage/corrections',
        { action: 'REPLACE', source: 's', id: 'i1', reason: 'r', replacement: { amount } },
        { 'idempotency-key': 'i' },
      );
    expect([(await once(2)).status, (await once(3)).status]).toEqual([202, 422]);
    expect(await total('i')).toBe('2');
  });
});
