/** Names of records that are known to be durable, as many as fit; forgetting one costs nothing but an earlier answer. */
export type RecentRecords = {
  has(name: string): boolean;
  add(name: string): void;
};

/** Two generations: when the younger is full the older is dropped, which is cheaper than moving each entry on each look. */
export const recentRecords = (sizeMax = 200_000): RecentRecords => {
  let young = new Set<string>();
  let old = new Set<string>();
  return {
    has: (name) => young.has(name) || old.has(name),
    add: (name) => {
      if (young.size * 2 >= sizeMax) {
        old = young;
        young = new Set();
      }
      young.add(name);
    },
  };
};
