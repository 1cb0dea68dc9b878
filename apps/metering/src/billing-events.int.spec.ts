import { newId } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenTo, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
let url: string;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T12:00:00.000Z');
  url = await system.listen();
}, 30_000);
afterAll(() => system.close(), 20_000);

const { json } = overHttp(() => system);
const push = (body: object, headers = {}) => json('POST', '/meter/billing/event', body, headers);
const invoice = { eventType: 'INVOICE_CREATION', accountId: 'a', objectType: 'INVOICE', objectId: 'i', extra: 1 };

const listen = (headers: Record<string, string> = {}) =>
  listenTo<{ eventType: string }>(`${url}/meter/billing/emitter`, { ...system.headers, ...headers }, 'billing');

describe('the billing emitter', () => {
  it('tells browsers of a tenant what was pushed and what became known of its accounts, and nobody else', async () => {
    const own = await listen();
    const foreign = await listen({ 'x-billstream-tenant': newId() });
    expect(own.type).toMatch(/^text\/event-stream/);
    expect((await push(invoice)).status).toBe(200);
    await system.facts.recordNewAccount(
      system.heard('accounts.account-created.v1', { accountId: newId(), externalKey: 'u', timeZone: 'UTC' } as never),
    );
    const told = await own.until(2);
    expect(told).toMatchObject([
      { eventType: 'INVOICE_CREATION', accountId: 'a', objectType: 'INVOICE', objectId: 'i', metaData: null },
      { eventType: 'ACCOUNT_CREATION', objectType: 'ACCOUNT' },
    ]);
    const nothing = await Promise.race([foreign.until(1), sleep(100)]);
    expect(nothing).toBeUndefined();
    own.leave();
    foreign.leave();
  });
  it('goes on after the event that a client had last', async () => {
    const first = await listen();
    await push({ eventType: 'A' });
    await push({ eventType: 'B' });
    const [a] = await first.until(2);
    first.leave();
    const again = await listen({ 'last-event-id': a!.id });
    await push({ eventType: 'C' });
    expect((await again.until(2)).map(({ eventType }) => eventType)).toEqual(['B', 'C']);
    again.leave();
    expect((await json('GET', '/meter/billing/emitter', undefined, { 'last-event-id': 'x' })).status).toBe(400);
  });
  it('hears a notice once, however often it is pushed, and refuses what is none', async () => {
    const before = await system.store.readAll({ after: null, prefixes: ['billingNews-'] });
    await push(invoice, { 'x-notification-id': 'n1' });
    await push(invoice, { 'x-notification-id': 'n1' });
    const after = await system.store.readAll({ after: null, prefixes: ['billingNews-'] });
    expect(after.events.length - before.events.length).toBe(1);
    expect((await push({ accountId: 'a' })).body.errors[0].pointer).toBe('/eventType');
  });
});

it('a service that stops does not wait for those who listen', async () => {
  const other = await meteringWithTenant('2024-05-10T12:00:00.000Z');
  const at = await other.listen();
  const answer = await fetch(`${at}/meter/billing/emitter`, { headers: other.headers });
  const started = performance.now();
  await other.close();
  await answer.text();
  expect(performance.now() - started).toBeLessThan(5_000);
}, 30_000);
