/** A store takes about a megabyte in one append; half of it leaves room for what goes along with an event. */
const bytesMax = 500_000;

/** Items in their order, cut into lists that one event can hold. */
export const inPieces = <Item>(items: readonly Item[]): readonly (readonly Item[])[] => {
  const pieces: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    const last = pieces.at(-1);
    if (last === undefined || bytes + size > bytesMax) {
      pieces.push([item]);
      bytes = size;
    } else {
      last.push(item);
      bytes += size;
    }
  }
  return pieces;
};
