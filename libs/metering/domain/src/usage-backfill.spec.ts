import { type EventStore, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { type Instant, newId } from '@billstream/kernel';
import {
  type BackfillPart,
  type BackfilledUsageEvent,
  type OpenedBackfill,
  type UsageBackfillEvent,
  backfilledUsage,
  parseBackfillPart,
  usageBackfill,
  usageBackfillSchema,
  usageBackfillSnapshots,
} from './index';

const scope = {
  units: ['calls'],
  users: null,
  fromAt: '2024-05-01T00:00:00.000Z' as Instant,
  toAt: '2024-05-08T00:00:00.000Z' as Instant,
};
const opened: OpenedBackfill = { backfillId: 'b', name: 'n', reason: 'r', mode: 'ADD', ...scope };
const part = (name: string, digest = name, records = 1): BackfillPart => ({
  ...{ part: name, digest, records, pieces: 1, rejected: 0, rejections: [] },
});

const staging = (...events: readonly UsageBackfillEvent[]) => {
  const state = events.reduce(usageBackfill.evolve, usageBackfill.initial);
  return (command: Parameters<typeof usageBackfill.decide>[0]) => usageBackfill.decide(command, state);
};
const open: UsageBackfillEvent = { type: 'BackfillOpened', data: opened };
const staged = (name: string, records = 1): UsageBackfillEvent => ({
  type: 'PartStaged',
  data: { backfillId: 'b', ...part(name, name, records) },
});
const sealed: UsageBackfillEvent = { type: 'BackfillSealed', data: { backfillId: 'b' } };

describe('a backfill that is staged', () => {
  it('is opened once', () => {
    expect(staging()({ type: 'Open', opened })).toEqual({ events: [open] });
    expect(staging(open)({ type: 'Open', opened })).toEqual({ rejected: { code: 'backfill-exists' } });
    expect(staging()({ type: 'Stage', part: part('1') })).toEqual({ rejected: { code: 'backfill-not-found' } });
  });
  it('takes a part once, and never with other records', () => {
    expect(staging(open)({ type: 'Stage', part: part('1') })).toEqual({ events: [staged('1')] });
    expect(staging(open, staged('1'))({ type: 'Stage', part: part('1') })).toEqual({ events: [] });
    expect(staging(open, staged('1'))({ type: 'Stage', part: part('1', 'other') })).toEqual({
      rejected: { code: 'part-differs' },
    });
  });
  it('knows each of its parts, and how many there may be', () => {
    const many = Array.from({ length: 10_000 }, (_, n) => staged(String(n)));
    const decide = staging(open, ...many);
    for (const n of [0, 255, 256, 9_999])
      expect(decide({ type: 'Stage', part: part(String(n)) })).toEqual({ events: [] });
    expect(decide({ type: 'Stage', part: part('more') })).toEqual({ rejected: { code: 'too-many-parts' } });
  });
  it('goes on from a snapshot as from its events', () => {
    const events = [open, ...Array.from({ length: 600 }, (_, n) => staged(String(n)))];
    const state = events.reduce(usageBackfill.evolve, usageBackfill.initial);
    const kept = JSON.parse(JSON.stringify(state)) as typeof state;
    expect(kept).toEqual(state);
    expect(usageBackfill.decide({ type: 'Stage', part: part('0') }, kept)).toEqual({ events: [] });
    expect(usageBackfill.decide({ type: 'Stage', part: part('599', 'other') }, kept)).toEqual({
      rejected: { code: 'part-differs' },
    });
  });
  it('has its parts in a snapshot, so that a process that begins reads few of its events', async () => {
    const store = memoryEventStore();
    const parts = { decider: usageBackfill, schema: usageBackfillSchema, snapshots: usageBackfillSnapshots };
    const context = () => ({
      ...{ commandId: newId(), tenantId: 't', actor: { createdBy: 'spec' }, correlationId: 'c' },
      at: scope.fromAt,
    });
    const first = commandHandler({ store, ...parts });
    await first('usageBackfill-t-b', { type: 'Open', opened }, context());
    for (let n = 0; n < 700; n += 1) await first('usageBackfill-t-b', { type: 'Stage', part: part(`${n}`) }, context());
    await new Promise(setImmediate);
    let read = 0;
    const watched: EventStore = {
      ...store,
      read: async (...asked) => {
        const events = await store.read(...asked);
        read += events.length;
        return events;
      },
    };
    const state = await commandHandler({ store: watched, ...parts }).stateOf('usageBackfill-t-b');
    expect(state).toMatchObject({ status: 'STAGING', records: 700 });
    expect(read).toBeLessThan(300);
  });
  it('is sealed once, and takes nothing after that but what it has', () => {
    expect(staging(open, staged('1'))({ type: 'Seal', toCommit: true })).toEqual({ events: [sealed] });
    const decide = staging(open, staged('1'), sealed);
    expect(decide({ type: 'Seal', toCommit: true })).toEqual({ events: [] });
    expect(decide({ type: 'Stage', part: part('1') })).toEqual({ events: [] });
    expect(decide({ type: 'Stage', part: part('2') })).toEqual({ rejected: { code: 'backfill-sealed' } });
  });
  it('is not committed when it would add nothing; one that replaces may take away alone', () => {
    const empty = { rejected: { code: 'backfill-empty' } };
    expect(staging(open)({ type: 'Seal', toCommit: true })).toEqual(empty);
    expect(staging(open, staged('1', 0))({ type: 'Seal', toCommit: true })).toEqual(empty);
    expect(staging(open)({ type: 'Seal', toCommit: false })).toEqual({ events: [sealed] });
    const replacing: UsageBackfillEvent = { type: 'BackfillOpened', data: { ...opened, mode: 'REPLACE' } };
    expect(staging(replacing)({ type: 'Seal', toCommit: true })).toEqual({ events: [sealed] });
  });
});

const ended = (...events: readonly BackfilledUsageEvent[]) => {
  const state = events.reduce(backfilledUsage.evolve, backfilledUsage.initial);
  return (command: Parameters<typeof backfilledUsage.decide>[0]) => backfilledUsage.decide(command, state);
};
type Committed = Extract<BackfilledUsageEvent, { type: 'BackfillCommitted' }>['data'];
const committed = (backfillId: string, more: Partial<Committed> = {}): BackfilledUsageEvent & { data: Committed } => ({
  type: 'BackfillCommitted',
  data: { backfillId, mode: 'REPLACE', ...scope, ...more },
});
const reverted: BackfilledUsageEvent = { type: 'BackfillReverted', data: { backfillId: 'b', reason: 'r' } };
const abandoned: BackfilledUsageEvent = { type: 'BackfillAbandoned', data: { backfillId: 'b' } };
const commit = (event: { data: Committed }) => ({ type: 'Commit' as const, committed: event.data });
const revert = { type: 'Revert' as const, backfillId: 'b', reason: 'r' };
const abandon = { type: 'Abandon' as const, backfillId: 'b' };

describe('what backfills come to', () => {
  it('is decided once for each', () => {
    expect(ended()(commit(committed('b')))).toEqual({ events: [committed('b')] });
    expect(ended(committed('b'))(commit(committed('b')))).toEqual({ events: [] });
    expect(ended(committed('b'))(revert)).toEqual({ events: [reverted] });
    expect(ended(committed('b'), reverted)(revert)).toEqual({ events: [] });
    expect(ended()(abandon)).toEqual({ events: [abandoned] });
    expect(ended(abandoned)(abandon)).toEqual({ events: [] });
  });
  it('stays: neither comes what was reverted or abandoned back, nor can what never counted be reverted', () => {
    expect(ended(committed('b'), reverted)(commit(committed('b')))).toEqual({
      rejected: { code: 'backfill-over', status: 'REVERTED' },
    });
    expect(ended(abandoned)(commit(committed('b')))).toEqual({
      rejected: { code: 'backfill-over', status: 'ABANDONED' },
    });
    expect(ended(committed('b'))(abandon)).toEqual({ rejected: { code: 'backfill-over', status: 'COMMITTED' } });
    expect(ended()(revert)).toEqual({ rejected: { code: 'backfill-not-committed' } });
    expect(ended(abandoned)(revert)).toEqual({ rejected: { code: 'backfill-not-committed' } });
  });
  it.each<[string, Partial<Committed>, boolean]>([
    ['the same', {}, true],
    [
      'a part of the range',
      { fromAt: '2024-05-07T00:00:00.000Z' as Instant, toAt: '2024-06-01T00:00:00.000Z' as Instant },
      true,
    ],
    ['some of the users', { users: ['x'] }, true],
    ['another range', { fromAt: scope.toAt, toAt: '2024-06-01T00:00:00.000Z' as Instant }, false],
    ['another unit', { units: ['host'] }, false],
    ['an addition', { mode: 'ADD' }, false],
  ])('of two that replace %s', (_, more, isRefused) => {
    const overlapping = { rejected: { code: 'backfill-overlaps', backfillId: 'b' } };
    const second = committed('c', more);
    expect(ended(committed('b'))(commit(second))).toEqual(isRefused ? overlapping : { events: [second] });
    expect(ended(committed('b'), reverted)(commit(second))).toEqual({ events: [second] });
  });
  it('of two that replace usage of different users, both', () => {
    const [x, y] = [committed('b', { users: ['x'] }), committed('c', { users: ['y'] })];
    expect(ended(x)(commit(y))).toEqual({ events: [y] });
  });
});

describe('a backfill that nobody committed by its deadline', () => {
  const expired: BackfilledUsageEvent = { type: 'BackfillExpired', data: { backfillId: 'b' } };
  it('expires once, and is not committed or abandoned any more', () => {
    expect(ended()({ type: 'Expire', backfillId: 'b' })).toEqual({ events: [expired] });
    expect(ended(expired)({ type: 'Expire', backfillId: 'b' })).toEqual({ events: [] });
    const over = { rejected: { code: 'backfill-over', status: 'EXPIRED' } };
    expect(ended(expired)({ type: 'Commit', committed: committed('b').data })).toEqual(over);
    expect(ended(expired)({ type: 'Abandon', backfillId: 'b' })).toEqual(over);
  });
  it('stands where it was committed first', () => {
    expect(ended(committed('b'))({ type: 'Expire', backfillId: 'b' })).toEqual({ events: [] });
    expect(ended(committed('b'), reverted)({ type: 'Expire', backfillId: 'b' })).toEqual({ events: [] });
  });
});

it('a CloudEvent of a part is its record, and its faults are named by what the event calls them', () => {
  const event = {
    specversion: '1.0',
    id: 'e1',
    source: '/pods/7',
    type: 'calls',
    subject: 'u',
    data: { amount: '1.5' },
  };
  const { records, rejected } = parseBackfillPart(
    [
      { ...event, time: '2024-05-02T00:00:00Z' },
      { ...event, id: 'e2' },
      { ...event, id: 'e3', data: { amount: 1, time: scope.toAt } },
      { ...event, id: 'e4', time: '2024-05-02T00:00:00Z', type: 'bytes' },
      { ...event, id: undefined },
    ],
    { form: 'CLOUD_EVENT', scope, methodOf: () => 'SUM', source: 'meter', idOf: () => 'never asked' },
  );
  expect(records).toEqual([['calls', 'u', Date.parse('2024-05-02T00:00:00Z'), '1.5', '/pods/7', 'e1']]);
  expect(rejected.map(({ index, field, code }) => `${index} ${field} ${code}`)).toEqual([
    ...['1 time required', '2 data.time outside-backfill', '3 type outside-backfill', '4 id required'],
  ]);
});

it('a record of a part has the name that it brings, else one of its place', () => {
  const time = '2024-05-02T00:00:00.000Z';
  const { records, rejected } = parseBackfillPart(
    [
      { unit: 'calls', time, id: 'own' },
      { unit: 'calls', time },
      { unit: 'calls', time: scope.toAt },
    ],
    { form: 'OWN', scope, methodOf: () => 'SUM', source: 'meter', idOf: (index) => `place ${index}` },
  );
  expect(records.map(([, , , amount, source, id]) => [amount, source, id])).toEqual([
    ['1', 'meter', 'own'],
    ['1', 'meter', 'place 1'],
  ]);
  expect(rejected).toEqual([
    {
      ...{ index: 2, field: 'time', code: 'outside-backfill' },
      message: 'lies from 2024-05-01T00:00:00.000Z until before 2024-05-08T00:00:00.000Z',
    },
  ]);
});
