import type { PublicEvent } from '@billstream/event-sourcing';
import { openDatabase } from '@billstream/postgres';
import { tcpProxy } from '@billstream/testing';
import { pruneInbox } from './inbox';
import { busContract } from './testing/bus-contract';
import { byKey, databaseUrl, events, useDatabase, worldOf } from './testing/bus-world';

jest.setTimeout(60_000);
useDatabase();

describe('the bus inside one process', () => {
  busContract(() => null);

  it('keeps messages back until every listener is there', async () => {
    const { world, tidy } = await worldOf(null);
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    const published = bus.publish(events(5, 1));
    const server = await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    await published;
    expect(handled).toHaveLength(5);
    await server.close();
    await tidy();
  });

  it('fails what is published when a listener has left, so that a relay which is to end can end', async () => {
    const { world, tidy } = await worldOf(null);
    const bus = await world.open({});
    const server = await world.serve(bus, () => Promise.resolve());
    await server.close();
    await expect(bus.publish(events(1, 1))).rejects.toThrow('consumes no longer');
    const handled: PublicEvent[] = [];
    const again = await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    await bus.publish(events(1, 1));
    expect(handled).toHaveLength(1);
    await again.close();
    await tidy();
  });

  it('waits for a PostgreSQL that goes away, and then goes on where it was', async () => {
    const { world, tidy } = await worldOf(null);
    const url = new URL(databaseUrl());
    const proxy = await tcpProxy({ targetPort: Number(url.port || 5432), targetHost: url.hostname });
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const database = openDatabase({ url: url.toString(), schema: world.database.schema, applicationName: 'bus-test' });
    world.later(() => proxy.close());
    world.later(() => database.close());
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, (one) => Promise.resolve(void handled.push(one)), { database });
    const all = events(600, 12);
    for (let part = 0; part < 6; part += 1) {
      const published = bus.publish(all.slice(part * 100, (part + 1) * 100));
      if (part === 3) await proxy.refuse(300);
      else proxy.cut();
      await published;
    }
    expect(byKey(handled)).toEqual(byKey(all));
    expect(await world.database.query('select 1 from inbox')).toHaveLength(600);
    await tidy();
  });

  it('forgets what is long in the inbox, batch by batch', async () => {
    const { world, tidy } = await worldOf(null);
    const bus = await world.open({});
    await world.serve(bus, () => Promise.resolve());
    await bus.publish(events(30, 3));
    await world.database.query(`update inbox set handled_at = now() - interval '15 days' where position < 25`);
    expect(await pruneInbox(world.database, { batch: 10 })).toBe(25);
    expect(await world.database.query('select 1 from inbox')).toHaveLength(5);
    await tidy();
  });
});
