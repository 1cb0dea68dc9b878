import type { Instant } from '@billstream/kernel';
import { type BillingCycle, type CycleFacts, calendarMonths, cycleAround } from './billing-cycle';

const facts = (cycle: Partial<BillingCycle>, more: Partial<CycleFacts> = {}): CycleFacts => ({
  cycle: { unit: 'MONTHS', number: 1, billCycleDay: null, alignedAt: null, ...cycle },
  startedAt: '2024-01-10T12:00:00.000Z' as Instant,
  accountCycleDay: 0,
  timeZone: 'UTC',
  ...more,
});
const around = (at: string, given: CycleFacts): string => {
  const { from, to } = cycleAround(`${at}T00:00:00.000Z` as Instant, given);
  return `${from.slice(0, 16)} ${to.slice(0, 16)}`;
};

describe('the cycle of a subscription', () => {
  it.each([
    ['its own bill cycle day', { billCycleDay: 15 }, {}, '2024-03-20', '2024-03-15T00:00 2024-04-15T00:00'],
    ['the day before it', { billCycleDay: 15 }, {}, '2024-03-14', '2024-02-15T00:00 2024-03-15T00:00'],
    ['the account’s day', {}, { accountCycleDay: 5 }, '2024-03-05', '2024-03-05T00:00 2024-04-05T00:00'],
    ['the day it began, where there is none', {}, {}, '2024-03-09', '2024-02-10T00:00 2024-03-10T00:00'],
    ['the end of a short month', { billCycleDay: 31 }, {}, '2024-02-29', '2024-02-29T00:00 2024-03-31T00:00'],
    ['the next long month', { billCycleDay: 31 }, {}, '2024-03-31', '2024-03-31T00:00 2024-04-30T00:00'],
    ['a quarter', { number: 3, billCycleDay: 1 }, {}, '2024-05-10', '2024-04-01T00:00 2024-07-01T00:00'],
    ['thirty days', { unit: 'DAYS' as const, number: 30 }, {}, '2024-03-09', '2024-02-09T00:00 2024-03-10T00:00'],
    [
      'an alignment in the account’s zone',
      { alignedAt: '2024-01-14T20:00:00.000Z' as Instant },
      { timeZone: 'Asia/Seoul' },
      '2024-03-20',
      '2024-03-14T15:00 2024-04-14T15:00',
    ],
  ])('goes by %s', (_, cycle, more, at, expected) => {
    expect(around(at, facts(cycle, more))).toBe(expected);
  });
  it('of nobody is the calendar month', () => {
    expect(around('2024-02-29', calendarMonths('UTC'))).toBe('2024-02-01T00:00 2024-03-01T00:00');
  });
});
