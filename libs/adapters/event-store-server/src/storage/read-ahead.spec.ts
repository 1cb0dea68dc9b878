import { createReadAhead } from './read-ahead';
import { encodeEvent, type StoredEvent } from './stored-event';

const stored = (position: number): StoredEvent =>
  encodeEvent({
    id: '0f8fad5b-d9cb-469f-a165-70867728950e',
    type: 'a',
    isJson: false,
    metadata: Buffer.alloc(0),
    data: Buffer.alloc(0),
    stream: 's',
    revision: position - 1,
    position,
    createdMs: 1_700_000_000_000,
  });

const nextOf = (page: readonly StoredEvent[]): number => (page.at(-1)?.position ?? 0) + 1;

describe('reading ahead', () => {
  it('fetches the next page before it is asked for, and no page twice', async () => {
    const asked: number[] = [];
    const read = createReadAhead((from) => {
      asked.push(from);
      return Promise.resolve(from > 3 ? [] : [stored(from)]);
    }, nextOf);
    expect((await read(1)).map(({ position }) => position)).toEqual([1]);
    expect(asked).toEqual([1, 2]);
    expect((await read(2)).map(({ position }) => position)).toEqual([2]);
    expect(asked).toEqual([1, 2, 3]);
  });

  it('takes an early page that was empty for no answer', async () => {
    let last = 1;
    const read = createReadAhead((from) => Promise.resolve(from > last ? [] : [stored(from)]), nextOf);
    await read(1);
    last = 2;
    expect((await read(2)).map(({ position }) => position)).toEqual([2]);
  });

  it('gives the error of an early page to whoever asks for that page', async () => {
    const read = createReadAhead(
      (from) => (from === 1 ? Promise.resolve([stored(1)]) : Promise.reject(new Error('cut'))),
      nextOf,
    );
    await read(1);
    await expect(read(2)).rejects.toThrow('cut');
  });
});
