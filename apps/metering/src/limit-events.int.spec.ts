import { newId } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenTo, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
let url: string;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:05:00.000Z');
  await unit('calls', 'SUM', [{ limitAmount: 100, limitRefreshInterval: 'HOUR' }]);
  await unit('load', 'PEAK', [{ limitAmount: 5, periodSplitting: 'HOUR' }]);
  url = await system.listen();
}, 30_000);
afterAll(() => system.close(), 20_000);

const { json, record, unit } = overHttp(() => system);
const use = async (user: string, amount: number, of = 'calls'): Promise<void> => {
  await record([{ unit: of, user, amount }]);
  await system.doDueWork();
};

type Transition = { user: string; unit: string; cause: string; transitionId: string };
const listen = (query = '', headers: Record<string, string> = {}) =>
  listenTo<Transition>(`${url}/v1/limits/events${query}`, { ...system.headers, ...headers });
const told = (events: readonly { user: string; event: string; cause: string }[]) =>
  events.map(({ user, event, cause }) => `${user} ${event} ${cause}`);

describe('events of limits', () => {
  it('come to the tenant when a limit is reached and when it is released, also by time alone', async () => {
    const own = await listen();
    const foreign = await listen('', { 'x-billstream-tenant': newId() });
    expect(own.type).toMatch(/^text\/event-stream/);
    await use('a', 60);
    await use('a', 41);
    system.at('2024-05-10T11:00:00.000Z');
    await system.doDueWork();
    const events = await own.until(2);
    expect(told(events)).toEqual(['a limit-reached USAGE', 'a limit-released WINDOW_ENDED']);
    expect(events[0]).toMatchObject({ unit: 'calls', from: 'RELEASED', to: 'LIMITED', current: '101', limit: '100' });
    expect(await Promise.race([foreign.until(1), sleep(100)])).toBeUndefined();
    own.leave();
    foreign.leave();
  });
  it('go on after the one that a client had last, none lost and none twice, whatever came meanwhile', async () => {
    const first = await listen();
    await use('b', 101);
    const [had] = await first.until(1);
    first.leave();
    await json('PUT', '/v1/usage/limits/calls', { user: 'b', state: 'RELEASED', reason: 'goodwill' });
    await system.doDueWork();
    await use('c', 101);
    const again = await listen('', { 'last-event-id': had!.id });
    await use('d', 101);
    expect(told(await again.until(3))).toEqual([
      'b limit-released OVERRIDDEN',
      'c limit-reached USAGE',
      'd limit-reached USAGE',
    ]);
    again.leave();
  });
  it('are those of one user, or of one unit, for who asks for no more', async () => {
    const user = await listen('?user=f');
    const gauge = await listen('?unit=load');
    await use('e', 101);
    await use('e', 6, 'load');
    await use('f', 101);
    expect(told(await user.until(1))).toEqual(['f limit-reached USAGE']);
    expect((await gauge.until(1)).map((one) => [one.user, one.unit])).toEqual([['e', 'load']]);
    user.leave();
    gauge.leave();
  });
  it('are refused after something that is no event of theirs', async () => {
    const answer = await json('GET', '/v1/limits/events', undefined, { 'last-event-id': 'x' });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, 'header:Last-Event-ID']);
    expect((await json('GET', '/v1/limits/events?user=')).body.errors[0].pointer).toBe('query:user');
  });
});
