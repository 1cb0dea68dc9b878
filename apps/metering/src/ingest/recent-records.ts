/** Ids of records that are known to be durable, by scope (tenant and source), as many as fit; forgetting one costs nothing but an earlier answer. */
export type RecentRecords = {
  has(scope: string, id: string): boolean;
  add(scope: string, id: string): void;
};

/** Two generations: when the younger is full the older is dropped, which is cheaper than moving each entry on each look. */
export const recentRecords = (sizeMax = 200_000): RecentRecords => {
  let young = new Map<string, Set<string>>();
  let old = new Map<string, Set<string>>();
  let size = 0;
  return {
    has: (scope, id) => (young.get(scope)?.has(id) ?? false) || (old.get(scope)?.has(id) ?? false),
    add: (scope, id) => {
      if (size * 2 >= sizeMax) {
        old = young;
        young = new Map();
        size = 0;
      }
      size += 1;
      const ids = young.get(scope);
      if (ids) ids.add(id);
      else young.set(scope, new Set([id]));
    },
  };
};
