/** Where in the log each user's usage was written last by this process. */
export type OwnWrites = {
  note(name: string, position: bigint): void;
  /** Null: nothing of it was written, as far as is known. Later than the last write when the name was forgotten. */
  last(name: string): bigint | null;
};

/**
 * As many names as fit, in two generations. Of those that were forgotten the latest position is kept for all of them: who
 * waits for it waits for its own write too.
 */
export const ownWrites = (sizeMax = 20_000): OwnWrites => {
  let young = new Map<string, bigint>();
  let old = new Map<string, bigint>();
  let forgotten: bigint | null = null;
  return {
    note: (name, position) => {
      if (young.size * 2 >= sizeMax && !young.has(name)) {
        for (const one of old.values()) if (forgotten === null || one > forgotten) forgotten = one;
        old = young;
        young = new Map();
      }
      young.set(name, position);
    },
    last: (name) => young.get(name) ?? old.get(name) ?? forgotten,
  };
};
