/** Seeded draws: the same seed gives the same run, as far as the plan of the day and the plan of the faults go. */
export type Random = {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(of: readonly T[]): T;
  shuffled<T>(of: readonly T[]): readonly T[];
  /** A generator of its own, so that one more draw here does not change what is drawn there. */
  fork(name: string): Random;
};

/** FNV-1a, 32 bits. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

export const randomOf = (seed: string): Random => {
  let state = hashOf(seed);
  // Mulberry32: one word of state, good enough for choosing victims and amounts.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  const pick = <T>(of: readonly T[]): T => {
    const one = of[int(0, of.length - 1)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  };
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick,
    shuffled: (of) => {
      const result = [...of];
      for (let i = result.length - 1; i > 0; i -= 1) {
        const j = int(0, i);
        [result[i], result[j]] = [result[j]!, result[i]!];
      }
      return result;
    },
    fork: (name) => randomOf(`${seed}/${name}`),
  };
};
