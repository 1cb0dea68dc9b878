import type { Instant } from '@billstream/kernel';
import { limitCheck } from '@billstream/metering-read-models';
import { closingUsage, phase, transition } from './testing/closing-usage';
import { meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
let now = '';
const at = (time: string): void => {
  now = `2024-05-10T${time}:00.000Z`;
  system.at(now);
};
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:00:00.000Z');
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const { holder } = closingUsage(() => system, '2024-05-10T10:00:00.000Z');
const users = ['jane', 'joe', 'nobody'];
const units = ['calls', 'load'];
const hourly = (limitAmount: number) => ({ limitAmount, limitRefreshInterval: 'HOUR' });

/** Whether checks that were kept all the while are what the tables hold now, to the last digit. */
const expectAgreement = async (): Promise<void> => {
  await system.runtime.caughtUp();
  for (const user of users)
    for (const name of units) {
      const question = { tenantId: system.tenantId, user, unit: name, at: now as Instant };
      expect(await system.metering.limitChecks.check(question)).toEqual(await limitCheck(system.database, question));
    }
};

it('checks that are kept are what the tables hold, whatever moves a limit', async () => {
  at('10:00');
  await unit('calls', 'SUM', [{ applyPlan: true, basePlan: 'gold', ...hourly(1_000) }, hourly(100)]);
  await unit('load', 'PEAK', [{ limitAmount: '5.5', periodSplitting: 'HOUR' }]);
  await expectAgreement();
  const acts: readonly (readonly [time: string, act: () => Promise<unknown>])[] = [
    ['10:01', () => record([{ unit: 'calls', user: 'jane', amount: '60.25', id: 'a' }])],
    ['10:02', () => record(users.flatMap((user) => units.map((name) => ({ unit: name, user, amount: 7 }))))],
    ['10:03', () => record([{ unit: 'calls', user: 'jane', amount: 50 }])],
    ['10:04', () => record([{ unit: 'calls', user: 'jane', amount: 1, time: '2024-05-10T08:00:00Z' }])],
    ['10:05', () => json('PUT', '/meter/limit/reset/calls?user=jane&amount=3')],
    ['10:06', () => json('PUT', '/v1/usage/limits/calls', { user: 'joe', state: 'LIMITED', reason: 'late payment' })],
    ['10:07', () => holder('jane', [transition('2024-05-01T00:00:00.000Z', phase('gold', ['calls']))])],
    ['10:08', () => record([{ unit: 'calls', user: 'jane', amount: 12.5 }])],
    [
      '10:09',
      () => json('PUT', '/v1/units/calls/rules/2', { rules: [hourly(5)], effectiveAt: '2024-05-10T10:30:00Z' }),
    ],
    ['10:30', () => system.doDueWork()],
    ['10:31', () => json('PUT', '/v1/usage/limits/calls', { user: 'joe', state: 'AUTOMATIC' })],
    ['10:32', () => json('POST', '/v1/usage/corrections', [{ action: 'VOID', id: 'a', reason: 'never was' }])],
    ['11:05', () => system.doDueWork()],
    ['11:06', () => record([{ unit: 'calls', user: 'joe', amount: 6 }])],
  ];
  for (const [time, act] of acts) {
    at(time);
    await act();
    await expectAgreement();
  }
  const { body } = await json('GET', '/meter/limit/check/calls?user=joe');
  expect(body).toMatchObject({ current: 6, limit: 5, limited: true });
});
