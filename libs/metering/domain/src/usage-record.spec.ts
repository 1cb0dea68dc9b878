import type { Instant } from '@billstream/kernel';
import fc from 'fast-check';
import {
  type LoggedRecord,
  anonymousUser,
  parseRecords,
  recordedAt,
  usagePartitions,
  usageStream,
  usageStreamsOf,
} from './index';

const now = '2024-05-01T10:00:00.000Z' as Instant;
const nowMs = Date.parse(now);
const parse = (batch: readonly unknown[], idOf: (index: number) => string | null = () => null) =>
  parseRecords(batch, {
    now,
    methodOf: (unit) => (unit === 'host' ? 'AVG' : unit === 'calls' ? 'SUM' : null),
    source: 'meter',
    idOf,
  });
const one = (raw: unknown) => parse([raw]).accepted[0]?.record;
const fault = (raw: unknown) => {
  const [rejected] = parse([raw]).rejected;
  return rejected && `${rejected.field} ${rejected.code}`;
};
const valid = { unit: 'calls', user: 'u', amount: 1 };

describe('a usage record', () => {
  it('takes what it does not say from the moment it came', () => {
    expect(one({ unit: 'calls', amount: 2 })).toEqual(['calls', anonymousUser, nowMs, '2', null, null]);
    expect(one({ unit: 'calls', user: 'u', amount: 2, time: null })).toEqual(['calls', 'u', nowMs, '2', null, null]);
  });
  it.each<[unknown, number | undefined]>([
    [1_714_557_600_123, 1_714_557_600_123],
    ['2024-05-01T12:00:00.123+02:00', 1_714_557_600_123],
    [1_714_557_600, undefined],
    [1.5e12 + 0.5, undefined],
    ['yesterday', undefined],
    [true, undefined],
  ])('reads the time %j', (time, ms) => expect(one({ ...valid, time })?.[2]).toBe(ms));
  it.each<[unknown, string | undefined]>([
    [0, '0'],
    ['12.000000001', '12.000000001'],
    [1e-9, '0.000000001'],
    [1e-10, undefined],
    ['1e3', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    ['10000000000000000001', undefined],
    [{}, undefined],
  ])('reads the amount %j exactly or not at all', (amount, text) => expect(one({ ...valid, amount })?.[3]).toBe(text));
  it('without an amount counts one for a sum, and says nothing of a gauge', () => {
    expect(one({ unit: 'calls' })?.[3]).toBe('1');
    expect(one({ unit: 'never heard of' })?.[3]).toBe('1');
    expect(fault({ unit: 'host' })).toBe('amount required');
  });
  it.each<[unknown, string]>([
    [null, ' not-an-object'],
    [[valid], ' not-an-object'],
    [{ ...valid, unit: '' }, 'unit invalid'],
    [{ ...valid, unit: 7 }, 'unit invalid'],
    [{ ...valid, user: 'x'.repeat(256) }, 'user invalid'],
    [{ ...valid, user: 'a\u0000b' }, 'user invalid'],
    [{ ...valid, id: {} }, 'id invalid'],
    [{ ...valid, source: '' }, 'source invalid'],
    [{ ...valid, amount: -0.1 }, 'amount negative'],
    [{ ...valid, amount: '0.1234567891' }, 'amount too-precise'],
    [{ ...valid, amount: '2000000000000000000' }, 'amount too-large'],
  ])('such as %j is refused', (raw, expected) => expect(fault(raw)).toBe(expected));
  it('is known by its own id, else by its place in a request that has a name', () => {
    const { accepted } = parse(
      [{ ...valid, id: 'mine', source: 'gateway' }, valid, { ...valid, id: 'mine' }],
      (index) => `request r ${index}`,
    );
    expect(accepted.map(({ record: [, , , , source, id] }) => [source, id])).toEqual([
      ['gateway', 'mine'],
      ['meter', 'request r 1'],
      ['meter', 'mine'],
    ]);
  });
  it('that cannot be understood does not keep the others out', () => {
    const { accepted, rejected } = parse([valid, 'x', valid, { ...valid, amount: 'many' }]);
    expect([accepted.map(({ index }) => index), rejected.map(({ index }) => index)]).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });
});

it('every element of a batch is either accepted or rejected, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(fc.anything()), (batch) => {
      const { accepted, rejected } = parse(batch);
      expect([...accepted, ...rejected].map(({ index }) => index).sort((a, b) => a - b)).toEqual(
        batch.map((_, index) => index),
      );
      for (const { record } of accepted) expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    }),
  );
});

it('a user’s usage stays in one of the tenant’s streams', () => {
  fc.assert(
    fc.property(fc.string(), (user) => {
      const streams = usageStreamsOf('t');
      expect(streams).toHaveLength(usagePartitions);
      expect(streams).toContain(usageStream('t', user));
      expect(usageStream('t', user)).toBe(usageStream('t', user));
    }),
  );
  expect(recordedAt(one(valid) as LoggedRecord)).toBe(now);
});
