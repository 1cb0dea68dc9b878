import { type Instant } from '@billstream/kernel';
import {
  AppendOutcomeUnknown,
  type CommandContext,
  type Decider,
  type EventStore,
  RevisionConflict,
  accept,
  commandHandler,
  defineSchema,
  memoryEventStore,
  reject,
} from './index';

type Counted = { readonly type: 'Counted'; readonly data: { readonly by: number } };
type Count = { readonly by: number };
type Refusal = { readonly code: 'too-much'; readonly total: number };

const counter: Decider<Count, Counted, { total: number }, Refusal> = {
  initial: { total: 0 },
  decide: ({ by }, { total }) => {
    if (total + by > 100) return reject({ code: 'too-much', total });
    return by === 0 ? accept() : accept({ type: 'Counted', data: { by } });
  },
  evolve: ({ total }, { data }) => ({ total: total + data.by }),
};
const schema = defineSchema<Counted>(
  { Counted: 'counter.counted.v2' },
  {
    'counter.counted.v1': { to: 'counter.counted.v2', upcast: ({ amount }) => ({ by: amount }) },
  },
);
const context = (commandId: string, commandHash?: string): CommandContext => ({
  commandId,
  tenantId: 't',
  actor: { createdBy: 'spec' },
  at: '2026-01-01T00:00:00.000Z' as Instant,
  correlationId: 'c',
  ...(commandHash === undefined ? {} : { commandHash }),
});
const handler = (store: EventStore, conflicts: string[] = []) =>
  commandHandler({ store, decider: counter, schema, onConflict: (stream) => conflicts.push(stream) });

describe('a command', () => {
  it('appends what was decided and answers where it stands', async () => {
    const store = memoryEventStore();
    const result = await handler(store)('counter-1', { by: 3 }, context('a'));
    expect(result).toMatchObject({
      outcome: 'accepted',
      revision: 0n,
      position: 0n,
      repeated: false,
      state: { total: 3 },
    });
    expect(await store.read('counter-1')).toMatchObject([
      { type: 'counter.counted.v2', data: { by: 3 }, metadata: { commandId: 'a', tenantId: 't' } },
    ]);
  });

  it('sent again does nothing and answers the same, also after a restart', async () => {
    const store = memoryEventStore();
    const first = await handler(store)('counter-1', { by: 3 }, context('a'));
    for (const handle of [handler(store), handler(store)])
      expect(await handle('counter-1', { by: 3 }, context('a'))).toEqual({ ...first, repeated: true });
    expect(await store.read('counter-1')).toHaveLength(1);
  });

  it('whose id was used for another body is refused', async () => {
    const store = memoryEventStore();
    await handler(store)('counter-1', { by: 3 }, context('a', 'h1'));
    expect(await handler(store)('counter-1', { by: 4 }, context('a', 'h2'))).toEqual({ outcome: 'command-id-reused' });
  });

  it('that is refused leaves nothing behind', async () => {
    const store = memoryEventStore();
    expect(await handler(store)('counter-1', { by: 101 }, context('a'))).toEqual({
      outcome: 'rejected',
      rejection: { code: 'too-much', total: 0 },
    });
    expect(await store.head()).toBe(-1n);
  });

  it('that changes nothing appends nothing', async () => {
    expect(await handler(memoryEventStore())('counter-1', { by: 0 }, context('a'))).toMatchObject({
      outcome: 'accepted',
      position: null,
    });
  });

  it('with a stale revision is told the current one', async () => {
    const store = memoryEventStore();
    await handler(store)('counter-1', { by: 1 }, context('a'));
    expect(await handler(store)('counter-1', { by: 1 }, context('b'), { ifRevision: 5n })).toEqual({
      outcome: 'revision-conflict',
      revision: 0n,
    });
  });

  it('decides again after another process was faster', async () => {
    const store = memoryEventStore();
    const conflicts: string[] = [];
    const [one, two] = [handler(store, conflicts), handler(store, conflicts)];
    await one('counter-1', { by: 60 }, context('a'));
    await two('counter-1', { by: 1 }, context('b'));
    expect(await one('counter-1', { by: 39 }, context('c'))).toMatchObject({
      outcome: 'accepted',
      state: { total: 100 },
      revision: 2n,
    });
    expect(await two('counter-1', { by: 1 }, context('d'))).toMatchObject({ outcome: 'rejected' });
    expect(conflicts.length).toBeLessThanOrEqual(1);
  });

  it('on a stream that this process wrote last reads nothing', async () => {
    let reads = 0;
    const store = memoryEventStore();
    const counting: EventStore = { ...store, read: (...range) => ((reads += 1), store.read(...range)) };
    const handle = handler(counting);
    await handle('counter-1', { by: 1 }, context('a'));
    reads = 0;
    expect(await handle('counter-1', { by: 1 }, context('b'))).toMatchObject({ outcome: 'accepted', revision: 1n });
    expect(reads).toBe(0);
  });

  it('is refused only on what the store holds now, not on what this process remembers', async () => {
    const store = memoryEventStore();
    const [one, two] = [handler(store), handler(store)];
    await one('counter-1', { by: 60 }, context('a'));
    await two('counter-1', { by: -60 }, context('b'));
    expect(await one('counter-1', { by: 90 }, context('c'))).toMatchObject({
      outcome: 'accepted',
      state: { total: 90 },
    });
  });

  it('that another process has handled meanwhile answers what was recorded then', async () => {
    const store = memoryEventStore();
    const [one, two] = [handler(store), handler(store)];
    await one('counter-1', { by: 60 }, context('a'));
    const elsewhere = await two('counter-1', { by: 1 }, context('b'));
    await two('counter-1', { by: 2 }, context('c'));
    // Decided from memory it would look new: same stream, same revision, but the id is taken.
    expect(await one('counter-1', { by: 5 }, context('b'))).toMatchObject({
      ...elsewhere,
      repeated: true,
      state: { total: 63 },
    });
    expect(await one('counter-1', { by: 1 }, context('d'))).toMatchObject({
      outcome: 'accepted',
      state: { total: 64 },
      revision: 3n,
    });
  });

  it('that was handled before this process forgot the stream is recognised all the same', async () => {
    const store = memoryEventStore();
    const handle = handler(store);
    const first = await handle('counter-1', { by: 60 }, context('a', 'h1'));
    for (let other = 0; other <= 5_000; other += 1) await handle(`other-${other}`, { by: 1 }, context(`o${other}`));
    expect(await handle('counter-1', { by: 61 }, context('a', 'h2'))).toEqual({ outcome: 'command-id-reused' });
    expect(await handle('counter-1', { by: 60 }, context('a', 'h1'))).toMatchObject({ ...first, repeated: true });
  });

  it('of no tenant is a fault of the house, and is not recorded', async () => {
    const store = memoryEventStore();
    await expect(handler(store)('counter-1', { by: 1 }, { ...context('a'), tenantId: '' })).rejects.toThrow(
      'no tenant',
    );
    expect(await store.head()).toBe(-1n);
  });

  it('many at once on one stream all count', async () => {
    const store = memoryEventStore();
    const [one, two] = [handler(store), handler(store)];
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two)('counter-1', { by: 1 }, context(`c${i}`))),
    );
    expect(await store.read('counter-1')).toHaveLength(40);
  });

  it('whose append timed out but happened is not done twice', async () => {
    const store = memoryEventStore();
    let lost = true;
    const flaky: EventStore = {
      ...store,
      append: async (stream, expected, events) => {
        const appended = await store.append(stream, expected, events);
        if (lost) {
          lost = false;
          throw new AppendOutcomeUnknown(stream);
        }
        return appended;
      },
    };
    expect(await handler(flaky)('counter-1', { by: 7 }, context('a'))).toMatchObject({
      outcome: 'accepted',
      state: { total: 7 },
    });
    expect(await store.read('counter-1')).toHaveLength(1);
  });

  it('gives up after a bounded number of conflicts', async () => {
    const hopeless: EventStore = {
      ...memoryEventStore(),
      append: (stream, expected) => Promise.reject(new RevisionConflict(stream, expected)),
    };
    const conflicts: string[] = [];
    await expect(handler(hopeless, conflicts)('counter-1', { by: 1 }, context('a'))).rejects.toThrow(RevisionConflict);
    expect(conflicts).toHaveLength(5);
  });

  it('reads events of an older version in their current form', async () => {
    const store = memoryEventStore();
    await handler(store)('counter-1', { by: 1 }, context('a'));
    const [now] = await store.read('counter-1');
    expect(schema.decode({ ...now!, type: 'counter.counted.v1', data: { amount: 9 } })).toEqual({
      type: 'Counted',
      data: { by: 9 },
    });
    expect(schema.decode({ ...now!, type: 'other.thing.v1' })).toBeNull();
  });
});
