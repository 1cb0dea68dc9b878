import { type Answer, type Client } from '../../../../tools/day/client';
import { openAccount, settled, subscribe } from '../../../../tools/day/day';
import type { Mistake } from './mistake';
import { bodies, paths, who } from './mistakes';
import { fields } from './wrong-values';
import { type SystemUnderTest, type Tenant, eventsAfter, startSystem } from '../system';

/**
 * What a client may get wrong. Each mistake is told with its own status and the name of what is wrong; none of them is
 * a server error, and none leaves an event in the log.
 */
let system: SystemUnderTest;
let api: Client;
let tenant: Tenant;
let accountId = '';
let subscriptionId = '';
beforeAll(async () => {
  system = await startSystem();
  ({ api, tenant } = await system.newTenant());
  const account = await openAccount(api, 'known@example.com');
  ({ accountId } = account);
  subscriptionId = await subscribe(api, account, 'standard-monthly');
  await settled(api);
}, 60_000);
afterAll(() => system.stop(), 30_000);

const send = async ({
  method = 'POST',
  path,
  body,
  type = 'application/json',
  headers = {},
}: Mistake): Promise<Answer> => {
  const all: Record<string, string | null> = {
    Authorization: `Basic ${Buffer.from('admin:password').toString('base64')}`,
    'X-Killbill-ApiKey': tenant.apiKey,
    'X-Killbill-ApiSecret': tenant.apiSecret,
    'X-Killbill-CreatedBy': 'tester',
    'Content-Type': body === undefined ? null : type,
    ...headers,
  };
  const path2 = path.replace('ACCOUNT', accountId).replace('SUBSCRIPTION', subscriptionId);
  const text =
    body === undefined || typeof body === 'string' ? body : JSON.stringify(body).replaceAll('ACCOUNT', accountId);
  const response = await fetch(`${system.url}${path2}`, {
    method,
    redirect: 'manual',
    headers: Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)),
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, text: answer, json: <T>() => JSON.parse(answer) as T };
};

const check = async (mistake: Mistake): Promise<void> => {
  const before = await system.store.head();
  const answer = await send(mistake);
  expect([answer.status, answer.text.slice(0, 300)]).toEqual([mistake.status, expect.anything()]);
  if (mistake.names !== undefined) expect(answer.text).toMatch(mistake.names);
  if (mistake.status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  expect(await eventsAfter(system, before)).toEqual([]);
};

describe('a body that is not what it should be', () => it.each(bodies)('is refused: $what', check));
describe('a value that is not what it should be', () => it.each(fields)('is refused: $what', check));
describe('a caller who is not who it should be', () => it.each(who)('is refused: $what', check));
describe('a place that is not there', () => it.each(paths)('is refused: $what', check));

describe('what a client may say beyond what is known', () => {
  it('is ignored under /1.0/kb', async () => {
    const answer = await send({ what: '', path: '/1.0/kb/accounts', body: { name: 'x', shoeSize: 44 }, status: 201 });
    expect(answer.status).toBe(201);
  });
  it('is ignored in usage, and one bad record does not take the others with it', async () => {
    const body = [
      { unit: 'analytics', user: 'u', amount: 1, shoeSize: 44 },
      { unit: 'analytics', user: 'u', amount: 'many' },
      { unit: 'host', user: 'u', amount: -1 },
      { unit: 'host', user: 'u', amount: 1, time: 'noon' },
      { user: 'u', amount: 1 },
    ];
    const answer = await send({ what: '', path: '/meter/record/json', body, status: 202 });
    expect([answer.status, answer.json()]).toEqual([
      202,
      expect.objectContaining({
        accepted: 1,
        rejected: [
          expect.objectContaining({ index: 1, field: 'amount' }),
          expect.objectContaining({ index: 2, field: 'amount' }),
          expect.objectContaining({ index: 3, field: 'time' }),
          expect.objectContaining({ index: 4, field: 'unit' }),
        ],
      }),
    ]);
  });
});
