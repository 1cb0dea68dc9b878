import { newId } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

/** Decisions M1 to M20 on the semantics of the original's metering, each through the service's surface. */
let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:00:00.000Z');
}, 30_000);
beforeEach(() => at('10:00'));
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const at = (time: string, day = '2024-05-10'): void => system.at(`${day}T${time}:00.000Z`);
const ms = (time: string, day = '2024-05-10'): number => Date.parse(`${day}T${time}:00Z`);
const check = async (name: string, user = 'u') => (await json('GET', `/meter/limit/check/${name}?user=${user}`)).body;
const series = async (name: string, user = 'u', span = 'start=2024-05-10%2000&end=2024-05-11%2000'): Promise<Loose> =>
  (await json('GET', `/meter/record/series?unit=${name}&user=${user}&${span}`)).body[0];
const hourly = (limitAmount: number, more = {}) => ({ limitAmount, limitRefreshInterval: 'HOUR', ...more });
const phase = (planName: string, usages: readonly object[] = []) =>
  ({
    planName,
    productCategory: 'BASE',
    recurring: { billingPeriod: 'MONTHLY' },
    billingAlignment: 'ACCOUNT',
    usages,
  }) as never;
/** An account of a user with a plan from each of the instants on. */
const holder = async (user: string, plans: Readonly<Record<string, string>>, facts = {}) => {
  const [accountId, subscriptionId] = [newId(), newId()];
  const account = { accountId, externalKey: user, timeZone: 'UTC', billCycleDayLocal: 0, ...facts };
  await system.facts.recordNewAccount(system.heard('accounts.account-created.v1', account as never));
  const transitions = Object.entries(plans).map(
    ([effectiveAt, plan]) =>
      ({ effectiveAt, phase: phase(plan), billCycleDayLocal: null }) as unknown as BillingTransition,
  );
  await system.facts.recordPlans(
    system.heard('subscriptions.billing-changed.v1', { accountId, subscriptionId, transitions } as never),
  );
  await system.runtime.caughtUp();
  return { accountId, subscriptionId };
};

it('M1: limited is above the limit, exhausted at it, and remaining never below -1', async () => {
  await unit('m1', 'SUM', [hourly(100)]);
  await record([{ unit: 'm1', user: 'u', amount: 100 }]);
  expect(await check('m1')).toMatchObject({ limited: false, exhausted: true, remaining: 0 });
  await record([{ unit: 'm1', user: 'u', amount: 50 }]);
  expect(await check('m1')).toMatchObject({ limited: true, exhausted: true, remaining: -1 });
});
it('M2: the newest sample by event time decides a gauge, whenever it came', async () => {
  await unit('m2', 'PEAK', [{ periodSplitting: 'HOUR', limitAmount: 100 }]);
  await record([{ unit: 'm2', user: 'u', amount: 120, time: ms('09:30') }]);
  await record([{ unit: 'm2', user: 'u', amount: 50, time: ms('09:10') }]);
  expect(await check('m2')).toMatchObject({ current: 120, limited: true });
  await record([{ unit: 'm2', user: 'u', amount: 100, time: ms('09:40') }]);
  expect(await check('m2')).toMatchObject({ current: 100, limited: false });
});
it('M3: windows follow the clock of the account, or begin at the first use', async () => {
  await unit('m3-clock', 'SUM', [hourly(100)]);
  await unit('m3-first', 'SUM', [hourly(100, { windowAnchor: 'FIRST_USE' })]);
  at('10:05');
  await record(['m3-clock', 'm3-first'].map((name) => ({ unit: name, user: 'u', amount: 101 })));
  at('11:00');
  expect([(await check('m3-clock')).limited, (await check('m3-first')).limited]).toEqual([false, true]);
  at('11:05');
  expect((await check('m3-first')).limited).toBe(false);
});
it('M4: a record outside the open window is billed and does not limit, and it is said how many were', async () => {
  await unit('m4', 'SUM', [hourly(100)]);
  await record([{ unit: 'm4', user: 'u', amount: 500, time: ms('08:00') }]);
  expect(await check('m4')).toMatchObject({ current: 0, limited: false, outsideWindow: 1 });
  expect((await series('m4')).subscriptions).toMatchObject([{ total: 500 }]);
});
it('M5: a gap between two hours is filled by the mean of its neighbours, and marked', async () => {
  await unit('m5', 'AVG', [{ periodSplitting: 'HOUR', putEmptyPeriod: true }]);
  await record([
    { unit: 'm5', user: 'u', amount: 30, time: ms('01:15') },
    { unit: 'm5', user: 'u', amount: 7, time: ms('03:05') },
  ]);
  const [{ total, hours, syntheticHours }] = (await series('m5')).subscriptions;
  expect([total, syntheticHours]).toEqual([55.5, 1]);
  expect(hours[1]).toMatchObject({ amount: 18.5, synthetic: true, records: 0 });
});
it('M6: a gap longer than the rule allows stays empty, and it is said that there is one', async () => {
  await unit('m6', 'AVG', [{ periodSplitting: 'HOUR', putEmptyPeriod: true, maxGapHours: 1 }]);
  await record([
    { unit: 'm6', user: 'u', amount: 30, time: ms('01:15') },
    { unit: 'm6', user: 'u', amount: 7, time: ms('04:05') },
  ]);
  expect((await series('m6')).subscriptions).toMatchObject([{ total: 37, gapsTooLong: 1, syntheticHours: 0 }]);
});
it('M7: means are exact, and rounded once per bucket by the mode of the rule', async () => {
  const samples = (name: string) =>
    [1, 1, 2].map((amount, i) => ({ unit: name, user: 'u', amount, time: ms(`01:0${i}`) }));
  for (const [rounding, total] of [
    ['NONE', 1.333333333],
    ['CEIL', 2],
    ['HALF_EVEN', 1],
  ] as const) {
    await unit(`m7-${rounding}`, 'AVG', [{ periodSplitting: 'HOUR', rounding }]);
    await record(samples(`m7-${rounding}`));
    expect((await series(`m7-${rounding}`)).subscriptions).toMatchObject([{ total, rounding }]);
  }
});
it('M8: zero is a value, and a negative amount is refused where it names no earlier record', async () => {
  await unit('m8', 'PEAK', [{ periodSplitting: 'HOUR' }]);
  const { body } = await record([
    { unit: 'm8', user: 'u', amount: 0, id: 'm8-1' },
    { unit: 'm8', user: 'u', amount: -1 },
    { unit: 'm8', user: 'u', amount: -1, corrects: 'm8-1' },
  ]);
  const negative = { field: 'amount', code: 'negative' };
  expect(body).toMatchObject({
    accepted: 1,
    rejected: [
      { index: 1, ...negative },
      { index: 2, ...negative },
    ],
  });
  expect((await series('m8')).subscriptions).toMatchObject([{ total: 0, records: 1 }]);
});
describe('M8: a negative record of a SUM unit that names an earlier one', () => {
  const first = { unit: 'm8-sum', user: 'u', amount: 10, id: 'm8-10', source: 's', time: ms('09:10') };
  const back = (amount: number | string, more = {}) => ({
    ...{ unit: 'm8-sum', user: 'u', source: 's', amount, corrects: 'm8-10' },
    ...more,
  });
  const total = async () => (await series('m8-sum')).subscriptions[0].total as number;
  beforeAll(async () => {
    await unit('m8-sum', 'SUM', [hourly(8)]);
    await record([first]);
  });
  it('takes back that much of it, once by its id, in the hour it was used', async () => {
    for (const [accepted, duplicates] of [
      [1, 0],
      [0, 1],
    ])
      expect((await record([back(-3, { id: 'm8-3', time: ms('09:59') })])).body).toEqual({
        ...{ accepted, duplicates, rejected: [], deduplicated: true },
      });
    expect(await total()).toBe(7);
    const [found] = (await json('GET', '/v1/usage/corrections?source=s&id=m8-10')).body.corrections as Loose[];
    expect(found).toMatchObject({
      action: 'REPLACE',
      before: { amount: 10 },
      after: { amount: 7, time: '2024-05-10T09:10:00.000Z' },
    });
  });
  it('releases who was limited by it', async () => {
    at('09:30');
    await record([{ ...first, id: 'm8-11', time: ms('09:20'), amount: 9 }]);
    expect(await check('m8-sum')).toMatchObject({ current: 9, limited: true });
    await record([back(-4, { corrects: 'm8-11' })]);
    expect(await check('m8-sum')).toMatchObject({ current: 5, limited: false });
  });
  it('adds up with others of the same record that come at once, and with what comes in its own batch', async () => {
    const sent = Array.from({ length: 8 }, (_, n) => record([back('-0.25', { id: `m8-at-once-${n}` })]));
    expect((await Promise.all(sent)).map(({ body }) => body.accepted as number)).toEqual(Array(8).fill(1));
    expect(await total()).toBe(10);
    const batch = [
      back(-1, { id: 'm8-b', corrects: 'm8-new' }),
      { ...first, id: 'm8-new', amount: 6 },
      back(-2, { id: 'm8-c', corrects: 'm8-new' }),
      back(-1, { id: 'm8-b', corrects: 'm8-new' }),
    ];
    expect((await record(batch)).body).toMatchObject({ accepted: 3, duplicates: 1, rejected: [] });
    expect(await total()).toBe(13);
  });
  it.each<[string, object, string]>([
    ['a record that nobody sent', { corrects: 'm8-none' }, 'corrects unknown-record'],
    ['a record of another source', { source: 'other' }, 'corrects unknown-record'],
    ['itself', { id: 'm8-10' }, 'corrects itself'],
    ['no text', { corrects: 7 }, 'corrects invalid'],
    ['a record of another user', { user: 'v' }, 'user differs'],
    ['a record of another unit', { unit: 'analytics' }, 'unit differs'],
    ['a record of which less is left', { amount: -100 }, 'amount exceeds-record'],
    ['a record, with too many digits', { amount: '-0.0000000001' }, 'amount too-precise'],
  ])('is refused where that is %s', async (_, more, fault) => {
    const before = await total();
    const { body } = await record([{ ...first, id: newId(), amount: 0 }, back(-1, more)]);
    expect(body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(body.rejected.map(({ index, field, code }: Loose) => `${index} ${field} ${code}`)).toEqual([`1 ${fault}`]);
    expect(await total()).toBe(before);
  });
});
it('M9: amounts are exact decimals of nine digits', async () => {
  await unit('m9', 'SUM', [{}]);
  await record([0.1, 0.2, '0.000000001'].map((amount) => ({ unit: 'm9', user: 'u', amount })));
  expect((await series('m9')).subscriptions).toMatchObject([{ total: 0.300000001 }]);
});
it('M10: source and id name a record for ever, whatever its time; else the request and its place do', async () => {
  await unit('m10', 'SUM', [{}]);
  const named = { unit: 'm10', user: 'u', amount: 1, id: 'x', source: 's' };
  await record([named, { ...named, time: ms('03:00') }]);
  const again = () => record([{ unit: 'm10', user: 'u', amount: 10 }], { 'x-request-id': 'r' });
  await again();
  await again();
  expect((await series('m10')).subscriptions).toMatchObject([{ total: 11, records: 2 }]);
});
it('M11: the answer says what became of each record, or nothing to who prefers that', async () => {
  const batch = [{ unit: 'analytics', user: 'u', amount: 1, id: newId() }, {}];
  const answer = await record(batch);
  expect([answer.status, answer.body]).toMatchObject([202, { accepted: 1, duplicates: 0, rejected: [{ index: 1 }] }]);
  const minimal = await record(batch, { prefer: 'return=minimal' });
  expect([minimal.status, minimal.text]).toEqual([200, '']);
});
it('M12: usage of a unit nobody defined is kept and listed, and rated once somebody does', async () => {
  await record([{ unit: 'm12', user: 'u', amount: 7 }]);
  await system.runtime.caughtUp();
  expect((await json('GET', '/meter/record/unrated')).body).toContainEqual(expect.objectContaining({ unit: 'm12' }));
  await unit('m12', 'SUM', [{}]);
  expect((await series('m12')).subscriptions).toMatchObject([{ total: 7 }]);
  expect((await json('GET', '/meter/record/unrated')).body).not.toContainEqual(
    expect.objectContaining({ unit: 'm12' }),
  );
});
it('M13: an hour is rated by the rules in force at its start', async () => {
  await unit('m13', 'AVG', [{ periodSplitting: 'HOUR' }]);
  await json('PUT', '/v1/units/m13/rules/2', {
    rules: [{ periodSplitting: 'HOUR', freeAmount: 5, freePeriod: 'HOUR' }],
    effectiveAt: '2024-05-10T11:30:00Z',
  });
  await record([11, 12].map((hour) => ({ unit: 'm13', user: 'u', amount: 8, time: ms(`${hour}:45`) })));
  const parts = (await series('m13')).subscriptions;
  expect(parts.map(({ ruleVersion, total }: Loose) => [ruleVersion, total])).toEqual([
    [1, 8],
    [2, 3],
  ]);
});
it('M14: usage is split at the exact instant of a plan change, within the hour', async () => {
  const rules = ['a', 'b'].map((plan) => ({ applyPlan: true, basePlan: plan }));
  await unit('m14', 'SUM', rules);
  await holder('m14-user', { '2024-05-01T00:00:00.000Z': 'a', '2024-05-10T09:20:00.000Z': 'b' });
  await record(
    ['09:10', '09:20', '09:50'].map((time, i) => ({ unit: 'm14', user: 'm14-user', amount: 10 ** i, time: ms(time) })),
  );
  const parts = (await series('m14', 'm14-user')).subscriptions;
  expect(parts.map(({ basePlan, total }: Loose) => [basePlan, total])).toEqual([
    ['a', 1],
    ['b', 110],
  ]);
});
it('M15: limits refresh with the subscription’s cycle, or by hand alone; free amounts go by the cycle too', async () => {
  const plan = { applyPlan: true, basePlan: 'm15', limitAmount: 100 };
  await unit('m15', 'SUM', [{ ...plan, limitRefreshInterval: 'SUBSCRIPTION_CYCLE' }]);
  await unit('m15-manual', 'SUM', [{ ...plan, limitRefreshInterval: 'MANUAL' }]);
  await unit('m15-free', 'SUM', [{ freeAmount: 50, freePeriod: 'SUBSCRIPTION_CYCLE' }]);
  await holder('m15-user', { '2024-04-20T00:00:00.000Z': 'm15' }, { billCycleDayLocal: 15, timeZone: 'Asia/Seoul' });
  await record(['m15', 'm15-manual'].map((name) => ({ unit: name, user: 'm15-user', amount: 101 })));
  await record([{ unit: 'm15', user: 'm15-user', amount: 1, time: ms('00:00', '2024-04-16') }]);
  expect(await check('m15', 'm15-user')).toMatchObject({ current: 102, limited: true });
  at('14:59', '2024-05-14');
  expect(await check('m15', 'm15-user')).toMatchObject({ limited: true, reset: 60_000 });
  at('15:00', '2024-05-14');
  expect(await check('m15', 'm15-user')).toMatchObject({ current: 0, limited: false });
  at('00:00', '2025-05-14');
  expect(await check('m15-manual', 'm15-user')).toMatchObject({ limited: true, reset: null });
  await json('PUT', '/meter/limit/reset/m15-manual?user=m15-user&amount=0');
  expect(await check('m15-manual', 'm15-user')).toMatchObject({ current: 0, limited: false });
  await record(
    ['2024-05-01', '2024-05-20'].map((day) => ({ unit: 'm15-free', user: 'u', amount: 40, time: ms('00:00', day) })),
  );
  const month = await series('m15-free', 'u', 'start=2024-05-01&end=2024-06-01');
  expect(month.subscriptions).toMatchObject([{ usage: 80, free: 50, total: 30 }]);
});
it('M16: anonymous usage counts by the default rule and in the unit’s totals, and is never limited', async () => {
  await unit('m16', 'SUM', [hourly(1)]);
  await record([
    { unit: 'm16', amount: 5 },
    { unit: 'm16', user: 'u', amount: 2 },
  ]);
  expect(await check('m16', 'anonymous')).toMatchObject({ limited: false, limit: null });
  expect((await series('m16', 'anonymous')).subscriptions).toMatchObject([{ subscriptionId: null, total: 5 }]);
  const [all] = (await json('GET', '/meter/record/series?unit=m16&start=2024-05-10%2000&end=2024-05-11%2000')).body;
  expect(all).toMatchObject({ user: null, total: 7 });
});
it('M17: days are those of the account’s real zone, an average over the day by its real hours', async () => {
  await unit('m17', 'AVG', [{ periodSplitting: 'DAY' }]);
  await holder('m17-user', { '2024-01-01T00:00:00.000Z': 'x' }, { timeZone: 'Europe/Berlin' });
  await record([{ unit: 'm17', user: 'm17-user', amount: 250, time: ms('23:30', '2023-10-28') }]);
  const day = await series('m17', 'm17-user', 'start=2023-10-29&end=2023-10-30');
  expect(day.subscriptions).toMatchObject([{ total: 10, days: [{ date: '2023-10-29' }] }]);
});
it('M18: a state can be set to any by hand, with who and why in the history', async () => {
  await unit('m18', 'SUM', [hourly(100)]);
  await record([{ unit: 'm18', user: 'u', amount: 101 }]);
  const set = (state: string, until?: string) =>
    json('PUT', '/v1/usage/limits/m18', { user: 'u', state, reason: 'goodwill', ...(until && { until }) });
  expect((await set('RELEASED', '2024-05-10T10:30:00Z')).body.limited).toBe(false);
  at('10:10');
  await record([{ unit: 'm18', user: 'u', amount: 5 }]);
  expect((await check('m18')).limited).toBe(false);
  at('10:30');
  await system.doDueWork();
  expect((await check('m18')).limited).toBe(true);
  await json('PUT', '/meter/limit/reset/m18?user=u&amount=7');
  expect((await set('LIMITED')).body.limited).toBe(true);
  expect((await set('AUTOMATIC')).body).toMatchObject({ limited: false, current: 7 });
  const { body } = await json('GET', '/meter/limits/search/findByUnit?unit=m18');
  expect(body._embedded.limits.map(({ cause, to, reason, actor }: Loose) => [cause, to, reason, actor])).toEqual([
    ['USAGE', 'LIMITED', null, null],
    ['OVERRIDDEN', 'RELEASED', 'goodwill', 'test'],
    ['OVERRIDE_ENDED', 'LIMITED', null, null],
    ['COUNTER_SET', 'RELEASED', null, 'test'],
    ['OVERRIDDEN', 'LIMITED', 'goodwill', 'test'],
    ['OVERRIDDEN', 'RELEASED', null, 'test'],
  ]);
});
it('M19: peaks split by the hour are added up', async () => {
  await unit('m19', 'PEAK', [{ periodSplitting: 'HOUR' }]);
  await record(
    [10, 20, 30].map((amount, i) => ({ unit: 'm19', user: 'u', amount, time: ms(`0${i === 2 ? 2 : 1}:0${i}`) })),
  );
  expect((await series('m19')).subscriptions).toMatchObject([{ total: 50 }]);
});
it('M20: a free amount is deducted in each of its periods, and what is left of it is gone', async () => {
  await unit('m20', 'SUM', [{ freeAmount: 50, freePeriod: 'HOUR' }]);
  await record([
    { unit: 'm20', user: 'u', amount: 40, time: ms('01:00') },
    { unit: 'm20', user: 'u', amount: 100, time: ms('02:00') },
  ]);
  expect((await series('m20')).subscriptions).toMatchObject([{ usage: 140, free: 90, total: 50 }]);
});
