import { type Instant } from '@billstream/kernel';
import {
  type CommandContext,
  type Decider,
  type EventStore,
  type RecordedEvent,
  commandHandler,
  defineSchema,
  latestSnapshot,
  memoryEventStore,
  snapshotStream,
} from './index';

type PageWritten = { readonly type: 'PageWritten'; readonly data: { readonly page: number; readonly text: string } };
type BookClosed = { readonly type: 'BookClosed'; readonly data: { readonly pages: number } };
type Shelf = { readonly loose: number; readonly books: readonly number[] };
type Write = { readonly pages: number };

/** Pages count once the book is closed; a first page begins the book anew. */
const shelf: Decider<Write, PageWritten | BookClosed, Shelf, never> = {
  initial: { loose: 0, books: [] },
  decide: ({ pages }) => ({
    events: [
      ...Array.from({ length: pages }, (_, page): PageWritten => ({
        type: 'PageWritten',
        data: { page, text: 'x'.repeat(100_000) },
      })),
      { type: 'BookClosed', data: { pages } },
    ],
  }),
  evolve: (state, { type, data }) =>
    type === 'PageWritten'
      ? { ...state, loose: data.page === 0 ? 1 : state.loose + 1 }
      : { loose: 0, books: [...state.books, state.loose] },
  isPart: ({ type }) => type === 'PageWritten',
};
const schema = defineSchema<PageWritten | BookClosed>({
  PageWritten: 'shelf.page-written.v1',
  BookClosed: 'shelf.book-closed.v1',
});
const context = (commandId: string): CommandContext => ({
  commandId,
  tenantId: 't',
  actor: { createdBy: 'spec' },
  at: '2026-01-01T00:00:00.000Z' as Instant,
  correlationId: 'c',
});
const snapshots = { version: '1', every: 10 };
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
};

describe('a decision too large for one append', () => {
  it('is appended in parts, each below what a server takes', async () => {
    const sizes: number[] = [];
    const memory = memoryEventStore();
    const store: EventStore = {
      ...memory,
      append: (stream, expected, events) => {
        sizes.push(JSON.stringify(events).length);
        return memory.append(stream, expected, events);
      },
    };
    const handle = commandHandler({ store, decider: shelf, schema });
    expect(await handle('shelf-1', { pages: 30 }, context('a'))).toMatchObject({
      state: { books: [30] },
      revision: 30n,
    });
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBeLessThan(1_000_000);
  });

  it('that was cut off is made anew when its command comes again, and what was left counts for nothing', async () => {
    const memory = memoryEventStore();
    let appends = 0;
    const dying: EventStore = {
      ...memory,
      append: (stream, expected, events) => {
        appends += 1;
        return appends === 3 ? Promise.reject(new Error('killed')) : memory.append(stream, expected, events);
      },
    };
    await expect(
      commandHandler({ store: dying, decider: shelf, schema })('shelf-1', { pages: 30 }, context('a')),
    ).rejects.toThrow('killed');
    const left = (await memory.read('shelf-1')).length;
    expect(left).toBeGreaterThan(0);
    const again = commandHandler({ store: memory, decider: shelf, schema });
    const done = await again('shelf-1', { pages: 30 }, context('a'));
    expect(done).toMatchObject({ outcome: 'accepted', repeated: false, state: { books: [30] } });
    expect(await again('shelf-1', { pages: 30 }, context('a'))).toMatchObject({
      repeated: true,
      events: [{ type: 'BookClosed' }],
    });
    expect(await memory.read('shelf-1')).toHaveLength(left + 31);
  });
});

describe('a snapshot', () => {
  const written = async (books: number) => {
    const store = memoryEventStore();
    const handle = commandHandler({ store, decider: shelf, schema, snapshots });
    for (let book = 0; book < books; book += 1) await handle('shelf-1', { pages: 1 }, context(`c${book}`));
    await settled();
    return store;
  };

  it('spares reading what came before it, and the state is the same', async () => {
    const store = await written(23);
    const revisions: bigint[] = [];
    const noted = (events: readonly RecordedEvent[]): readonly RecordedEvent[] => {
      revisions.push(...events.filter(({ stream }) => stream === 'shelf-1').map(({ revision }) => revision));
      return events;
    };
    const watched: EventStore = {
      ...store,
      read: async (...asked) => noted(await store.read(...asked)),
      readLast: async (...asked) => noted(await store.readLast(...asked)),
    };
    const state = await commandHandler({ store: watched, decider: shelf, schema, snapshots }).stateOf('shelf-1');
    expect(state).toEqual(await commandHandler({ store, decider: shelf, schema }).stateOf('shelf-1'));
    expect(revisions.length).toBeGreaterThan(0);
    expect(revisions.every((revision) => revision > 10n)).toBe(true);
  });

  it('remembers the commands that were handled', async () => {
    const store = await written(23);
    const after = commandHandler({ store, decider: shelf, schema, snapshots });
    expect(await after('shelf-1', { pages: 1 }, context('c3'))).toMatchObject({
      repeated: true,
      revision: 7n,
      events: [{ type: 'BookClosed', data: { pages: 1 } }],
    });
    expect(await store.read('shelf-1')).toHaveLength(46);
  });

  it('knows a command again that it keeps no more of than a mark, and costs nothing to any other', async () => {
    const store = memoryEventStore();
    const newProcess = () => commandHandler({ store, decider: shelf, schema, snapshots });
    const first = newProcess();
    for (let book = 0; book < 2_500; book += 1) await first('shelf-1', { pages: 0 }, context(`c${book}`));
    await settled();
    expect((await latestSnapshot(store, 'shelf-1', '1'))?.commands.has('c3')).toBe(false);
    const after = newProcess();
    expect(await after('shelf-1', { pages: 0 }, context('c3'))).toMatchObject({ repeated: true, revision: 3n });
    const another = newProcess();
    expect(await another('shelf-1', { pages: 0 }, context('fresh'))).toMatchObject({ repeated: false });
    expect(await another('shelf-1', { pages: 0 }, context('c4'))).toMatchObject({ repeated: true, revision: 4n });
    expect(await store.read('shelf-1')).toHaveLength(2_501);
  });

  it('of another version, or one that was not finished, counts for nothing', async () => {
    const store = await written(23);
    expect(await latestSnapshot(store, 'shelf-1', '1')).not.toBeNull();
    expect(await latestSnapshot(store, 'shelf-1', '2')).toBeNull();
    const [whole] = await store.readLast(snapshotStream('shelf-1'), 1);
    if (whole === undefined) throw new Error('no snapshot');
    const half = { ...whole, id: 'half', data: { ...whole.data, parts: 2 } };
    await store.append(snapshotStream('shelf-1'), whole.revision, [half]);
    expect(await latestSnapshot(store, 'shelf-1', '1')).toBeNull();
    expect(await commandHandler({ store, decider: shelf, schema, snapshots }).stateOf('shelf-1')).toMatchObject({
      loose: 0,
    });
  });
});

it('a snapshot whose parts do not fit together counts for nothing, and the stream is folded from its beginning', async () => {
  const store = memoryEventStore();
  const handle = commandHandler({ store, decider: shelf, schema, snapshots });
  for (let book = 0; book < 12; book += 1) await handle('shelf-1', { pages: 1 }, context(`c${book}`));
  await settled();
  const name = snapshotStream('shelf-1');
  const [whole] = await store.readLast(name, 1);
  if (whole === undefined) throw new Error('no snapshot');
  const { text } = whole.data as { readonly text: string };
  const torn = { ...whole, id: 'torn', data: { ...whole.data, text: text.slice(0, text.length / 2) } };
  await store.append(name, whole.revision, [torn]);
  const after = commandHandler({ store, decider: shelf, schema, snapshots });
  expect(await after('shelf-1', { pages: 1 }, context('c3'))).toMatchObject({ repeated: true });
  expect(await commandHandler({ store, decider: shelf, schema, snapshots }).stateOf('shelf-1')).toMatchObject({
    loose: 0,
  });
});

it('keeps no more of the streams in memory than their bytes may be', async () => {
  const store = memoryEventStore();
  const reads: string[] = [];
  const watched: EventStore = {
    ...store,
    read: (stream, ...range) => (reads.push(stream), store.read(stream, ...range)),
  };
  const handle = commandHandler({ store: watched, decider: shelf, schema, keptBytesMax: 250_000 });
  for (const name of ['a', 'b', 'c']) await handle(`shelf-${name}`, { pages: 1 }, context(name));
  reads.length = 0;
  await handle('shelf-c', { pages: 1 }, context('again c'));
  expect(reads).toEqual([]);
  await handle('shelf-a', { pages: 1 }, context('again a'));
  expect(reads).toEqual(['shelf-a']);
});

it('a look at a stream reads no more than what was appended since the last one or the last command', async () => {
  const store = memoryEventStore();
  const read: string[] = [];
  const noted = (events: readonly RecordedEvent[]): readonly RecordedEvent[] => {
    read.push(...events.map(({ stream, revision }) => `${stream}@${revision}`));
    return events;
  };
  const watched: EventStore = {
    ...store,
    read: async (...asked) => noted(await store.read(...asked)),
    readLast: async (...asked) => noted(await store.readLast(...asked)),
  };
  const own = commandHandler({ store: watched, decider: shelf, schema, snapshots });
  const other = commandHandler({ store, decider: shelf, schema, snapshots });
  for (let book = 0; book < 20; book += 1) await own('shelf-1', { pages: 0 }, context(`own ${book}`));
  await settled();
  read.length = 0;
  expect((await own.stateOf('shelf-1')).books).toHaveLength(20);
  expect(read).toEqual([]);
  await other('shelf-1', { pages: 0 }, context('other'));
  expect((await own.stateOf('shelf-1')).books).toHaveLength(21);
  expect(read).toEqual(['shelf-1@20']);
  await own('shelf-1', { pages: 0 }, context('own 20'));
  expect((await own.stateOf('shelf-1')).books).toHaveLength(22);
  expect(read).toEqual(['shelf-1@20']);
  expect((await own.stateOf('shelf-2')).books).toEqual([]);
});

it('a long stream without a snapshot is folded page by page', async () => {
  const store = memoryEventStore();
  const pages: number[] = [];
  const watched: EventStore = {
    ...store,
    read: async (...asked) => {
      const events = await store.read(...asked);
      pages.push(events.length);
      return events;
    },
  };
  const plain = commandHandler({ store, decider: shelf, schema });
  for (let book = 0; book < 2_300; book += 1) await plain('shelf-1', { pages: 0 }, context(`book ${book}`));
  const { books } = await commandHandler({ store: watched, decider: shelf, schema }).stateOf('shelf-1');
  expect(books).toHaveLength(2_300);
  expect(pages).toEqual([1_000, 1_000, 300]);
});
