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

type Taken = { readonly type: 'Taken'; readonly data: { readonly amount: number } };
type Refusal = { readonly code: 'full'; readonly total: number };

const max = 100;
const glass: Decider<number, Taken, { total: number }, Refusal> = {
  initial: { total: 0 },
  appendsTogether: true,
  decide: (amount, { total }) => {
    if (total + amount > max) return reject({ code: 'full', total });
    return amount === 0 ? accept() : accept({ type: 'Taken', data: { amount } });
  },
  evolve: ({ total }, { data }) => ({ total: total + data.amount }),
};
const schema = defineSchema<Taken>({ Taken: 'glass.taken.v1' });
const context = (commandId: string): CommandContext => ({
  commandId,
  tenantId: 't',
  actor: { createdBy: 'spec' },
  at: '2026-01-01T00:00:00.000Z' as Instant,
  correlationId: 'c',
});

/** A store that counts appends and takes its time, so that commands come together. */
const slowStore = (inner = memoryEventStore()) => {
  const appends: number[] = [];
  const reads: string[] = [];
  const store: EventStore = {
    ...inner,
    read: (stream, ...range) => {
      reads.push(stream);
      return inner.read(stream, ...range);
    },
    append: async (stream, expected, events) => {
      appends.push(events.length);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return inner.append(stream, expected, events);
    },
  };
  return { store, appends, reads };
};
const handlerOn = (store: EventStore) => commandHandler({ store, decider: glass, schema });
const total = async (store: EventStore): Promise<number> =>
  (await store.read('glass-1')).reduce((sum, { data }) => sum + (data as Taken['data']).amount, 0);
const all = (handle: ReturnType<typeof handlerOn>, amounts: readonly number[], name = 'c') =>
  Promise.all(amounts.map((amount, index) => handle('glass-1', amount, context(`${name}${index}`))));

describe('commands that come together', () => {
  it('share an append, each with its own answer', async () => {
    const { store, appends } = slowStore();
    const answers = await all(handlerOn(store), Array<number>(41).fill(1));
    expect(appends).toEqual([1, 40]);
    expect(answers.map((answer) => ('state' in answer ? answer.state.total : 0))).toEqual(
      Array.from({ length: 41 }, (_, index) => index + 1),
    );
    expect(answers.map((answer) => ('revision' in answer ? answer.revision : null))).toEqual(
      Array.from({ length: 41 }, (_, index) => BigInt(index)),
    );
    const recorded = await store.read('glass-1');
    expect(recorded.map(({ metadata }) => metadata.commandId)).toEqual(answers.map((_, index) => `c${index}`));
  });

  it('do not take more than there is, and who is refused is refused on what the others got', async () => {
    const { store, appends } = slowStore();
    const answers = await all(handlerOn(store), Array<number>(30).fill(9));
    const refused = answers.flatMap((answer) => (answer.outcome === 'rejected' ? [answer.rejection] : []));
    expect(answers.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(11);
    expect(refused).toEqual(Array.from({ length: 19 }, () => ({ code: 'full', total: 99 })));
    expect(appends).toEqual([1, 10]);
  });

  it('are refused by one read when none of them gets anything', async () => {
    const { store, reads } = slowStore();
    const filler = handlerOn(store);
    const late = handlerOn(store);
    await late('glass-1', 1, context('first'));
    await filler('glass-1', 99, context('second'));
    reads.length = 0;
    const answers = await all(late, [5, 5, 5, 5]);
    // The first finds nobody waiting beside it: it meets the conflict and reads; the other three share a read.
    expect(reads).toHaveLength(2);
    expect(answers.map((answer) => (answer.outcome === 'rejected' ? answer.rejection.total : null))).toEqual(
      Array<number>(4).fill(100),
    );
  });

  it('are done once when they are sent again at once, later, or after a restart', async () => {
    const { store } = slowStore();
    const handle = handlerOn(store);
    const ids = ['x', 'a', 'a', 'b', 'a', 'b'];
    const answers = await Promise.all(ids.map((id) => handle('glass-1', 3, context(id))));
    expect(await total(store)).toBe(9);
    expect(answers.map((answer) => 'repeated' in answer && answer.repeated)).toEqual([
      false,
      false,
      true,
      false,
      true,
      true,
    ]);
    const again = handlerOn(store);
    await Promise.all(ids.map((id) => again('glass-1', 3, context(id))));
    await Promise.all(ids.map((id) => handle('glass-1', 3, context(id))));
    expect(await total(store)).toBe(9);
  });

  it('in two processes never take more than there is, and each is done once', async () => {
    const { store } = slowStore();
    const [one, two] = [handlerOn(store), handlerOn(store)];
    const amounts = Array<number>(30).fill(3);
    const answers = (await Promise.all([all(one, amounts, 'o'), all(two, amounts, 't')])).flat();
    const accepted = answers.filter(({ outcome }) => outcome === 'accepted');
    expect(accepted).toHaveLength(33);
    expect(await total(store)).toBe(99);
  });

  it('whose append timed out are not done twice, whether it happened or not', async () => {
    for (const happens of [true, false]) {
      const inner = memoryEventStore();
      let lost = 0;
      const { store } = slowStore({
        ...inner,
        append: async (stream, expected, events) => {
          if (events.length > 1 && lost === 0) {
            lost += 1;
            if (happens) await inner.append(stream, expected, events);
            throw new AppendOutcomeUnknown(stream);
          }
          return inner.append(stream, expected, events);
        },
      });
      const answers = await all(handlerOn(store), Array<number>(10).fill(2));
      expect(lost).toBe(1);
      expect(answers.every(({ outcome }) => outcome === 'accepted')).toBe(true);
      expect(await total(store)).toBe(20);
    }
  });

  it('that the store refuses are told so one by one', async () => {
    const { store } = slowStore();
    const broken: EventStore = { ...store, append: () => Promise.reject(new Error('disk full')) };
    const handle = handlerOn(broken);
    const results = await Promise.allSettled(
      [1, 2, 3].map((amount, index) => handle('glass-1', amount, context(`c${index}`))),
    );
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(
      all(handlerOn({ ...store, append: (stream, at) => Promise.reject(new RevisionConflict(stream, at)) }), [1, 2]),
    ).rejects.toThrow(RevisionConflict);
  });

  it('that change nothing, or name the revision they mean, are answered too', async () => {
    const { store } = slowStore();
    const handle = handlerOn(store);
    const answers = await Promise.all([
      handle('glass-1', 1, context('a')),
      handle('glass-1', 0, context('b')),
      handle('glass-1', 2, context('c')),
      handle('glass-1', 1, context('d'), { ifRevision: 9n }),
    ]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted', 'revision-conflict']);
    expect(await total(store)).toBe(3);
  });
});
