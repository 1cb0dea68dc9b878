import { type Decimal, newId } from '@billstream/kernel';
import { publicEventsOf } from '@billstream/event-sourcing';
import { meteringPublication } from '@billstream/metering-domain';
import { unitByName } from '@billstream/metering-read-models';
import { meteringOf } from './metering';
import { OnReservationCommitted } from './reactions/on-reservation-committed';
import { reservationsOf, reserve } from './reservations';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T10:00:00.000Z');
  await unit('calls', 'SUM', [{ limitAmount: 10, limitRefreshInterval: 'HOUR' }]);
  await unit('load', 'PEAK', [{ limitAmount: 5, periodSplitting: 'HOUR' }]);
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const base = '/v1/limits/calls/reservations';
const ask = (user: string, amount: unknown, more: object = {}, headers = {}): Promise<Loose> =>
  json('POST', base, { user, amount, ...more }, headers);
const end = (user: string, id: string, how: string, more: object = {}): Promise<Loose> =>
  json('POST', `${base}/${id}/${how}`, { user, ...more });
const used = async (user: string): Promise<number> =>
  (await json('GET', `/meter/limit/check/calls?user=${user}`)).body.current;

describe('reservations', () => {
  it('become usage when they are committed, once however often that is said, and free what was not used', async () => {
    const made = await ask('u', '6.5');
    expect([made.status, made.body]).toMatchObject([
      201,
      { user: 'u', unit: 'calls', amount: '6.5', state: 'RESERVED', expiresAt: '2024-05-10T10:01:00.000Z' },
    ]);
    expect(await used('u')).toBe(0);
    const id: string = made.body.reservationId;
    expect((await end('u', id, 'commit', { amount: 7 })).body.errors[0].pointer).toBe('/amount');
    const first = await end('u', id, 'commit', { amount: 4 });
    expect([first.status, first.body]).toMatchObject([200, { state: 'COMMITTED', amount: '4', record: { id } }]);
    expect((await end('u', id, 'commit', { amount: 4 })).body).toEqual(first.body);
    expect((await end('u', id, 'commit')).body).toEqual(first.body);
    expect((await end('u', id, 'commit', { amount: 5 })).status).toBe(409);
    expect((await end('other', id, 'commit')).status).toBe(409);
    expect((await end('u', id, 'release')).body.type).toBe('urn:problem:reservation-not-open');
    expect(await used('u')).toBe(4);
    expect((await ask('u', 6.1)).status).toBe(409);
    expect((await ask('u', 6)).status).toBe(201);
  });
  it('are decided anew when what counts was corrected after it was looked at, and another knew that', async () => {
    await json('POST', '/v1/usage/events', [{ unit: 'calls', user: 'moved', source: 's', id: 'moved', amount: 2 }]);
    let isFirst = true;
    const metering = meteringOf(system.runtime);
    const overtaken = async (...asked: Parameters<typeof metering.reservations>) => {
      if (isFirst) {
        isFirst = false;
        const [action, source, id] = ['REPLACE', 's', 'moved'];
        await json('POST', '/v1/usage/corrections', { action, source, id, reason: 'r', replacement: { amount: 7 } });
        expect((await ask('moved', 1)).status).toBe(201);
      }
      return metering.reservations(...asked);
    };
    const calls = (await unitByName(system.database, system.tenantId, 'calls'))!;
    const at = '2024-05-10T10:00:00.000Z' as never;
    const made = await reserve(
      { ...metering, reservations: Object.assign(overtaken, { stateOf: metering.reservations.stateOf }) },
      { user: 'moved', unit: calls, amount: '6' as Decimal, expiresAt: '2024-05-10T10:01:00.000Z' as never },
      {
        ...{ commandId: newId(), correlationId: newId(), tenantId: system.tenantId },
        ...{ actor: { createdBy: 'test' }, at },
      },
    );
    expect(made).toMatchObject({ outcome: 'rejected', rejection: { code: 'limit-exceeded', current: '7' } });
  });
  it('know of usage that was not reserved', async () => {
    await record([{ unit: 'calls', user: 'mixed', amount: 8 }]);
    const refused = await ask('mixed', 3);
    expect([refused.status, refused.body.detail]).toEqual([409, 'Of 10, 8 is used and 0 reserved: 2 can be reserved']);
    expect((await ask('mixed', 2)).status).toBe(201);
  });
  it('are the same for the same Idempotency-Key, and refuse another request under it', async () => {
    const key = { 'idempotency-key': 'k1' };
    const [a, b] = [await ask('idem', 6, {}, key), await ask('idem', 6, {}, key)];
    expect(b.body).toEqual(a.body);
    expect((await ask('idem', 5, {}, key)).status).toBe(422);
    expect((await ask('idem', 4)).status).toBe(201);
  });
  it('end by themselves and when they are released', async () => {
    const { reservationId: first } = (await ask('ttl', 10, { ttlSeconds: 5 })).body;
    expect((await ask('ttl', 1)).status).toBe(409);
    system.at('2024-05-10T10:00:05.000Z');
    const { reservationId: second } = (await ask('ttl', 10)).body;
    expect((await end('ttl', first, 'commit')).status).toBe(409);
    expect((await end('ttl', second, 'release')).body.state).toBe('RELEASED');
    expect((await end('ttl', second, 'release')).status).toBe(200);
    expect((await ask('ttl', 10)).status).toBe(201);
  });
  it('never overshoot, with many callers at once in two processes, while some commit and some release', async () => {
    const calls = (await unitByName(system.database, system.tenantId, 'calls'))!;
    const processes = [system.metering, meteringOf({ ...system.runtime })];
    const one = async (n: number): Promise<number> => {
      const metering = processes[n % 2]!;
      const context = {
        commandId: newId(),
        tenantId: system.tenantId,
        actor: { createdBy: 'test' },
        correlationId: 'c',
      };
      const at = system.runtime.clock.now(system.tenantId);
      const request = {
        user: 'many',
        unit: calls,
        amount: '1' as Decimal,
        expiresAt: '2024-05-10T10:30:00.000Z' as never,
      };
      const handled = await reserve(metering, request, { ...context, at });
      const [made] = handled.outcome === 'accepted' ? handled.events : [];
      if (made?.type !== 'ReservationMade') return 0;
      if (n % 5 === 0) return (await end('many', made.data.reservationId, 'release')).status === 200 ? 0 : -100;
      return (await end('many', made.data.reservationId, 'commit')).status === 200 ? 1 : -100;
    };
    const committed = (await Promise.all(Array.from({ length: 60 }, (_, n) => one(n)))).reduce((a, b) => a + b, 0);
    expect(await used('many')).toBe(committed);
    expect(committed).toBeLessThanOrEqual(10);
    // What was released by then can still be had, and not one more.
    for (let left = 10 - committed; left > 0; left -= 1) expect((await ask('many', 1)).status).toBe(201);
    expect((await ask('many', 1)).status).toBe(409);
  });
  it('become usage though the process that committed has died, because the commitment is heard', async () => {
    const { reservationId } = (await ask('crash', 7)).body;
    const whose = { tenantId: system.tenantId, user: 'crash', unit: 'calls' };
    const at = system.runtime.clock.now(system.tenantId);
    await system.metering.reservations(
      reservationsOf(whose),
      { type: 'Commit', reservationId, user: 'crash', unit: 'calls', amount: null, at },
      { commandId: newId(), tenantId: system.tenantId, actor: { createdBy: 'test' }, at, correlationId: 'c' },
    );
    expect(await used('crash')).toBe(0);
    expect((await ask('crash', 4)).status).toBe(409);
    const { events } = await system.store.readAll({ after: null, prefixes: [reservationsOf(whose)] });
    const told = events.flatMap((event) => publicEventsOf(event, meteringPublication));
    expect(told.map(({ type }) => type)).toEqual(['metering.reservation-committed.v1']);
    const reaction = new OnReservationCommitted(meteringOf({ ...system.runtime }));
    for (let times = 0; times < 2; times += 1) await reaction.record(told[0] as never);
    await system.runtime.caughtUp();
    expect(await used('crash')).toBe(7);
    expect((await ask('crash', 3)).status).toBe(201);
  });
  it('begin anew with the window, and follow a state set by hand', async () => {
    const { reservationId } = (await ask('hour', 10)).body;
    await end('hour', reservationId, 'commit');
    expect((await ask('hour', 1)).status).toBe(409);
    system.at('2024-05-10T11:00:00.000Z');
    expect((await ask('hour', 10)).status).toBe(201);
    await json('PUT', '/v1/usage/limits/calls', { user: 'hand', state: 'LIMITED', reason: 'abuse' });
    expect((await ask('hand', 1)).body.detail).toBe('The user is limited by hand');
  });
  it('are refused where they make no sense, by the field', async () => {
    const pointer = async (answer: Promise<Loose>) => (await answer).body.errors?.[0]?.pointer;
    expect(await pointer(ask('u', 0))).toBe('/amount');
    expect(await pointer(ask('u', 'x'))).toBe('/amount');
    expect(await pointer(ask('u', '0.0000000001'))).toBe('/amount');
    expect(await pointer(ask('u', 1, { ttlSeconds: 0 }))).toBe('/ttlSeconds');
    expect(await pointer(ask('u', 1, { ttl: 5 }))).toBe('/ttl');
    expect(await pointer(ask('', 1))).toBe('/user');
    expect(await pointer(end('u', 'x', 'commit'))).toBe('path:reservationId');
    expect((await end('u', newId(), 'commit')).status).toBe(409);
    expect((await json('POST', '/v1/limits/load/reservations', { user: 'u', amount: 1 })).status).toBe(422);
    expect((await json('POST', '/v1/limits/none/reservations', { user: 'u', amount: 1 })).status).toBe(404);
  });
});
