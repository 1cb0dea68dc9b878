/** Figures with their spread: a single number from a shared machine means nothing. */
export type Samples = {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: readonly number[];
};

export type Figure = {
  readonly name: string;
  readonly unit: string;
  /** Null: it could not be measured here; the notes say why. */
  readonly measured: Samples | null;
  /** What the same work costs without us, measured in the same rounds, and our share of it (1 = as fast as the floor). */
  readonly floor?: { readonly name: string; readonly measured: Samples; readonly ratio: Samples };
  /** Least ratio, or least value where there is no floor, that the project wants. */
  readonly aim?: number;
  /** Greatest value that the project wants, of times and of faults. */
  readonly atMost?: number;
  readonly notes?: readonly string[];
};

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
};

export const samplesOf = (rounds: readonly number[]): Samples => {
  const sorted = [...rounds].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 === 1
      ? sorted[Math.floor(middle)]
      : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return { median: median ?? Number.NaN, low: sorted[0] ?? Number.NaN, high: sorted.at(-1) ?? Number.NaN, rounds };
};

export type Plan = { readonly rounds: number; readonly warmUps: number };

/** A round's result as a rate or a time; which of the two is the caller's to say. */
type Round = (round: number) => Promise<number>;

/**
 * Floor and measured take turns within each round, so that what else happens on the machine hits both alike. The ratio is
 * taken per round; its median is not the ratio of the medians.
 */
export const against = async (
  plan: Plan,
  floor: Round,
  measured: Round,
): Promise<{ readonly floor: Samples; readonly measured: Samples; readonly ratio: Samples }> => {
  const floors: number[] = [];
  const values: number[] = [];
  for (let round = -plan.warmUps; round < plan.rounds; round += 1) {
    const bare = await floor(round);
    const ours = await measured(round);
    if (round < 0) continue;
    floors.push(bare);
    values.push(ours);
  }
  return {
    floor: samplesOf(floors),
    measured: samplesOf(values),
    ratio: samplesOf(values.map((value, i) => value / (floors[i] ?? Number.NaN))),
  };
};

/** `lanes` workers take turns until `count` pieces of work are begun. Gives the seconds it took and each piece's milliseconds. */
export const inLanes = async (
  lanes: number,
  count: number,
  work: (piece: number, lane: number) => Promise<void>,
): Promise<{ readonly seconds: number; readonly millis: readonly number[] }> => {
  const millis: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (next < count) {
        const piece = next;
        next += 1;
        const begun = performance.now();
        await work(piece, lane);
        millis.push(performance.now() - begun);
      }
    }),
  );
  return { seconds: (performance.now() - started) / 1000, millis };
};

/** The same sequence for the same seed, on every machine (mulberry32); 0 to 1. */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
