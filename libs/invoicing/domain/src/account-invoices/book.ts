/** A value by its name, and how many names came before it. */
type Entry<Value> = readonly [name: string, number: number, value: Value];

/**
 * Values by name, as plain data that a snapshot can hold. A change makes a new book and leaves the old one as it was; as
 * it copies only the page that the name is on, and pages stay short, it costs the same however much there is.
 */
export type Book<Value> = {
  readonly size: number;
  /** As many as a power of two; a name's page is told by its hash. */
  readonly pages: readonly (readonly Entry<Value>[])[];
};

export const emptyBook = { size: 0, pages: [[]] };

/** Names on a page, on average, before there are twice as many pages. */
const pageLength = 32;

/** FNV-1a: names are ids, but a client may have chosen some of them. */
const hashOf = (name: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash >>> 0;
};

const pageOf = (name: string, pages: number): number => hashOf(name) & (pages - 1);

export const entryOf = <Value>({ pages }: Book<Value>, name: string): Value | undefined =>
  pages[pageOf(name, pages.length)]?.find(([one]) => one === name)?.[2];

const withTwicePages = <Value>(pages: Book<Value>['pages']): Book<Value>['pages'] => {
  const after = Array.from({ length: pages.length * 2 }, (): Entry<Value>[] => []);
  for (const page of pages) for (const entry of page) after[pageOf(entry[0], after.length)]?.push(entry);
  return after;
};

export const withEntry = <Value>({ size, pages }: Book<Value>, name: string, value: Value): Book<Value> => {
  const index = pageOf(name, pages.length);
  const page = pages[index] ?? [];
  const at = page.findIndex(([one]) => one === name);
  const before = page[at];
  const entry: Entry<Value> = [name, before === undefined ? size : before[1], value];
  const after = pages.with(index, before === undefined ? [...page, entry] : page.with(at, entry));
  if (before !== undefined) return { size, pages: after };
  return { size: size + 1, pages: size < pages.length * pageLength ? after : withTwicePages(after) };
};

/** In the order in which the names came. Walks through everything: not for what each run does. */
export const entriesOf = <Value>({ pages }: Book<Value>): readonly (readonly [string, Value])[] => {
  const none: readonly Entry<Value>[] = [];
  return none
    .concat(...pages)
    .sort((a, b) => a[1] - b[1])
    .map(([name, , value]) => [name, value]);
};

export const namesIn = <Value>(book: Book<Value>): readonly string[] => entriesOf(book).map(([name]) => name);
export const valuesIn = <Value>(book: Book<Value>): readonly Value[] => entriesOf(book).map(([, value]) => value);

/** A few values by name without one of them. */
export const withoutName = <Value>(
  few: Readonly<Record<string, Value>>,
  name: string,
): Readonly<Record<string, Value>> => {
  if (few[name] === undefined) return few;
  const left: Record<string, Value> = {};
  for (const other of Object.keys(few)) {
    const value = few[other];
    if (other !== name && value !== undefined) left[other] = value;
  }
  return left;
};
