import type { Instant } from '@billstream/kernel';
import { plansDifferFrom } from './dated-back';
import type { PlanInterval } from './metered-account';

const day = (date: number): Instant => `2024-05-${String(date).padStart(2, '0')}T00:00:00.000Z` as Instant;
const on = (planName: string, from: number, to: number | null): PlanInterval => ({
  ...{ subscriptionId: 's', planName, category: 'BASE', units: ['calls'], capacityUnits: [] },
  fromAt: day(from),
  toAt: to === null ? null : day(to),
});

it.each<readonly [string, readonly PlanInterval[], readonly PlanInterval[], Instant | null]>([
  ['nothing changes', [on('a', 1, null)], [on('a', 1, null)], null],
  ['a subscription begins', [], [on('a', 4, null)], day(4)],
  ['it is gone as if it had never been', [on('a', 4, null)], [], day(4)],
  ['it ends', [on('a', 1, null)], [on('a', 1, 9)], day(9)],
  ['its end is moved', [on('a', 1, 9)], [on('a', 1, 6)], day(6)],
  ['its end is taken back', [on('a', 1, 9)], [on('a', 1, null)], day(9)],
  ['its plan changes', [on('a', 1, null)], [on('a', 1, 5), on('b', 5, null)], day(5)],
  ['a change is dated back', [on('a', 1, 8), on('b', 8, null)], [on('a', 1, 3), on('b', 3, null)], day(3)],
  ['it began earlier', [on('a', 5, null)], [on('a', 2, null)], day(2)],
  ['another plan was meant', [on('a', 1, 5), on('b', 5, null)], [on('a', 1, 5), on('c', 5, null)], day(5)],
])('plans differ from the first instant that they say something else of: %s', (_, before, after, from) => {
  expect(plansDifferFrom(before, after)).toBe(from);
});

it('plans are the same in whichever order a database gave their fields back', () => {
  const cycle = { unit: 'MONTHS', number: 1, billCycleDay: null, alignedAt: null } as const;
  const backwards = <Fields extends object>(fields: Fields): Fields =>
    Object.fromEntries(Object.entries(fields).reverse()) as Fields;
  const given = backwards({ ...on('a', 1, null), cycle: backwards(cycle) });
  expect(plansDifferFrom([{ ...on('a', 1, null), cycle }], [given])).toBeNull();
});
