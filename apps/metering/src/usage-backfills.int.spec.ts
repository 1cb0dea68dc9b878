import { newId } from '@billstream/kernel';
import { backfilledUsageStream } from '@billstream/metering-domain';
import { meteringOf } from './metering';
import { backfillsOf, firstWeek, may } from './testing/backfill-requests';
import { type Loose, meteringWithTenant } from './testing/metering-over-http';
import { liveAndRebuilt } from './testing/rebuilt-tables';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
});
beforeEach(() => system.at(noon));
afterAll(() => system.close());

const { json, unit, path, send, open, stage, commit, revert, preview, record, total, counted } = backfillsOf(
  () => system,
);

describe('a backfill', () => {
  it('counts nowhere while it is staged, all at once when it is committed, and nothing of it once it is reverted', async () => {
    await send([record('a', 'a1', 10), record('a', 'a2', 20)]);
    const before = await counted();
    const id = await open();
    expect((await stage(id, '1', [record('a', 'a2', 99), record('a', 'a3', 40)])).body).toEqual({
      ...{ part: '1', staged: 2, rejected: [], repeated: false },
    });
    await stage(id, '2', [record('a', 'a3', 7), record('a', 'a4', 0.5)]);
    expect(await counted()).toEqual(before);
    const planned = await preview(id);
    expect(planned).toMatchObject({
      action: 'COMMIT',
      records: { staged: 4, repeated: 1, duplicates: 1, counted: 2, replaced: 0 },
      quantities: [{ unit: 'analytics', before: { sum: '30', records: 2 }, after: { sum: '70.5', records: 4 } }],
    });
    expect(await counted()).toEqual(before);
    const { status, body } = await commit(id);
    expect([status, body]).toMatchObject([
      202,
      { status: 'COMMITTED', committed: { by: 'test', counted: 2, duplicates: 2, replaced: 0 } },
    ]);
    expect(await total('a')).toBe('70.5');
    expect(await preview(id)).toMatchObject({
      action: 'REVERT',
      records: { removed: 2, reinstated: 0 },
      quantities: [{ before: { sum: '70.5' }, after: { sum: '30' } }],
    });
    expect((await revert(id)).body).toMatchObject({ status: 'REVERTED', ended: { by: 'test', reason: 'wrong file' } });
    expect(await counted()).toEqual(before);
  });

  it('that replaces takes the place of what came directly in its scope, and of nothing else', async () => {
    await send([
      ...[record('r', 'r1', 10), record('r', 'r2', 20), record('r', 'late', 3, may(8))],
      ...[record('other', 'o1', 5), { ...record('r', 'h', 7), unit: 'host' }],
    ]);
    const before = await counted();
    const id = await open({ mode: 'REPLACE', users: ['r'] });
    await stage(id, '1', [record('r', 'r2', 2), record('r', 'r9', 1, may(4)), record('r', 'late', 50)]);
    expect((await preview(id)).records).toEqual({ staged: 3, repeated: 0, duplicates: 1, counted: 2, replaced: 2 });
    await commit(id);
    expect([await total('r'), await total('other')]).toEqual(['6', '5']);
    const { body } = await json('POST', '/v1/usage/corrections', {
      action: 'VOID',
      source: 's',
      id: 'r1',
      reason: 'x',
    });
    expect([body.code ?? body.type, await total('r')]).toEqual([expect.stringContaining('invalid-request'), '6']);
    expect((await send([record('r', 'r1', 1000)])).body).toMatchObject({ duplicates: 1 });
    await revert(id);
    expect(await counted()).toEqual(before);
    expect(await total('r')).toBe('33');
  });

  it('stands in front of what comes directly under its names, until it is reverted', async () => {
    const id = await open();
    await stage(id, '1', [record('s', 's1', 10)]);
    await commit(id);
    await send([record('s', 's1', 4), record('s', 's2', 1)]);
    expect(await total('s')).toBe('11');
    await json('POST', '/v1/usage/corrections', {
      ...{ action: 'REPLACE', source: 's', id: 's1', reason: 'x', replacement: { amount: 6 } },
    });
    expect(await total('s')).toBe('7');
    await revert(id);
    expect(await total('s')).toBe('7');
    await send([record('s', 's1', 4)]);
    expect(await total('s')).toBe('7');
  });

  it('of which a name was freed by a revert can be brought again', async () => {
    for (const amount of [10, 20]) {
      const id = await open();
      await stage(id, '1', [record('again', 'g1', amount)]);
      await commit(id);
      expect(await total('again')).toBe(String(amount));
      await revert(id);
    }
    expect(await total('again')).toBe('0');
  });

  it('is refused where it would replace what another one replaces', async () => {
    const first = await open({ mode: 'REPLACE', users: ['x', 'y'] });
    const second = await open({ mode: 'REPLACE', users: ['y'], from: may(7), to: may(9) });
    await commit(first);
    expect(await commit(second)).toMatchObject({ status: 409, body: { type: 'urn:problem:backfill-overlaps' } });
    expect((await json('GET', `${path}/${second}`)).body).toMatchObject({ status: 'STAGING', committed: null });
    await revert(first);
    expect((await commit(second)).body).toMatchObject({ status: 'COMMITTED' });
    await revert(second);
  });

  it('takes a part once, however often it is sent, and not with other records', async () => {
    const id = await open();
    const part = [record('p', 'p1', 1), { ...record('p', '', 2), id: undefined }];
    expect((await stage(id, 'p', part)).body).toMatchObject({ staged: 2, repeated: false });
    expect((await stage(id, 'p', part)).body).toMatchObject({ staged: 2, repeated: true });
    expect(await stage(id, 'p', [record('p', 'p1', 2)])).toMatchObject({
      ...{ status: 409, body: { type: 'urn:problem:part-differs' } },
    });
    await commit(id);
    expect((await stage(id, 'p', part)).body).toMatchObject({ repeated: true });
    expect(await stage(id, 'q', part)).toMatchObject({ status: 409, body: { type: 'urn:problem:backfill-sealed' } });
    expect((await commit(id)).body).toMatchObject({ status: 'COMMITTED', records: 2, parts: 1 });
    expect(await total('p')).toBe('3');
    await revert(id);
    expect((await revert(id)).body).toMatchObject({ status: 'REVERTED' });
    expect(await commit(id)).toMatchObject({ status: 409 });
  });

  it('takes CloudEvents as usage is sent by them, and the same events as the same part', async () => {
    const id = await open();
    const event = (name: string, amount: number) => ({
      ...{ specversion: '1.0', id: name, source: '/pods/1', type: 'analytics', subject: 'cloud', time: may(3) },
      data: { amount },
    });
    const batch = { 'content-type': 'application/cloudevents-batch+json' };
    const sent = (part: string, body: object, headers: Loose) =>
      json('PUT', `${path}/${id}/parts/${part}`, body, headers);
    const events = [event('e1', 2), event('e2', 3), { ...event('e3', 4), time: may(8) }];
    const rejected = [expect.objectContaining({ index: 2, field: 'time', code: 'outside-backfill' })];
    expect((await sent('1', events, batch)).body).toEqual({ part: '1', staged: 2, rejected, repeated: false });
    expect((await sent('1', events, batch)).body).toMatchObject({ staged: 2, repeated: true });
    const single = { 'content-type': 'application/cloudevents+json' };
    expect((await sent('2', event('e4', 6), single)).body).toMatchObject({ staged: 1, rejected: [] });
    expect((await sent('3', event('e5', 6), batch)).status).toBe(400);
    expect((await sent('3', record('cloud', 'own', 1), {})).status).toBe(400);
    await commit(id);
    expect(await total('cloud')).toBe('11');
    await revert(id);
  });

  it('that is being counted says how far that is', async () => {
    const id = await open();
    await stage(id, '1', [record('progress', 'p', 1)]);
    expect((await json('GET', `${path}/${id}`)).body).toMatchObject({ status: 'STAGING', progress: null });
    const { backfilled } = meteringOf(system.runtime);
    const committed = { ...firstWeek, backfillId: id, mode: 'ADD', users: null, fromAt: may(1), toAt: may(8) };
    const context = { commandId: newId(), tenantId: system.tenantId, actor: { createdBy: 'test' }, at: noon };
    await backfilled(
      backfilledUsageStream(system.tenantId),
      { type: 'Commit', committed } as never,
      { ...context, correlationId: 'c' } as never,
    );
    const answer = async () => (await json('GET', `${path}/${id}`)).body;
    expect(await answer()).toMatchObject({ status: 'COMMITTING', progress: null });
    await system.database.transaction(async (tx) => {
      const name = `backfill ${id.replaceAll('-', '')} 2 50000 1200000`;
      await tx.query(`select set_config('application_name', $1, true)`, [name]);
      expect(await answer()).toMatchObject({
        ...{ status: 'COMMITTING', progress: { step: 'RECORDS', done: 50_000, of: 1_200_000 } },
      });
    });
    await system.runtime.caughtUp();
    expect(await answer()).toMatchObject({ status: 'COMMITTED', progress: null });
    await revert(id);
  });

  it('that nobody commits is given up when its time is over, and says so to whoever comes later', async () => {
    const [stale, kept] = [await open(), await open()];
    for (const id of [stale, kept]) await stage(id, '1', [record('stale', id, 1)]);
    const told = (await json('GET', `${path}/${stale}`)).body;
    expect([told.opened.at, told.expiresAt]).toEqual([noon, '2024-05-17T12:00:00.000Z']);
    expect((await commit(kept)).body).toMatchObject({ status: 'COMMITTED', expiresAt: null });
    const due = async () =>
      (await system.database.query<Loose>(`select * from due_work where kind = 'backfill-expiry'`)).map(
        ({ key }) => key,
      );
    expect(await due()).toContain(stale);
    expect(await due()).not.toContain(kept);
    system.at('2024-05-17T12:00:01.000Z');
    await system.doDueWork();
    expect(await due()).toEqual([]);
    expect((await json('GET', `${path}/${stale}`)).body).toMatchObject({
      ...{ status: 'EXPIRED', committed: null, ended: { at: '2024-05-17T12:00:01.000Z', by: 'metering' } },
    });
    const gone = { status: 410, body: { type: 'urn:problem:backfill-expired' } };
    expect(await commit(stale)).toMatchObject(gone);
    expect(await stage(stale, '2', [record('stale', 'more', 1)])).toMatchObject(gone);
    expect(await json('GET', `${path}/${stale}/preview`)).toMatchObject(gone);
    expect(await total('stale')).toBe('1');
    expect((await json('GET', `${path}?status=EXPIRED`)).body.backfills).toContainEqual(
      expect.objectContaining({ backfillId: stale }),
    );
    await revert(kept);
  });

  it('names what it does not take, by place and field', async () => {
    const id = await open({ users: ['n'] });
    const { body } = await stage(id, '1', [
      record('n', 'ok', 1),
      { ...record('n', 'x', 1), time: undefined },
      record('n', 'x', 1, may(8)),
      record('m', 'x', 1),
      { ...record('n', 'x', 1), unit: 'host' },
      { ...record('n', 'x', -1) },
      null,
    ]);
    expect(body.rejected.map(({ index, field, code }: Loose) => `${index} ${field} ${code}`)).toEqual([
      ...['1 time required', '2 time outside-backfill', '3 user outside-backfill', '4 unit outside-backfill'],
      ...['5 amount negative', '6  not-an-object'],
    ]);
    expect((await preview(id)).rejected).toHaveLength(6);
    expect((await preview(id)).rejected[0]).toMatchObject({ part: '1', index: 1, field: 'time', code: 'required' });
    expect((await json('DELETE', `${path}/${id}`)).body).toMatchObject({ status: 'ABANDONED', rejected: 6 });
    expect(await commit(id)).toMatchObject({ status: 409 });
    expect(await json('GET', `${path}/${id}/preview`)).toMatchObject({ status: 409 });
  });

  it.each([
    [{ name: '' }, '/name'],
    [{ reason: undefined }, '/reason'],
    [{ mode: 'MERGE' }, '/mode'],
    [{ from: 'yesterday' }, '/from'],
    [{ to: may(1) }, '/to'],
    [{ units: [] }, '/units'],
    [{ users: [1] }, '/users'],
    [{ unit: 'analytics' }, '/unit'],
  ])('is not opened with %j', async (wrong, pointer) => {
    const asked = { name: 'n', reason: 'r', mode: 'ADD', ...firstWeek, ...wrong };
    const { status, body } = await json('POST', path, asked);
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, pointer]);
  });

  it('is known to its tenant alone, opened once by its key, and listed newest first', async () => {
    const key = { 'idempotency-key': 'backfill-1' };
    const asked = { name: 'keyed', reason: 'r', mode: 'ADD', ...firstWeek };
    const first = await json('POST', path, asked, key);
    expect((await json('POST', path, asked, key)).body.backfillId).toBe(first.body.backfillId);
    const id = first.body.backfillId as string;
    const other = { tenant: newId() };
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/preview'],
      ['POST', '/commit'],
      ['DELETE', ''],
    ] as const)
      expect((await system.call({ method, url: `${path}/${id}${rest}`, ...other })).statusCode).toBe(404);
    expect((await system.call({ method: 'GET', url: path, ...other })).json()).toEqual({ backfills: [], next: null });
    expect((await json('GET', `${path}?status=STAGING`)).body.backfills[0].backfillId).toBe(id);
    const page = (await json('GET', `${path}?limit=1`)).body;
    expect(page.backfills[0]).toMatchObject({ backfillId: id, name: 'keyed', status: 'STAGING', parts: 0 });
    const rest = (await json('GET', `${path}?cursor=${page.next}`)).body;
    expect(rest.backfills.map((one: Loose) => one.backfillId)).not.toContain(id);
    expect((await json('GET', `${path}/nonsense`)).status).toBe(400);
    expect(await commit(id)).toMatchObject({ status: 409, body: { type: 'urn:problem:backfill-empty' } });
  });

  it('moves limits once, there and back', async () => {
    await unit('calls', 'SUM', [{ limitAmount: 100, limitRefreshInterval: 'DAY' }]);
    await unit('load', 'AVG', [{ periodSplitting: 'HOUR', limitAmount: 100 }]);
    const limits = async () =>
      Promise.all(
        ['calls', 'load'].map(async (name) => {
          const { body } = await json('GET', `/meter/limit/check/${name}?user=l`);
          return [body.current, body.limited];
        }),
      );
    const now = (name: string, id: string, amount: number, hour: number) => ({
      ...{ unit: name, user: 'l', id, amount, time: may(10, hour) },
    });
    await send([now('calls', 'c1', 90, 9), now('load', 'g1', 50, 9)]);
    const before = await counted();
    const id = await open({ units: ['calls', 'load'], from: may(9), to: may(11) });
    await stage(id, '1', [now('calls', 'c2', 20, 10), now('calls', 'c3', 5, 11), now('load', 'g2', 150, 10)]);
    await stage(id, '2', [{ ...now('calls', 'old', 1000, 10), time: may(9, 1) }]);
    const change = { user: 'l', from: 'RELEASED', to: 'LIMITED' };
    expect((await preview(id)).limits).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...change, unit: 'calls', current: '115', limit: '100' }),
        expect.objectContaining({ ...change, unit: 'load', current: '150', limit: '100' }),
      ]),
    );
    expect(await limits()).toEqual([
      [90, false],
      [50, false],
    ]);
    await commit(id);
    expect(await limits()).toEqual([
      [115, true],
      [150, true],
    ]);
    await revert(id);
    expect(await limits()).toEqual([
      [90, false],
      [50, false],
    ]);
    expect(await counted()).toEqual(before);
    await system.doDueWork();
    const told = (await system.store.readAll({ after: null, prefixes: ['limitNews-'] })).events.map(({ type }) => type);
    expect(told.filter((type) => type === 'limit-news.reached.v1')).toHaveLength(2);
    expect(told.filter((type) => type === 'limit-news.released.v1')).toHaveLength(2);
  });
});

it('a read model that is built again from the log is the same', async () => {
  const { live, rebuilt } = await liveAndRebuilt(system);
  expect(rebuilt).toEqual(live);
});
