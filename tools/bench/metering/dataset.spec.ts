import { bodiesOf, datasetOf, limitedUnit, recordBytes, totalsOf, userOf } from './dataset';

const options = { seed: 7, name: 'r', beginMs: Date.UTC(2026, 0, 1) };
const count = 50_000;
const all = Array.from({ length: count }, (_, number) => datasetOf(options).at(number));

it('is the same for the same seed, and another for another', () => {
  expect(datasetOf(options).at(4_711)).toEqual(datasetOf(options).at(4_711));
  expect(datasetOf({ ...options, seed: 8 }).at(4_711)).not.toEqual(datasetOf(options).at(4_711));
});

it('has records of 173 bytes, two in a hundred sent again, one late, one in a thousand that nobody can take', () => {
  expect(new Set(all.map(({ json }) => Buffer.byteLength(json)))).toEqual(new Set([recordBytes]));
  const share = (of: (sent: (typeof all)[number]) => boolean): number => all.filter(of).length / count;
  expect(share(({ isRepetition }) => isRepetition)).toBeCloseTo(0.02, 2);
  expect(share(({ row }) => row === null)).toBeCloseTo(0.001, 3);
  const lateMs = all.flatMap(({ row, isRepetition }, number) =>
    row === null || isRepetition ? [] : [options.beginMs + Math.floor(number / 20) - row.time],
  );
  const late = lateMs.filter((ms) => ms !== 0);
  expect(late.length / count).toBeCloseTo(0.01, 2);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(3_600_000);
  expect(Math.max(...late)).toBeLessThanOrEqual(72 * 3_600_000);
});

it('gives each name to one record, however often that is sent', () => {
  const rows = all.flatMap(({ row }) => (row === null ? [] : [row]));
  const texts = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
  expect(rows.every((row) => texts.get(row.id) === JSON.stringify(row))).toBe(true);
  const totals = totalsOf(datasetOf(options), 0, count);
  expect([...totals.values()].reduce((sum, { records }) => sum + records, 0)).toBe(texts.size);
  expect(totals.get(limitedUnit)?.records).toBeGreaterThan(count / 4);
});

it('has few users with much and many with little', () => {
  const first = all.filter(({ row }) => row?.user === userOf(0)).length;
  const hundredth = all.filter(({ row }) => row?.user === 'user-0099@example.com').length;
  // By rank to the power of 1.1.
  expect(first / hundredth).toBeGreaterThan(100);
  expect(first / hundredth).toBeLessThan(250);
});

it('is cut into bodies without losing the last records', () => {
  const bodies = bodiesOf(datasetOf(options), 250, 100).map((text) => JSON.parse(text) as unknown[]);
  expect(bodies.map((body) => body.length)).toEqual([100, 100, 50]);
});
