import type { PublicEvent } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import fc from 'fast-check';
import { contextOf, parseMessage, partitionOf } from './message';

const event: PublicEvent = {
  id: 'c3f0',
  type: 'accounts.account-created.v1',
  data: { accountId: 'a' },
  tenantId: 't',
  key: 'a',
  at: '2026-03-01T10:00:00.000Z' as Instant,
  actor: { createdBy: 'somebody' },
  correlationId: 'c',
  position: '18446744073709551615',
  stream: 'account-a',
  revision: '0',
};

describe('a message', () => {
  it('is read as it was written', () => {
    expect(parseMessage(event.type, event.id, JSON.stringify(event))).toEqual({ kind: 'event', event });
  });

  it.each([
    ['no JSON', '{', 'the body is no JSON'],
    ['a list', '[]', 'the body is not an object'],
    ['no id', JSON.stringify({ ...event, id: '' }), 'id is not a text'],
    ['a NUL in its key', JSON.stringify({ ...event, key: 'a\u0000' }), 'key is too long or holds a NUL'],
    ['an id that no index holds', JSON.stringify({ ...event, id: 'x'.repeat(201) }), 'id is too long or holds a NUL'],
    ['a position that is no number', JSON.stringify({ ...event, position: '-1' }), 'position is no number'],
    ['data that is no object', JSON.stringify({ ...event, data: null }), 'data is not an object'],
    ['nobody who did it', JSON.stringify({ ...event, actor: {} }), 'actor has no createdBy'],
  ])('with %s is malformed', (_, body, problem) => {
    expect(parseMessage('accounts.x.v1', 'id', body)).toEqual({
      kind: 'malformed',
      id: 'id',
      type: 'accounts.x.v1',
      body,
      problem,
    });
  });

  it('without an id is known by what is in it', () => {
    const [one, same, other] = ['{', '{', '{{'].map((body) => parseMessage('x', undefined, body));
    expect(one).toEqual(same);
    expect(one).not.toMatchObject({ id: other?.kind === 'malformed' ? other.id : '' });
  });

  it('never makes the reader throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom('fence', 'accounts.x.v1'), (body, type) => {
        expect(['event', 'fence', 'malformed']).toContain(parseMessage(type, undefined, body).kind);
      }),
    );
  });

  it('names its context in front of its type', () => {
    expect([contextOf('accounts.account-created.v1'), contextOf('nothing')]).toEqual(['accounts', '']);
  });
});

describe('the partition of a key', () => {
  it('lies between nought and the number of partitions', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
        const partition = partitionOf(key, partitions);
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
      }),
    );
  });

  it('never changes, because queues full of messages depend on it', () => {
    expect(['', 'a', 'b', '9f6ee1a2-6b0e-4d0c-8c9f-1b8a7f6c5d4e'].map((key) => partitionOf(key, 4))).toEqual([
      0, 0, 1, 1,
    ]);
  });

  it('spreads random ids evenly', () => {
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 8_000; index += 1) {
      const partition = partitionOf(`00000000-0000-8000-8000-${index.toString(16).padStart(12, '0')}`, 4);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(1_800);
    expect(Math.max(...counts)).toBeLessThan(2_200);
  });
});
