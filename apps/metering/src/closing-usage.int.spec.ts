import { newId } from '@billstream/kernel';
import type { QuartersAsked } from '@billstream/metering-read-models';
import { meteringOf } from './metering';
import { closingUsage, phase, transition } from './testing/closing-usage';
import { meteringWithTenant, overHttp } from './testing/metering-over-http';

type Span = Pick<QuartersAsked, 'fromAt' | 'toAt'>;

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
});
beforeEach(() => system.at(noon));
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);

const { holder, close } = closingUsage(() => system, noon);

describe('closing usage for an invoice', () => {
  it('counts a month under the default rule for the subscription that prices the unit', async () => {
    const held = await holder('closing', [
      transition('2024-04-01T00:00:00.000Z', phase('standard-monthly', ['host', 'analytics'])),
    ]);
    await record([
      { unit: 'analytics', user: 'closing', amount: 51 },
      { unit: 'analytics', user: 'closing', amount: 9, time: Date.parse('2024-05-01T00:00:00Z') },
      { unit: 'analytics', user: 'closing', amount: 1000, time: Date.parse('2024-06-01T00:00:00Z') },
      { unit: 'host', user: 'closing', amount: 21 },
    ]);
    expect(await close('closing', held, 'analytics')).toMatchObject({
      quantity: '60',
      metered: '60',
      free: '0',
      records: 2,
      rule: { unit: 'analytics', version: 1, countingMethod: 'SUM' },
    });
    expect(await close('closing', held, 'host')).toMatchObject({ quantity: '21', rule: { countingMethod: 'AVG' } });
    expect(await close('closing', held, 'nobody-knows')).toMatchObject({ quantity: '0', rule: null });
  });
  it('bills no record to two subscriptions', async () => {
    const plan = phase('standard-monthly', ['analytics']);
    const first = await holder('shared', [transition('2024-04-01T00:00:00.000Z', plan)]);
    const second = newId();
    await system.facts.recordPlans(
      system.heard('subscriptions.billing-changed.v1', {
        accountId: first.accountId,
        subscriptionId: second,
        transitions: [transition('2024-05-05T00:00:00.000Z', plan)],
      } as never),
    );
    await record([{ unit: 'analytics', user: 'shared', amount: 8 }]);
    expect(await close('shared', first, 'analytics')).toMatchObject({ quantity: '8' });
    expect(await close('shared', { ...first, subscriptionId: second }, 'analytics')).toMatchObject({ quantity: '0' });
  });
  it('asks for what many users used in one statement, and counts each by what is theirs', async () => {
    const plan = phase('standard-monthly', ['analytics']);
    const users = [3, 5, 8, 13].map((amount) => ({ user: `together-${amount}`, amount }));
    const held = await Promise.all(
      users.map(({ user }) => holder(user, [transition('2024-04-01T00:00:00.000Z', plan)])),
    );
    const time = Date.parse('2024-05-01T00:00:00Z');
    await record(users.flatMap((one) => [one, { ...one, time }].map((its) => ({ unit: 'analytics', ...its }))));
    const countedTo = await system.store.head();
    await system.runtime.visible(countedTo);
    const { closingQuestions } = meteringOf(system.runtime);
    const statements = jest.spyOn(system.runtime.database, 'query');
    const span = { fromAt: '2024-05-01T00:00:00.000Z', toAt: '2024-06-01T00:00:00.000Z' } as never as Span;
    const asked = { tenantId: system.tenantId, unit: 'analytics', ...span };
    const quarters = await Promise.all([
      ...users.map(({ user }) => closingQuestions.quarters({ ...asked, user, countedTo })),
      closingQuestions.quarters({ ...asked, user: 'together-3', countedTo: 0n }),
    ]);
    expect(statements.mock.calls.filter(([, , name]) => name === 'usage-quarters-as-of')).toHaveLength(1);
    statements.mockRestore();
    expect(quarters.map((each) => each.map(({ at, sum, count }) => [at, sum, count]))).toEqual([
      ...users.map(({ amount }) =>
        ['2024-05-01T00:00:00.000Z', '2024-05-10T12:00:00.000Z'].map((at) => [at, String(amount), 1]),
      ),
      [],
    ]);
    const closed = await Promise.all(users.map(({ user }, index) => close(user, held[index]!, 'analytics')));
    expect(closed.map(({ quantity }) => quantity)).toEqual(['6', '10', '16', '26']);
  });
  it('splits at a plan change and deducts each plan’s free amount', async () => {
    await unit('split', 'SUM', [{ applyPlan: true, basePlan: 'standard-pro', freeAmount: 5, freePeriod: 'DAY' }, {}]);
    const held = await holder('changer', [
      transition('2024-04-01T00:00:00.000Z', phase('standard-monthly', ['split'])),
      transition('2024-05-10T12:00:00.000Z', phase('standard-pro', ['split'])),
    ]);
    await record([
      { unit: 'split', user: 'changer', amount: 10, time: Date.parse('2024-05-10T11:59:59.999Z') },
      { unit: 'split', user: 'changer', amount: 20, time: Date.parse('2024-05-10T12:00:00.000Z') },
    ]);
    system.at('2024-05-11T00:00:00.000Z');
    const [series] = (
      await json('GET', '/meter/record/series?unit=split&user=changer&start=2024-05-10%2000&end=2024-05-11%2000')
    ).body;
    expect(series.subscriptions).toMatchObject([
      { subscriptionId: null, basePlan: null, total: 10 },
      { subscriptionId: held.subscriptionId, basePlan: 'standard-pro', usage: 20, free: 5, total: 15 },
    ]);
    expect(
      (await json('GET', `/meter/record/items?accountId=${held.accountId}&start=2024-05-10&end=2024-05-11`)).body,
    ).toEqual([{ subscriptionId: held.subscriptionId, unitType: 'split', date: '2024-05-10', amount: 15 }]);
  });
  it('adds what was reported for the subscription: sums, and levels at their highest', async () => {
    const held = await holder('reporter', [
      transition('2024-04-01T00:00:00.000Z', phase('standard-monthly', ['bullets'], ['members'])),
    ]);
    const report = (trackingId: string, unitType: string, ...amounts: readonly number[]) =>
      json('POST', '/1.0/kb/usages', {
        subscriptionId: held.subscriptionId,
        trackingId,
        unitUsageRecords: [{ unitType, usageRecords: amounts.map((amount) => ({ recordDate: '2024-05-03', amount })) }],
      });
    const answer = await report('t1', 'bullets', 10, 5);
    expect([answer.status, answer.text, answer.headers.location]).toEqual([201, '', undefined]);
    await report('t2', 'members', 3, 9, 4);
    const again = await report('t1', 'bullets', 10);
    expect([again.status, again.body.code]).toEqual([400, 50000]);
    expect(await close('reporter', held, 'bullets')).toMatchObject({ quantity: '15', records: 2, trackingIds: ['t1'] });
    expect(await close('reporter', held, 'members')).toMatchObject({ quantity: '9', records: 3 });
    expect(
      (await json('GET', `/1.0/kb/usages/${held.subscriptionId}?startDate=2024-05-01&endDate=2024-06-01`)).body,
    ).toEqual({
      subscriptionId: held.subscriptionId,
      startDate: '2024-05-01',
      endDate: '2024-06-01',
      rolledUpUnits: [
        { unitType: 'bullets', amount: 15 },
        { unitType: 'members', amount: 16 },
      ],
    });
    expect((await json('GET', `/1.0/kb/usages/${held.subscriptionId}/bullets?startDate=2024-05-01`)).status).toBe(400);
  });
  it('takes what was reported for the first day from its midnight on, and at the very end', async () => {
    const held = await holder('daily', [
      transition('2024-05-01T10:00:00.995Z', phase('standard-monthly', ['bullets'])),
      transition('2024-05-01T20:00:00.000Z', phase('standard-pro', ['bullets'])),
      transition('2024-06-01T00:00:00.000Z', null),
    ]);
    const usageRecords = [
      { recordDate: '2024-05-01T00:00:00Z', amount: 99 },
      { recordDate: '2024-06-01T00:00:00Z', amount: 1 },
    ];
    await json('POST', '/1.0/kb/usages', {
      subscriptionId: held.subscriptionId,
      unitUsageRecords: [{ unitType: 'bullets', usageRecords }],
    });
    expect(
      await close('daily', held, 'bullets', { from: '2024-05-01T10:00:00.995Z', to: '2024-05-01T20:00:00.000Z' }),
    ).toMatchObject({ quantity: '99' });
    expect(
      await close('daily', held, 'bullets', { planName: 'standard-pro', from: '2024-05-01T20:00:00.000Z' }),
    ).toMatchObject({ quantity: '1' });
  });
  // Kill Bill's own roll-ups (golden u40 and u41): which points belong to which period.
  it.each([
    {
      id: 'u40',
      begins: '2015-03-15T00:00:00.000Z',
      ends: null,
      points: [
        ['2015-03-01', 'unit', 12],
        ['2015-03-15', 'unit', 6],
        ['2015-03-25', 'unit', 4],
        ['2015-05-15', 'unit', 13],
        ['2015-05-21', 'unit2', 21],
        ['2015-05-31', 'unit', 7],
        ['2015-06-15', 'unit', 100],
      ] as const,
      periods: [
        ['2015-03-15T00:00:00.000Z', '2015-04-15T00:00:00.000Z', '10', '0'],
        ['2015-04-15T00:00:00.000Z', '2015-05-15T00:00:00.000Z', '0', '0'],
        ['2015-05-15T00:00:00.000Z', '2015-06-15T00:00:00.000Z', '20', '21'],
      ] as const,
    },
    {
      id: 'u41',
      begins: '2015-03-15T18:10:17.000Z',
      ends: '2015-04-01T11:22:30.000Z',
      points: [
        ['2015-03-15T18:10:17Z', 'unit', 12],
        ['2015-04-01T11:22:30Z', 'unit', 10],
        ['2015-04-02T00:00:00Z', 'unit', 100],
      ] as const,
      periods: [['2015-03-15T18:10:17.000Z', '2015-04-01T11:22:30.000Z', '22', '0']] as const,
    },
  ])('rolls what was reported up by periods as Kill Bill does ($id)', async ({ id, begins, ends, points, periods }) => {
    const held = await holder(id, [
      transition(begins, phase('standard-monthly', ['unit', 'unit2'])),
      ...(ends === null ? [] : [transition(ends, null)]),
    ]);
    for (const [recordDate, unitType, amount] of points)
      await json('POST', '/1.0/kb/usages', {
        subscriptionId: held.subscriptionId,
        unitUsageRecords: [{ unitType, usageRecords: [{ recordDate, amount }] }],
      });
    for (const [from, to, one, other] of periods) {
      expect([from, await close(id, held, 'unit', { from, to })]).toMatchObject([from, { quantity: one }]);
      expect([from, await close(id, held, 'unit2', { from, to })]).toMatchObject([from, { quantity: other }]);
    }
  });
  it('hears everything twice without a trace', async () => {
    const message = system.heard('accounts.tenant-created.v1', {
      tenantId: system.tenantId,
      apiKey: 'k',
      externalKey: 'k',
      useGlobalDefault: true,
    });
    const head = await system.store.head();
    await system.facts.defineUnits(message);
    expect(await system.store.head()).toBe(head);
  });
});
