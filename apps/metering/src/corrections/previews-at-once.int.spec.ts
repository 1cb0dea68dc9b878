import { closingUsage, phase, transition } from '../testing/closing-usage';
import { meteringWithTenant, overHttp } from '../testing/metering-over-http';

const noon = '2024-06-02T12:00:00.000Z';
let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant(noon);
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const { holder, close } = closingUsage(() => system, noon);

it('more previews of corrections at once than there are connections to the database are all answered', async () => {
  await unit('calls', 'SUM', [{}]);
  await record([{ unit: 'calls', user: 'jane', amount: 10, source: 's', id: 'a', time: '2024-05-20T10:00:00Z' }]);
  const held = await holder('jane', [transition('2024-05-01T00:00:00.000Z', phase('standard-monthly', ['calls']))]);
  await close('jane', held, 'calls');
  await system.runtime.caughtUp();
  const correction = { action: 'REPLACE', source: 's', id: 'a', reason: 'r', replacement: { amount: 4 } };
  const answers = await Promise.all(
    Array.from({ length: 25 }, () => json('POST', '/v1/usage/corrections/preview', correction)),
  );
  const quantity = { before: '10', after: '4', difference: '-6' };
  for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { closedPeriods: [{ quantity }] } });
}, 30_000);
