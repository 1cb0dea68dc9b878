/**
 * A list that grows for years, as plain data that a snapshot can hold. It lies in sheets of a few entries, so that adding
 * or changing one leaves the list as it was and costs the same however much there is.
 */
export type Sheets<Value> = readonly (readonly Value[])[];

const sheetLength = 64;

/** The list with more at its end. */
export const withAdded = <Value>(sheets: Sheets<Value>, values: readonly Value[]): Sheets<Value> => {
  if (values.length === 0) return sheets;
  const last = sheets.at(-1) ?? [];
  const isFull = last.length >= sheetLength;
  const open = isFull ? values : [...last, ...values];
  const kept = isFull ? sheets : sheets.slice(0, -1);
  const added: (readonly Value[])[] = [];
  for (let from = 0; from < open.length; from += sheetLength) added.push(open.slice(from, from + sheetLength));
  return [...kept, ...added];
};

/** The list with some sheets made anew, those without entries left out; who gives back the same sheet leaves it. */
export const withSheets = <Value>(
  sheets: Sheets<Value>,
  change: (sheet: readonly Value[]) => readonly Value[],
): Sheets<Value> => {
  const after = sheets.map(change);
  return after.every((sheet, index) => sheet === sheets[index]) ? sheets : after.filter(({ length }) => length > 0);
};

/** Lists never change, so what was looked up of one holds as long as there is the list. */
const flattened = new WeakMap<Sheets<unknown>, readonly unknown[]>();

/** All entries, the oldest first. A run asks for them several times: they are joined once, into the same array. */
export const entriesIn = <Value>(sheets: Sheets<Value>): readonly Value[] => {
  const known = flattened.get(sheets) as readonly Value[] | undefined;
  const none: readonly Value[] = [];
  const entries = known ?? none.concat(...sheets);
  if (known === undefined) flattened.set(sheets, entries);
  return entries;
};
