import type { Database } from '@billstream/postgres';
import { eventually } from '@billstream/testing';
import { openInbox } from './inbox';

/** A database that answers each statement when it is told to, and remembers what it was asked. */
const slowDatabase = (rows: readonly object[] = []) => {
  const asked: (readonly unknown[])[] = [];
  const open: { readonly answer: () => void; readonly fail: (error: Error) => void }[] = [];
  const query = (_text: string, values: readonly unknown[]) => {
    asked.push(values);
    return new Promise((resolve, reject) => {
      open.push({
        answer: () => {
          resolve(rows);
        },
        fail: reject,
      });
    });
  };
  return { database: { query } as unknown as Database, asked, open };
};
const handled = (messageId: string) => ({ messageId, position: '1' });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the inbox of a consumer', () => {
  it('writes in one statement what its partitions have handled while another one was under way', async () => {
    const { database, asked, open } = slowDatabase();
    const inbox = openInbox(database, 'reader');
    const written: string[] = [];
    const record = (id: string): void => void inbox.record([handled(id)]).then(() => written.push(id));
    record('a');
    await turn();
    for (const id of ['b', 'c', 'd']) record(id);
    await turn();
    expect(asked.map(([, ids]) => ids)).toEqual([['a']]);
    expect(written).toEqual([]);
    open[0]?.answer();
    await turn();
    expect(asked.map(([, ids]) => ids)).toEqual([['a'], ['b', 'c', 'd']]);
    expect(written).toEqual(['a']);
    open[1]?.answer();
    await turn();
    expect(written).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes nothing for written when the statement failed', async () => {
    const { database, open } = slowDatabase();
    const inbox = openInbox(database, 'reader');
    const outcomes = Promise.allSettled([inbox.record([handled('a')]), inbox.record([handled('b')])]);
    await turn();
    open[0]?.fail(new Error('away'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('tells each partition of blocked keys in a set of its own', async () => {
    const { database, asked, open } = slowDatabase([
      { what: 'seen', name: '1' },
      { what: 'blocked', name: 'k' },
    ]);
    const inbox = openInbox(database, 'reader');
    const both = Promise.all([inbox.lookUp([{ id: '1', key: 'k' }]), inbox.lookUp([{ id: '2', key: 'l' }])]);
    await turn();
    open[0]?.answer();
    const [one, other] = await both;
    expect(asked).toEqual([['reader', ['1', '2'], ['k', 'l']]]);
    expect([one.seen.has('1'), one.seen.has('2')]).toEqual([true, false]);
    one.blocked.delete('k');
    expect(other.blocked.has('k')).toBe(true);
  });

  it('lets what is handled shortly after a statement of many wait for company, and nothing after one of few', async () => {
    const { database, asked, open } = slowDatabase();
    const inbox = openInbox(database, 'reader');
    const records = (ids: readonly string[]): Promise<unknown> => inbox.record(ids.map(handled));
    const first = records(['a']);
    await turn();
    open[0]?.answer();
    await first;
    const many = records(Array.from({ length: 20 }, (_, index) => `m${index}`));
    await turn();
    expect(asked).toHaveLength(2);
    open[1]?.answer();
    await many;
    const later = [records(['b'])];
    await turn();
    later.push(records(['c']));
    await turn();
    expect(asked).toHaveLength(2);
    await eventually(() => asked.length === 3);
    open[2]?.answer();
    await Promise.all(later);
    expect(asked.at(-1)).toEqual(['reader', ['b', 'c'], ['1', '1']]);
  });
});
