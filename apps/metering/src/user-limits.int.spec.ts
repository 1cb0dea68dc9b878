import { type Instant, newId } from '@billstream/kernel';
import { meteredAccountStream } from '@billstream/metering-domain';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';
import { userStanding } from './user-limits';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const pro = newId();
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:00:00.000Z');
  await unit('calls', 'SUM', [
    { limitAmount: 100, limitRefreshInterval: 'HOUR' },
    { applyPlan: true, basePlan: 'pro-monthly', limitAmount: 1000, limitRefreshInterval: 'DAY' },
  ]);
  await unit('load', 'PEAK', [{ limitAmount: 5.5, periodSplitting: 'HOUR' }]);
  await unit('free', 'SUM', [{}]);
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const limitsOf = async (user: string): Promise<Loose> => (await json('GET', `/v1/users/${user}/limits`)).body;
const named = (list: Loose, name: string): Loose => list.find(({ unit: one }: Loose) => one === name);

describe('the limits of a user', () => {
  it('are told for every unit that limits, with exact amounts and by which rule', async () => {
    await record([
      { unit: 'calls', user: 'u', amount: '100.000000001' },
      { unit: 'load', user: 'u', amount: 5 },
    ]);
    const { user, at, limits, next } = await limitsOf('u');
    expect({ user, at, next, units: limits.map((one: Loose) => one.unit) }).toEqual({
      user: 'u',
      at: '2024-05-10T10:00:00.000Z',
      next: null,
      units: expect.arrayContaining(['calls', 'load']),
    });
    expect(named(limits, 'calls')).toMatchObject({
      state: 'LIMITED',
      current: '100.000000001',
      limit: '100',
      remaining: '-0.000000001',
      resetAt: '2024-05-10T11:00:00.000Z',
      refreshInterval: 'HOUR',
      changedAt: '2024-05-10T10:00:00.000Z',
      override: null,
    });
    expect(named(limits, 'load')).toMatchObject({ state: 'RELEASED', remaining: '0.5', limit: '5.5', resetAt: null });
    expect(named(limits, 'free')).toBeUndefined();
  });
  it('are those of the plan held now, and the counters of the one before are still there', async () => {
    await record([{ unit: 'calls', user: 'v', amount: 70 }]);
    await system.facts.recordNewAccount(
      system.heard('accounts.account-created.v1', { accountId: 'av', externalKey: 'v', timeZone: 'UTC' } as never),
    );
    const held = { planName: 'pro-monthly', units: [], capacityUnits: [], subscriptionId: pro };
    const since = { fromAt: '2024-05-01T00:00:00.000Z' as Instant, toAt: null };
    await system.metering.account(
      meteredAccountStream('av'),
      {
        type: 'RecordPlans',
        accountId: 'av',
        subscriptionId: pro,
        intervals: [{ ...held, category: 'BASE', ...since }],
      },
      {
        ...{ commandId: newId(), tenantId: system.tenantId, actor: { createdBy: 'test' }, correlationId: newId() },
        at: '2024-05-10T10:00:00.000Z' as Instant,
      },
    );
    await record([{ unit: 'calls', user: 'v', amount: 101 }]);
    const calls = named((await limitsOf('v')).limits, 'calls');
    expect(calls).toMatchObject({ state: 'RELEASED', subscriptionId: pro, limit: '1000', current: '101' });
    expect(calls.counters.map(({ subscriptionId, current }: Loose) => [subscriptionId, current])).toEqual(
      expect.arrayContaining([
        [null, '70'],
        [pro, '101'],
      ]),
    );
    const { plans, entitlements } = (await json('GET', '/v1/users/v/entitlements')).body;
    expect(plans).toEqual([{ subscriptionId: pro, planName: 'pro-monthly', category: 'BASE' }]);
    expect(named(entitlements, 'calls')).toMatchObject({ entitled: true, basePlan: 'pro-monthly', remaining: '899' });
    expect(named(entitlements, 'free')).toMatchObject({ entitled: true, limit: null, remaining: null });
  });
  it('show what was set by hand and why, until it ends', async () => {
    await json('PUT', '/v1/usage/limits/calls', {
      ...{ user: 'w', state: 'LIMITED', until: '2024-05-10T10:30:00Z', reason: 'abuse' },
    });
    expect(named((await limitsOf('w')).limits, 'calls')).toMatchObject({
      state: 'LIMITED',
      override: { state: 'LIMITED', until: '2024-05-10T10:30:00.000Z', reason: 'abuse' },
    });
    expect(named((await json('GET', '/v1/users/w/entitlements')).body.entitlements, 'calls')).toMatchObject({
      entitled: false,
      setByHand: true,
    });
    system.at('2024-05-10T10:30:00.000Z');
    expect(named((await limitsOf('w')).limits, 'calls')).toMatchObject({ state: 'RELEASED', override: null });
  });
  it('say how fresh they are: up to where usage is counted, and how long other usage has been waiting', async () => {
    expect((await limitsOf('nobody-yet')).freshness.ageMs).toBe(0);
    await record([{ unit: 'calls', user: 'x', amount: 1 }]);
    const { freshness } = await limitsOf('x');
    expect(freshness).toEqual({ position: expect.stringMatching(/^\d+$/), ageMs: 0 });
    const batch = [{ unit: 'calls', user: 'x', amount: 1 }];
    await system.metering.ingest({ tenantId: system.tenantId, batch, requestKey: null });
    await sleep(20);
    const question = { tenantId: system.tenantId, user: 'x', after: null, limit: 10 };
    const behind = await userStanding(system.runtime, question);
    expect(behind.freshness.position).toBe(freshness.position);
    expect(behind.freshness.ageMs).toBeGreaterThanOrEqual(15);
    expect((await limitsOf('x')).freshness.ageMs).toBe(0);
  });
  it('are paged, and refuse what is no page', async () => {
    const first = (await json('GET', '/v1/users/u/entitlements?limit=2')).body;
    expect(first.entitlements).toHaveLength(2);
    const rest = (await json('GET', `/v1/users/u/entitlements?after=${first.next}`)).body;
    expect(rest.entitlements[0].unit > first.next).toBe(true);
    expect((await json('GET', '/v1/users/u/limits?limit=0')).body.errors[0].pointer).toBe('query:limit');
    expect((await json('GET', `/v1/users/${'u'.repeat(256)}/limits`)).status).toBe(400);
  });
});
