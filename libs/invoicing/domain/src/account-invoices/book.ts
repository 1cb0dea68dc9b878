/**
 * Values by name, as plain data that a snapshot can hold. A change makes a new book and leaves the old one as it was; as
 * what was written last lies apart and is joined to the rest now and then, it costs the same however much there is.
 */
export type Book<Value> = {
  readonly size: number;
  readonly settled: Readonly<Record<string, Value>>;
  /** What was added or changed since the two were joined; it stands for what `settled` has under the same name. */
  readonly recent: Readonly<Record<string, Value>>;
  readonly recentSize: number;
};

export const emptyBook = { size: 0, settled: {}, recent: {}, recentSize: 0 };

const recentMax = 64;

export const entryOf = <Value>({ recent, settled }: Book<Value>, name: string): Value | undefined =>
  recent[name] ?? settled[name];

export const withEntry = <Value>(book: Book<Value>, name: string, value: Value): Book<Value> => {
  const { settled } = book;
  const size = entryOf(book, name) === undefined ? book.size + 1 : book.size;
  const recentSize = book.recent[name] === undefined ? book.recentSize + 1 : book.recentSize;
  const recent = { ...book.recent, [name]: value };
  return recentSize < recentMax
    ? { size, settled, recent, recentSize }
    : { size, settled: { ...settled, ...recent }, recent: {}, recentSize: 0 };
};

/** In the order in which the names came. Walks through everything: not for what each run does. */
export const entriesOf = <Value>({ settled, recent }: Book<Value>): readonly (readonly [string, Value])[] =>
  Object.entries({ ...settled, ...recent });

export const namesIn = <Value>(book: Book<Value>): readonly string[] => entriesOf(book).map(([name]) => name);
export const valuesIn = <Value>(book: Book<Value>): readonly Value[] => entriesOf(book).map(([, value]) => value);

/** A few values by name without one of them. */
export const withoutName = <Value>(
  few: Readonly<Record<string, Value>>,
  name: string,
): Readonly<Record<string, Value>> =>
  few[name] === undefined ? few : Object.fromEntries(Object.entries(few).filter(([other]) => other !== name));
