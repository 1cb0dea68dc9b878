import { publicEventsOf } from '@billstream/event-sourcing';
import { meteringPublication } from '@billstream/metering-domain';
import { meteringReadModel } from '@billstream/metering-read-models';
import type { LimitTransition } from '@billstream/metering-contracts';
import { meteringDueWork } from './tell-limits';
import { meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:00:00.000Z');
  await unit('calls', 'SUM', [{ limitAmount: 100, limitRefreshInterval: 'HOUR' }]);
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const at = (time: string): void => system.at(`2024-05-10T${time}:00.000Z`);

/** What others have heard of a user, in order. */
const heard = async (user: string): Promise<readonly string[]> => {
  const { events } = await system.store.readAll({ after: null, prefixes: ['limitNews-'] });
  return events
    .flatMap((event) => publicEventsOf(event, meteringPublication))
    .filter(({ data }) => (data as LimitTransition).user === user)
    .map(({ type, data }) => {
      const { at: when, cause, current } = data as LimitTransition;
      return `${type} ${when.slice(11, 16)} ${cause} ${current}`;
    });
};

describe('news of a limit', () => {
  it('are told when usage exceeds it, and when the hour has passed though nobody uses anything', async () => {
    at('10:05');
    await record([{ unit: 'calls', user: 'u', amount: 60 }]);
    await system.doDueWork();
    expect(await heard('u')).toEqual([]);
    at('10:40');
    await record([{ unit: 'calls', user: 'u', amount: 41 }]);
    await system.doDueWork();
    expect(await heard('u')).toEqual(['metering.limit-reached.v1 10:40 USAGE 101']);
    at('10:59');
    await system.doDueWork();
    expect(await heard('u')).toHaveLength(1);
    at('11:00');
    await system.doDueWork();
    expect(await heard('u')).toEqual([
      'metering.limit-reached.v1 10:40 USAGE 101',
      'metering.limit-released.v1 11:00 WINDOW_ENDED 0',
    ]);
    expect(await system.database.query('select key from due_work')).toEqual([]);
  });
  it('are told in their order and once, when several come before anybody tells, and when they are told twice at once', async () => {
    at('11:10');
    await record([{ unit: 'calls', user: 'v', amount: 101 }]);
    await json('PUT', '/meter/limit/reset/calls?user=v&amount=1');
    await record([{ unit: 'calls', user: 'v', amount: 100 }]);
    await system.runtime.caughtUp();
    const [item] = await system.database.query<{ key: string; due_at: string }>('select key, due_at from due_work');
    const due = { kind: 'tell-limit', key: item!.key, tenantId: system.tenantId, dueAt: item!.due_at, payload: {} };
    const processes = [meteringDueWork(system.runtime), meteringDueWork(system.runtime)];
    await Promise.all(processes.map(async (handlers) => handlers['tell-limit']?.(due as never)));
    await system.doDueWork();
    expect(await heard('v')).toEqual([
      'metering.limit-reached.v1 11:10 USAGE 101',
      'metering.limit-released.v1 11:10 COUNTER_SET 1',
      'metering.limit-reached.v1 11:10 USAGE 101',
    ]);
  });
  it('are not told again after the read model was built anew', async () => {
    const before = await system.store.head();
    await system.runtime.caughtUp();
    for (const table of meteringReadModel.tables) await system.database.query(`truncate ${table}`);
    const { events } = await system.store.readAll({ after: null, prefixes: meteringReadModel.prefixes });
    await system.database.transaction((tx) => meteringReadModel.apply(tx, events));
    await system.doDueWork();
    expect(await system.store.head()).toBe(before);
  });
  it('are told of a state set by hand and of its end', async () => {
    at('11:20');
    await json('PUT', '/v1/usage/limits/calls', { user: 'w', state: 'LIMITED', until: '2024-05-10T11:30:00Z' });
    await system.doDueWork();
    at('11:30');
    await system.doDueWork();
    expect(await heard('w')).toEqual([
      'metering.limit-reached.v1 11:20 OVERRIDDEN 0',
      'metering.limit-released.v1 11:30 OVERRIDE_ENDED 0',
    ]);
  });
});
