import { newId } from '@billstream/kernel';
import { backfilledUsageStream, usageClosingStream } from '@billstream/metering-domain';
import { meteringReadModel } from '@billstream/metering-read-models';
import { meteringOf } from './metering';
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
const path = '/v1/usage/backfills';
const send = (records: readonly object[]) => json('POST', '/v1/usage/events', [...records]);
const may = (day: number, hour = 0) =>
  `2024-05-${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00.000Z`;
const firstWeek = { from: may(1), to: may(8), units: ['analytics'] };
const open = async (more: object = {}) => {
  const asked = { name: 'week 18', reason: 'the collector was down', mode: 'ADD', ...firstWeek, ...more };
  const { status, body } = await json('POST', path, asked);
  expect(status).toBe(201);
  return body.backfillId as string;
};
const stage = (id: string, part: string, records: readonly unknown[]) =>
  json('PUT', `${path}/${id}/parts/${part}`, [...records]);
const commit = (id: string) => json('POST', `${path}/${id}/commit`);
const revert = (id: string) => json('POST', `${path}/${id}/revert`, { reason: 'wrong file' });
const preview = async (id: string, query = '') => (await json('GET', `${path}/${id}/preview${query}`)).body;
const record = (user: string, id: string, amount: number, time = may(3)) => ({
  ...{ unit: 'analytics', user, id, source: 's', amount, time },
});
const total = async (user: string, from = may(1), to = may(9)) => {
  await system.runtime.caughtUp();
  const { body } = await json('GET', `/v1/usage?unit=analytics&user=${user}&from=${from}&to=${to}`);
  return body.usage[0]?.sum ?? '0';
};

/** Every record that counts, byte for byte. */
const counted = async () => {
  await system.runtime.caughtUp();
  const rows = await system.database.query<{ row: string }>('select row_to_json(t)::text as row from usage_records t');
  return rows.map(({ row }) => row).sort();
};

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

describe('a backfill of a closed period', () => {
  const april = { from: '2024-04-01T00:00:00.000Z', to: '2024-05-01T00:00:00.000Z' };
  const inApril = (user: string, id: string, amount: number) => record(user, id, amount, '2024-04-20T10:00:00.000Z');
  const close = async (user: string, units = ['analytics']) => {
    const [accountId, subscriptionId] = [newId(), newId()];
    await system.facts.recordNewAccount(
      system.heard('accounts.account-created.v1', { accountId, externalKey: user, timeZone: 'UTC' } as never),
    );
    const usages = [{ tiers: [{ blocks: [{ unit: 'analytics', size: '1', max: null, price: '1' }], limits: [] }] }];
    const phase = { planName: 'standard-monthly', productCategory: 'BASE', usages };
    await system.facts.recordPlans(
      system.heard('subscriptions.billing-changed.v1', {
        ...{ accountId, subscriptionId, transitions: [{ effectiveAt: april.from, phase }] },
      } as never),
    );
    await system.runtime.caughtUp();
    const ask = () =>
      system.requests.closeUsage(
        system.heard('invoicing.usage-requested.v1', {
          ...{ requestId: newId(), accountId, accountExternalKey: user, subscriptionId },
          ...{ planName: 'standard-monthly', timeZone: 'UTC' },
          periods: units.map((name) => ({ unit: name, usageName: 'usage', fromAt: april.from, toAt: april.to })),
        } as never),
      );
    await ask();
    const told = async () =>
      (await system.store.read(usageClosingStream(subscriptionId)))
        .filter(({ type }) => type === 'usage-closing.late-counted.v1')
        .map(({ data }: Loose) => [data.closedQuantity, data.quantity]);
    return { told, ask, subscriptionId, settled: () => settleLateUsage(system) };
  };

  it('is told of once by its commit and once by its revert', async () => {
    await send([inApril('late', 'late1', 10)]);
    const { told, settled, subscriptionId } = await close('late');
    const id = await open({ ...april, mode: 'REPLACE', users: ['late'] });
    await stage(id, '1', [inApril('late', 'late1', 4), inApril('late', 'late2', 3)]);
    expect((await preview(id)).closedPeriods).toMatchObject([
      { subscriptionId, unit: 'analytics', ...april, quantity: { before: '10', after: '7', difference: '-3' } },
    ]);
    expect(await settled()).toBe(0);
    await commit(id);
    expect(await settled()).toBe(1);
    expect((await preview(id)).closedPeriods).toMatchObject([{ quantity: { before: '7', after: '10' } }]);
    await revert(id);
    expect(await settled()).toBe(1);
    expect(await told()).toEqual([
      ['10', '7'],
      ['7', '10'],
    ]);
  });

  it('is told to invoicing with all units of its price, as each would be counted', async () => {
    await unit('pages', 'SUM', [{}]);
    await send([inApril('two', 'two1', 10), { ...inApril('two', 'two2', 6), unit: 'pages' }]);
    const { subscriptionId } = await close('two', ['analytics', 'pages']);
    const id = await open({ ...april, users: ['two'] });
    await stage(id, '1', [inApril('two', 'two3', 4)]);
    const { body } = await json('GET', `/1.0/kb/internal/usage/backfills/${id}/preview`);
    expect(body.answer.closedPeriods).toMatchObject([{ unit: 'analytics', quantity: { after: '14' } }]);
    expect(body.changed).toEqual([
      expect.objectContaining({
        ...{ subscriptionId, planName: 'standard-monthly', usageName: 'usage', fromAt: april.from, toAt: april.to },
        usages: [
          expect.objectContaining({ unit: 'analytics', quantity: '14', records: 2 }),
          expect.objectContaining({ unit: 'pages', quantity: '6', records: 1 }),
        ],
      }),
    ]);
    await json('DELETE', `${path}/${id}`);
  });

  it('can be listed record by record as it was counted, before, between and after', async () => {
    await send([inApril('lineage', 'l1', 10), inApril('lineage', 'l2', 20)]);
    const { ask } = await close('lineage');
    const lineage = async (countedTo: string) => {
      const query = `user=lineage&unit=analytics&fromAt=${april.from}&toAt=${april.to}&countedTo=${countedTo}`;
      return (await json('GET', `/v1/usage/lineage?${query}`)).body.records as readonly Loose[];
    };
    const lastCount = async () => {
      await ask();
      const closed = (await system.store.readAll({ after: null, prefixes: ['usageClosing-'] })).events.at(-1);
      return (closed!.data as Loose).usages[0].countedTo as string;
    };
    const counts = [await lastCount()];
    const id = await open({ ...april, mode: 'REPLACE', users: ['lineage'] });
    await stage(id, '1', [inApril('lineage', 'l2', 5), inApril('lineage', 'l3', 7)]);
    await commit(id);
    counts.push(await lastCount());
    await revert(id);
    counts.push(await lastCount());
    const amounts = async () =>
      Promise.all(counts.map(async (to) => (await lineage(to)).map(({ amount }) => amount as string).sort()));
    expect(await amounts()).toEqual([
      ['10', '20'],
      ['5', '7'],
      ['10', '20'],
    ]);
    for (const { stream, revision, index, amount } of await lineage(counts[1]!)) {
      const [event] = await system.store.read(stream, BigInt(revision), 1);
      expect(event!.type).toBe('usage-backfill-part.recorded.v1');
      expect((event!.data as Loose).records[index][3]).toBe(amount);
    }
  });
});

it('a read model that is built again from the log is the same', async () => {
  await system.runtime.caughtUp();
  const tables = async (sql: Pick<typeof system.database, 'query'>) => {
    const found: Record<string, readonly string[]> = {};
    for (const table of meteringReadModel.tables) {
      const rows = await sql.query<{ row: string }>(`select row_to_json(t)::text as row from ${table} t`);
      found[table] = rows.map(({ row }) => row).sort();
    }
    return found;
  };
  const { events } = await system.store.readAll({ after: null, prefixes: meteringReadModel.prefixes });
  const again = system.database.withSchema('again');
  await system.database.query('create schema again');
  await again.query(meteringReadModel.ddl);
  for (let from = 0; from < events.length; from += 17)
    await again.transaction((tx) => meteringReadModel.apply(tx, events.slice(from, from + 17)));
  expect(await tables(again)).toEqual(await tables(system.database));
});
