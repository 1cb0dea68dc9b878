import type { UsageRow } from '../bare-inserts';

export const users = 5_000;
export const recordBytes = 173;
const exponent = 1.1;
const duplicatesShare = 0.02;
const lateShare = 0.01;
const malformedShare = 0.001;
/** What is sent again was sent this many records before, at most: clients repeat what they have not heard of. */
const repeatedWithin = 50_000;
const perMs = 20;
const hourMs = 3_600_000;

/** The first two are there from the start; the third has a limit. */
export const unitNames = ['analytics', 'host', 'calls'] as const;
export const limitedUnit = 'calls';

export type DatasetOptions = {
  readonly seed: number;
  /** Names these records apart from those of another run on the same system. */
  readonly name: string;
  /** Epoch milliseconds of the first record; twenty are made in each millisecond. */
  readonly beginMs: number;
};

/**
 * A record as it is sent. `row` is null when no service could take it; a repetition has the row of the record that it
 * repeats.
 */
export type Sent = { readonly json: string; readonly row: UsageRow | null; readonly isRepetition: boolean };

/** Records by their number, each made of the seed and its number alone: ten million need no memory. */
export type Dataset = { readonly at: (number: number) => Sent };

/** 0 to 1, the same for the same words on every machine. */
const drawOf = (seed: number, number: number, what: number): number => {
  let mixed = (Math.imul(number + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(seed + what, 0xc2b2ae35)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4_294_967_296;
};

const kinds = { kind: 1, repeated: 2, user: 3, unit: 4, amount: 5, late: 6, id: 7 } as const;

/** Share of the users up to each rank. */
const zipf = (): Float64Array => {
  const upTo = new Float64Array(users);
  let sum = 0;
  for (let rank = 0; rank < users; rank += 1) {
    sum += 1 / (rank + 1) ** exponent;
    upTo[rank] = sum;
  }
  return upTo.map((value) => value / sum);
};
const shares = zipf();

const rankOf = (draw: number): number => {
  let low = 0;
  let high = users - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shares[middle] ?? 1) < draw) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The users by how much they use, the busiest first. */
export const userAt = (rank: number): string => `user-${String(rank).padStart(4, '0')}@example.com`;

export const userOf = (draw: number): string => userAt(rankOf(draw));

const jsonOf = (row: Omit<UsageRow, 'amount'>, amount: number | string): string =>
  JSON.stringify({ unit: row.unit, user: row.user, amount, time: row.time, source: row.source, id: row.id });

export const datasetOf = ({ seed, name, beginMs }: DatasetOptions): Dataset => {
  const draw = (number: number, what: number): number => drawOf(seed, number, what);
  const kindOf = (number: number): 'repetition' | 'malformed' | 'late' | 'plain' => {
    const value = draw(number, kinds.kind);
    if (number === 0) return 'plain';
    if (value < duplicatesShare) return 'repetition';
    if (value < duplicatesShare + malformedShare) return 'malformed';
    return value < duplicatesShare + malformedShare + lateShare ? 'late' : 'plain';
  };
  /** A record before it that was taken, which number 0 always is. */
  const repeatedBy = (number: number): number => {
    let earlier = number - 1 - Math.floor(draw(number, kinds.repeated) * Math.min(number, repeatedWithin));
    while (!['plain', 'late'].includes(kindOf(earlier))) earlier -= 1;
    return earlier;
  };
  const original = (number: number, kind: string): Sent => {
    const lateMs = kind === 'late' ? Math.floor((1 + 71 * draw(number, kinds.late)) * hourMs) : 0;
    const amount = 1 + Math.floor(draw(number, kinds.amount) * 100);
    const unpadded = {
      unit: unitNames[Math.floor(draw(number, kinds.unit) * unitNames.length)] ?? 'analytics',
      user: userOf(draw(number, kinds.user)),
      time: beginMs + Math.floor(number / perMs) - lateMs,
      source: 'pods/eu-west-1/gateway-07',
      id: `${name}-${number}-`,
    };
    const sentAmount = kind === 'malformed' ? 'many' : amount;
    const missing = recordBytes - jsonOf(unpadded, sentAmount).length;
    const digits = Math.floor(draw(number, kinds.id) * 0x7fffffff).toString(16);
    const row = { ...unpadded, id: unpadded.id + digits.padStart(Math.max(missing, 0), '0') };
    return {
      json: jsonOf(row, sentAmount),
      row: kind === 'malformed' ? null : { ...row, amount },
      isRepetition: false,
    };
  };
  return {
    at: (number) => {
      const kind = kindOf(number);
      if (kind !== 'repetition') return original(number, kind);
      const earlier = repeatedBy(number);
      return { ...original(earlier, kindOf(earlier)), isRepetition: true };
    },
  };
};

/** What must be there once records `from` to before `to` were taken, each as often as it was sent, by unit. */
export type Total = { readonly records: number; readonly amount: number };

export const totalsOf = (dataset: Dataset, from: number, to: number): ReadonlyMap<string, Total> => {
  const totals = new Map<string, Total>();
  for (let number = from; number < to; number += 1) {
    const { row, isRepetition } = dataset.at(number);
    if (row === null || isRepetition) continue;
    const before = totals.get(row.unit) ?? { records: 0, amount: 0 };
    totals.set(row.unit, { records: before.records + 1, amount: before.amount + row.amount });
  }
  return totals;
};

/** The records as bodies of so many, in their order. */
export const bodiesOf = (dataset: Dataset, count: number, perBody: number): readonly string[] =>
  Array.from({ length: Math.ceil(count / perBody) }, (_, body) => bodyOf(dataset, body, perBody, count));

export const bodyOf = (dataset: Dataset, body: number, perBody: number, count: number): string => {
  const records: string[] = [];
  for (let number = body * perBody; number < Math.min(count, (body + 1) * perBody); number += 1)
    records.push(dataset.at(number).json);
  return `[${records.join(',')}]`;
};
