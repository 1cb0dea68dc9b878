import { memoryEventStore, type PublicEvent } from '@billstream/event-sourcing';
import { newId } from '@billstream/kernel';
import { eventually } from '@billstream/testing';
import type { TestBroker } from '@billstream/testing';
import { deadLetters } from '../dead-letters';
import { fenceRaiser } from '../fences';
import { relayCheckpoint } from '../relay-checkpoint';
import { append, byKey, event, events, numberOf, partitions, startRelay, type World, worldOf } from './bus-world';

/** What every bus owes its users; null stands for the bus inside one process. */
export const busContract = (broker: () => TestBroker | null): void => {
  let world: World;
  let tidy: () => Promise<void>;
  beforeEach(async () => {
    ({ world, tidy } = await worldOf(broker()));
  });
  afterEach(() => tidy());

  it('hands every message over, in order per key', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, async (one) => {
      await new Promise((resolve) => setTimeout(resolve, numberOf(one) % 3));
      handled.push(one);
    });
    const all = events(400, 20);
    await bus.publish(all.slice(0, 150));
    await bus.publish(all.slice(150));
    await eventually(() => handled.length === 400);
    expect(byKey(handled)).toEqual(byKey(all));
    await eventually(async () => (await world.database.query('select 1 from inbox')).length === 400);
  });

  it('hands a message over again when the consumer crashed between effect and acknowledgement', async () => {
    const crash = new AbortController();
    const all = events(10, 1);
    const effects: number[] = [];
    const bus = await world.open({ signal: crash.signal });
    await world.serve(bus, async (one) => {
      effects.push(numberOf(one));
      if (numberOf(one) !== 3) return;
      crash.abort();
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    // The relay would do the same: what was not confirmed is published again.
    await bus.publish(all).catch(() => undefined);
    await eventually(() => crash.signal.aborted);
    const next = await world.open({});
    await world.serve(next, (one) => Promise.resolve(void effects.push(numberOf(one))));
    await next.publish(all);
    await eventually(() => effects.includes(9));
    expect(effects.filter((number) => number === 3)).toHaveLength(2);
    expect([...new Set(effects)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('drops what is in the inbox already', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    const all = events(50, 5);
    await bus.publish(all);
    await bus.publish(all);
    await eventually(() => world.count('duplicate') === 50);
    expect(handled).toHaveLength(50);
  });

  it('would handle duplicates twice without the inbox', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, (one) => Promise.resolve(void handled.push(one)), { inbox: 'off' });
    const all = events(50, 5);
    await bus.publish(all);
    await bus.publish(all);
    await eventually(() => handled.length === 100);
    expect(world.count('duplicate')).toBe(0);
  });

  it('tries again, and no dead letter is left when it succeeds', async () => {
    const bus = await world.open({});
    let failures = 0;
    await world.serve(bus, async (one) => {
      if (numberOf(one) === 0 && failures < 2) {
        failures += 1;
        throw new Error('not yet');
      }
    });
    await bus.publish(events(2, 1));
    await eventually(() => world.count('handled') === 2);
    expect(world.measures.filter((m) => m.kind === 'retried').map((m) => m.cause)).toEqual(['failure', 'failure']);
    expect(await deadLetters(world.database).list()).toEqual([]);
  });

  it('waits out what is away without counting it as an attempt', async () => {
    const bus = await world.open({});
    let refusals = 0;
    const refuse = (): never => {
      refusals += 1;
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    await world.serve(bus, async () => (refusals < 3 ? refuse() : undefined), { retryDelaysMs: [] });
    await bus.publish(events(1, 1));
    await eventually(() => world.count('handled') === 1);
    expect(refusals).toBe(3);
  });

  it('puts a poison message and what follows it under its key aside, and nothing else', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    let poisonous = true;
    const server = await world.serve(bus, async (one) => {
      if (poisonous && one.key === 'a' && numberOf(one) === 1) throw new Error('cannot be');
      handled.push(one);
    });
    const keyed = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].flatMap((key) =>
      [0, 1, 2].map((number) => event(number, key)),
    );
    await bus.publish(keyed);
    await eventually(() => handled.length === 22);
    const letters = deadLetters(world.database);
    await eventually(async () => (await letters.list()).length === 2);
    expect(
      (await letters.list()).map(({ key, reason, attempts, error }) => ({ key, reason, attempts, error })),
    ).toEqual([
      { key: 'a', reason: 'failed', attempts: 3, error: 'cannot be' },
      { key: 'a', reason: 'behind', attempts: 0, error: null },
    ]);
    expect((await letters.show((await letters.list())[0]!.messageId))?.stack).toContain('Error: cannot be');

    expect(await letters.resend(['a'])).toBe(1);
    await eventually(async () => (await letters.list())[0]?.attempts === 4);
    expect(await letters.count()).toEqual({ letters: 2, keys: 1 });

    poisonous = false;
    expect(await letters.resend(null)).toBe(1);
    await bus.publish([event(3, 'a')]);
    await eventually(() => handled.length === 25);
    expect(byKey(handled)['a']).toEqual([0, 1, 2, 3]);
    await eventually(async () => (await letters.count()).keys === 0);
    expect(await letters.count()).toEqual({ letters: 0, keys: 0 });
    await server.close();
  });

  it('leaves a discarded dead letter out when its key is sent again', async () => {
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    await world.serve(bus, async (one) => {
      if (numberOf(one) === 0) throw new Error('never');
      handled.push(one);
    });
    const all = events(3, 1);
    await bus.publish(all);
    const letters = deadLetters(world.database);
    await eventually(async () => (await letters.list()).length === 3);
    expect(await letters.discard(all[0]!.id, 'operator')).toBe(true);
    await letters.resend(['key-0']);
    await eventually(() => handled.length === 2);
    expect(byKey(handled)).toEqual({ 'key-0': [1, 2] });
    // A letter goes once its handler has ended.
    await eventually(async () => (await letters.list({ discarded: true })).length === 1);
    expect(await letters.list({ discarded: true })).toMatchObject([{ messageId: all[0]!.id, discardedBy: 'operator' }]);
  });

  it('acknowledges a type that nobody handles', async () => {
    const bus = await world.open({});
    await world.serve(bus, () => Promise.resolve());
    await bus.publish([event(0, 'a', 'accounts.something-new.v1'), event(1, 'a')]);
    await eventually(() => world.count('handled') === 1);
    expect(world.count('ignored')).toBe(1);
  });

  it('confirms a message of a context that nobody hears', async () => {
    const bus = await world.open({});
    await expect(bus.publish([event(0, 'a', 'metering.usage-recorded.v1')])).resolves.toBeUndefined();
  });

  it('lets a fence through after everything that was published before it', async () => {
    const bus = await world.open({});
    const handled: number[] = [];
    const server = await world.serve(bus, async (one) => {
      if (numberOf(one) % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      handled.push(numberOf(one));
    });
    const fence = { fenceId: newId(), context: 'accounts', position: '1000' };
    expect(server.hasPassed('accounts', 1000n)).toBe(false);
    void bus.publish([...events(200, 17), fence, ...events(200, 17, 200)]);
    await eventually(() => {
      if (!server.hasPassed('accounts', 1000n)) return false;
      expect(handled.filter((number) => number < 200)).toHaveLength(200);
      return true;
    });
    expect(Object.keys(server.fencesPassed()['accounts']!)).toHaveLength(partitions);
    await eventually(() => handled.length === 400);
  });

  it('relays a log from where it had stopped, fences included', async () => {
    const store = memoryEventStore();
    const bus = await world.open({});
    const handled: PublicEvent[] = [];
    const server = await world.serve(bus, (one) => Promise.resolve(void handled.push(one)));
    const first = startRelay(world, bus, store);
    await append(store, 0, 100);
    await eventually(() => handled.length === 100);
    await first.stop();
    await append(store, 100, 50);
    const published = world.measures.length;
    const second = startRelay(world, bus, store);
    const raise = fenceRaiser(store);
    const { position } = await raise();
    await eventually(() => server.hasPassed('accounts', position));
    expect(handled.map(numberOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, number) => number));
    const again = world.measures
      .slice(published)
      .reduce((sum, m) => sum + (m.kind === 'published' ? m.messages : 0), 0);
    expect(again).toBeLessThanOrEqual(50 + partitions);
    await second.stop();
    expect(await relayCheckpoint(world.database, 'accounts').load()).toBe(position);
  });
};
