import fc from 'fast-check';
import { type Book, emptyBook, entriesOf, entryOf, withEntry } from './book';

describe('a book', () => {
  it('holds what a plain object would, in its order, however many pages it has', () => {
    const writes = fc.array(fc.tuple(fc.integer({ min: 0, max: 199 }), fc.integer()), { maxLength: 1_000 });
    fc.assert(
      fc.property(writes, (all) => {
        const plain: Record<string, number> = {};
        const book = all.reduce<Book<number>>((so, [number, value]) => {
          plain[`invoice-${number}`] = value;
          return withEntry(so, `invoice-${number}`, value);
        }, emptyBook);
        expect(entriesOf(book)).toEqual(Object.entries(plain));
        expect(book.size).toBe(Object.keys(plain).length);
        for (const [name, value] of Object.entries(plain)) expect(entryOf(book, name)).toBe(value);
        expect(entryOf(book, 'invoice-200')).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('leaves the book that was changed as it was', () => {
    const numbers = Array.from({ length: 70 }, (_, n) => n);
    const before = numbers.reduce<Book<number>>((so, n) => withEntry(so, String(n), n), emptyBook);
    const text = JSON.stringify(before);
    numbers.reduce((so, n) => withEntry(so, String(n), -n), before);
    expect(JSON.stringify(before)).toBe(text);
  });
});
