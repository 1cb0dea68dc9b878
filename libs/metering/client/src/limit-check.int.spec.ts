import { eventually } from '@billstream/testing';
import { type LimitOptions, type MeteringClient, openMeteringClient } from './index';
import { type ServedLimit, countingServer, quickOptions } from './testing/counting-server';

let server: Awaited<ReturnType<typeof countingServer>>;
const clients: MeteringClient[] = [];
beforeEach(async () => {
  server = await countingServer();
  server.limits.set('jane', [limitOf()]);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close({ withinMs: 0 })));
  await server.close();
});

const limitOf = (changes: Partial<ServedLimit> = {}): ServedLimit => ({
  ...{ unit: 'calls', state: 'RELEASED', exhausted: false, current: '60', limit: '100', remaining: '40' },
  ...{ resetAt: null, changedAt: null },
  ...changes,
});
const change = (to: 'LIMITED' | 'RELEASED', changes: object = {}) => ({
  ...{ user: 'jane', unit: 'calls', to, current: '101', limit: '100', resetAt: null, at: new Date().toISOString() },
  ...changes,
});
const open = async (limits: LimitOptions = {}, onError = (): void => undefined): Promise<MeteringClient> => {
  const client = await openMeteringClient({ ...quickOptions(server.url), limits, onError });
  clients.push(client);
  return client;
};
/** A client that knows Jane and hears of her. */
const listening = async (limits: LimitOptions = {}): Promise<MeteringClient> => {
  const client = await open(limits);
  await client.check('jane', 'calls');
  await eventually(() => server.listeners.size === 1);
  await eventually(async () => {
    const before = server.limitRequests();
    return (await client.check('jane', 'calls')).basis === 'MEMORY' && server.limitRequests() === before;
  });
  return client;
};

describe('a check', () => {
  it('asks the server once for all who ask at first, and nobody after that', async () => {
    const client = await open();
    const first = await Promise.all(Array.from({ length: 20 }, () => client.check('jane', 'calls')));
    expect(new Set(first.map(({ basis }) => basis))).toEqual(new Set(['SERVER']));
    expect(server.limitRequests()).toBe(1);
    expect(await client.check('jane', 'calls')).toMatchObject({
      ...{
        user: 'jane',
        unit: 'calls',
        allowed: true,
        state: 'RELEASED',
        current: '60',
        limit: '100',
        remaining: '40',
      },
      ...{ stale: false, basis: 'MEMORY', exhausted: false },
    });
    expect(Math.abs(Date.now() - Date.parse(first[0]!.asOf!))).toBeLessThan(5_000);
  });
  it('allows a unit that nothing limits', async () => {
    const client = await open();
    expect(await client.check('jane', 'storage')).toMatchObject({ allowed: true, state: 'RELEASED', limit: null });
  });
  it('knows of a limit that is reached and released without asking', async () => {
    const client = await listening();
    const asked = server.limitRequests();
    server.faults.limits = () => ({ status: 503 });
    server.tell(10, change('LIMITED'));
    await eventually(async () => !(await client.check('jane', 'calls')).allowed);
    expect(await client.check('jane', 'calls')).toMatchObject({ state: 'LIMITED', current: '101', basis: 'MEMORY' });
    server.tell(11, change('RELEASED', { current: '0' }));
    await eventually(async () => (await client.check('jane', 'calls')).allowed);
    expect(server.limitRequests() - asked).toBeLessThanOrEqual(1); // the counters, behind its back, in vain
  });
  it('does not let an old change that is told again undo a newer one', async () => {
    server.limits.set('jane', [limitOf({ state: 'RELEASED', changedAt: '2030-01-01T00:00:00.000Z' })]);
    const client = await listening();
    server.tell(10, change('LIMITED', { at: '2029-12-31T23:59:59.000Z' }));
    server.tell(11, change('LIMITED', { unit: 'storage' }));
    await eventually(async () => !(await client.check('jane', 'storage')).allowed);
    expect(await client.check('jane', 'calls')).toMatchObject({ allowed: true });
  });
  it('asks again when the window has ended in which a user was limited', async () => {
    const resetAt = new Date(Date.now() + 50).toISOString();
    server.limits.set('jane', [limitOf({ state: 'LIMITED', resetAt })]);
    const client = await listening();
    expect(await client.check('jane', 'calls')).toMatchObject({ allowed: false });
    server.limits.set('jane', [limitOf({ current: '0', remaining: '100' })]);
    await eventually(async () => (await client.check('jane', 'calls')).allowed);
  });
});

describe('the stream of changes', () => {
  it('goes on after the last change that was heard, and is not taken for whole in between', async () => {
    const client = await listening();
    server.tell(10, change('LIMITED'));
    await eventually(async () => !(await client.check('jane', 'calls')).allowed);
    server.limits.set('jane', [limitOf({ state: 'LIMITED', changedAt: new Date().toISOString() })]);
    for (const listener of server.listeners) listener.destroy();
    await eventually(() => server.lastEventIds.length === 2);
    expect(server.lastEventIds).toEqual([undefined, '10']);
    server.tell(12, change('RELEASED'));
    await eventually(async () => (await client.check('jane', 'calls')).allowed);
  });
  it('that cannot be had leaves checks to the server, as often as answers grow stale', async () => {
    server.faults.events = () => ({ status: 503 });
    const client = await open({ staleAfterMs: 40 });
    expect(await client.check('jane', 'calls')).toMatchObject({ allowed: true, basis: 'SERVER' });
    server.limits.set('jane', [limitOf({ state: 'LIMITED' })]);
    await eventually(async () => !(await client.check('jane', 'calls')).allowed);
    expect(server.limitRequests()).toBeLessThan(10);
  });
});

describe('when the server does not answer', () => {
  it.each([
    ['LAST_KNOWN', true, false],
    ['ALLOW', true, true],
    ['DENY', false, false],
  ] as const)(
    '%s says %s to whom nothing was known of, and %s to who was limited',
    async (policy, unknown, limited) => {
      server.limits.set('jane', [limitOf({ state: 'LIMITED' })]);
      server.faults.events = () => ({ status: 503 });
      const client = await open({ whenUnavailable: policy, staleAfterMs: 20, timeoutMs: 50 });
      await client.check('jane', 'calls');
      server.faults.limits = () => 'SILENT';
      await new Promise((resolve) => setTimeout(resolve, 40));
      const about = { stale: true, basis: 'POLICY' };
      expect(await client.check('jane', 'calls')).toMatchObject({ ...about, allowed: limited, state: 'LIMITED' });
      expect(await client.check('joe', 'calls')).toMatchObject({ ...about, allowed: unknown, state: null, asOf: null });
    },
  );
  it('does not cost every check its patience', async () => {
    server.faults.limits = () => 'SILENT';
    const errors = jest.fn();
    const client = await open({ timeoutMs: 100 }, errors);
    await client.check('jane', 'calls');
    const before = Date.now();
    for (let user = 0; user < 50; user += 1) await client.check(`user ${user}`, 'calls');
    expect(Date.now() - before).toBeLessThan(100);
    expect(errors).toHaveBeenCalled();
  });
});

it('forgets who was not asked for the longest', async () => {
  const client = await open({ usersMax: 2 });
  for (const user of ['jane', 'joe', 'jane', 'jim']) await client.check(user, 'calls');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await client.check('jane', 'calls')).basis).toBe('MEMORY');
  expect((await client.check('joe', 'calls')).basis).toBe('SERVER');
});
