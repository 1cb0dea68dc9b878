import { newId } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

/** Defects D1 to D14 of the original's metering, none of which is to come back. */
let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:00:00.000Z');
  await unit('sum', 'SUM', [{}]);
}, 30_000);
beforeEach(() => system.at('2024-05-10T10:00:00.000Z'));
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const ms = (instant: string): number => Date.parse(instant);
const check = async (name: string, user: string) => (await json('GET', `/meter/limit/check/${name}?user=${user}`)).body;
const series = async (name: string, user: string, span = 'start=2024-05-10%2000&end=2024-05-11%2000') =>
  (await json('GET', `/meter/record/series?unit=${name}&user=${encodeURIComponent(user)}&${span}`)).body[0];
const total = async (name: string, user: string): Promise<number> =>
  (await series(name, user)).subscriptions.reduce((sum: number, part: Loose) => sum + Number(part.total), 0);
const holder = async (user: string, plans: readonly (readonly [string, string])[]) => {
  const accountId = newId();
  const account = { accountId, externalKey: user, timeZone: 'Asia/Seoul', billCycleDayLocal: 0 };
  await system.facts.recordNewAccount(system.heard('accounts.account-created.v1', account as never));
  for (const [planName, effectiveAt] of plans) {
    const phase = { planName, productCategory: 'BASE', recurring: null, billingAlignment: 'ACCOUNT', usages: [] };
    const transitions = [{ effectiveAt, phase, billCycleDayLocal: null } as unknown as BillingTransition];
    const told = { accountId, subscriptionId: newId(), transitions };
    await system.facts.recordPlans(system.heard('subscriptions.billing-changed.v1', told as never));
  }
  await system.runtime.caughtUp();
};

it('D1: records of one millisecond are all kept', async () => {
  const time = ms('2024-05-10T01:00:00.000Z');
  await record([
    { unit: 'sum', user: 'd1', amount: 1, time },
    { unit: 'sum', user: 'd1', amount: 1, time },
    { unit: 'sum', user: 'd1-other', amount: 4, time },
  ]);
  expect([await total('sum', 'd1'), await total('sum', 'd1-other')]).toEqual([2, 4]);
});
it('D2: zero is zero, for a gauge and for a sum', async () => {
  await unit('d2', 'AVG', [{ periodSplitting: 'HOUR' }]);
  await record([
    { unit: 'd2', user: 'd2', amount: 0 },
    { unit: 'd2', user: 'd2', amount: 3 },
    { unit: 'sum', user: 'd2', amount: 0 },
  ]);
  expect([await total('d2', 'd2'), await total('sum', 'd2')]).toEqual([1.5, 0]);
});
it('D3: a producer that sends again bills nothing twice', async () => {
  const batch = [{ unit: 'sum', user: 'd3', amount: 1, id: 'd3-1', source: 'producer' }];
  await record(batch);
  await record(batch);
  await record(batch);
  expect(await total('sum', 'd3')).toBe(1);
});
it('D4: one bad record is named, and the others of its batch are kept', async () => {
  const { status, body } = await record([
    { unit: 'sum', user: 'd4', amount: 1 },
    null,
    { unit: 'sum', user: 'd4', amount: 'x' },
  ]);
  expect([status, body.accepted, body.rejected.map(({ index }: Loose) => index)]).toEqual([202, 1, [1, 2]]);
  expect(await total('sum', 'd4')).toBe(1);
});
it('D5: every subscription of a user is looked at for a rule', async () => {
  await unit('d5', 'SUM', [{ applyPlan: true, basePlan: 'third', freeAmount: 1, freePeriod: 'DAY' }, {}]);
  await holder('d5', [
    ['first', '2024-01-01T00:00:00.000Z'],
    ['second', '2024-02-01T00:00:00.000Z'],
    ['third', '2024-03-01T00:00:00.000Z'],
  ]);
  await record([{ unit: 'd5', user: 'd5', amount: 5 }]);
  expect((await series('d5', 'd5')).subscriptions).toMatchObject([{ basePlan: 'third', total: 4 }]);
});
it('D6: a record at the very start of a range is in it', async () => {
  await record([{ unit: 'sum', user: 'd6', amount: 2, time: ms('2024-05-10T00:00:00.000Z') }]);
  expect(await total('sum', 'd6')).toBe(2);
});
it('D7: names are data, whatever they hold', async () => {
  const user = `x' or '1'='1"; drop table usage_records; --`;
  await record([{ unit: 'sum', user, amount: 3 }]);
  expect([await total('sum', user), await total('sum', 'd3')]).toEqual([3, 1]);
  expect((await json('GET', `/meter/limits/search/findByUser?user=${encodeURIComponent(user)}`)).status).toBe(200);
});
it('D8: means keep their fractions until the one rounding, which acts', async () => {
  await unit('d8', 'AVG', [{ periodSplitting: 'HOUR', rounding: 'CEIL' }]);
  await record([1, 1, 2].map((amount) => ({ unit: 'd8', user: 'd8', amount })));
  expect(await total('d8', 'd8')).toBe(2);
});
it('D9: the first record of a window opens one that ends', async () => {
  await unit('d9', 'SUM', [{ limitAmount: 10, limitRefreshInterval: 'HOUR', windowAnchor: 'FIRST_USE' }]);
  await record([{ unit: 'd9', user: 'd9', amount: 11 }]);
  expect(await check('d9', 'd9')).toMatchObject({ limited: true, reset: 3_600_000 });
  system.at('2024-05-10T11:00:00.000Z');
  expect(await check('d9', 'd9')).toMatchObject({ limited: false, current: 0 });
});
it('D10: a late batch trips no limit, and another subscription begins with its own counter', async () => {
  const ofPlan = (basePlan: string) => ({ applyPlan: true, basePlan, limitAmount: 10, limitRefreshInterval: 'DAY' });
  await unit('d10', 'SUM', [ofPlan('later'), ofPlan('sooner')]);
  await holder('d10', [
    ['sooner', '2024-01-01T00:00:00.000Z'],
    ['later', '2024-05-10T12:00:00.000Z'],
  ]);
  await record([{ unit: 'd10', user: 'd10', amount: 100, time: ms('2024-05-08T10:00:00Z') }]);
  expect(await check('d10', 'd10')).toMatchObject({ limited: false, current: 0 });
  await record([{ unit: 'd10', user: 'd10', amount: 11 }]);
  expect(await check('d10', 'd10')).toMatchObject({ limited: true, current: 11 });
  system.at('2024-05-10T12:00:00.000Z');
  expect(await check('d10', 'd10')).toMatchObject({ limited: false, current: 0 });
});
it('D11: a unit without data is in the report, empty', async () => {
  await unit('d11', 'PEAK', [{ periodSplitting: 'DAY' }]);
  const { body } = await json('GET', '/meter/record/series?user=d11&start=2024-05-10%2000&end=2024-05-11%2000');
  expect(body.find(({ unit: name }: Loose) => name === 'd11')).toMatchObject({ subscriptions: [] });
});
it('D12: days are the account’s, not the server’s', async () => {
  await unit('d12', 'SUM', [{ freeAmount: 1, freePeriod: 'DAY' }]);
  await holder('d12', [['x', '2024-01-01T00:00:00.000Z']]);
  await record(
    ['2024-05-10T14:59:59Z', '2024-05-10T15:00:00Z'].map((time) => ({
      unit: 'd12',
      user: 'd12',
      amount: 2,
      time: ms(time),
    })),
  );
  const { subscriptions } = await series('d12', 'd12', 'start=2024-05-10&end=2024-05-12');
  expect(subscriptions[0].days.map(({ date, total: charged }: Loose) => [date, charged])).toEqual([
    ['2024-05-10', 1],
    ['2024-05-11', 1],
  ]);
});
it('D13: no point of the dashboard comes twice', async () => {
  await unit('d13', 'SUM', [{}]);
  await record([1, 2].map((amount) => ({ unit: 'd13', user: `d13-${amount}`, amount })));
  const [all] = (await json('GET', '/meter/record/series?unit=d13&start=2024-05-10%2000&end=2024-05-11%2000')).body;
  expect([all.series, all.total]).toEqual([[{ time: '2024-05-10T10:00:00.000Z', amount: 3, records: 2 }], 3]);
});
it('D14: rules are checked when they change as when they are made, by every way in', async () => {
  const { body } = await unit('d14', 'SUM', [{}]);
  const invalid = { rules: [{ limitAmount: 5 }, {}] };
  const pointers = ['/rules/1/applyPlan', '/rules/0/limitRefreshInterval'];
  for (const [method, url] of [
    ['PUT', `/meter/units/${body.id}`],
    ['PATCH', `/meter/units/${body.id}`],
    ['PUT', '/v1/units/d14/rules/2'],
  ] as const) {
    const refused = await json(method, url, invalid);
    expect([refused.status, refused.body.errors.map(({ pointer }: Loose) => pointer)]).toEqual([400, pointers]);
  }
  expect((await json('GET', '/v1/units/d14/rules')).body.versions).toHaveLength(1);
});
