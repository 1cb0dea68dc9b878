import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import {
  type AccountTime,
  type LocalDate,
  dayOfMonth,
  daysBetween,
  daysInMonth,
  instantOfMs,
  localDateOf,
  plusDays,
  plusMonths,
  withDayOfMonth,
} from './index';

/** Any day of four digits that leaves room for what is added to it; leap years and century ends among them. */
const dates = fc
  .tuple(fc.integer({ min: 1000, max: 8999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 31 }))
  .map(([year, month, day]) => Temporal.PlainDate.from({ year, month, day }, { overflow: 'constrain' }));
const textOf = (date: Temporal.PlainDate): LocalDate => date.toString() as LocalDate;

describe('calendar arithmetic agrees with Temporal', () => {
  it('when days are added', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: -300_000, max: 300_000 }), (date, days) =>
        expect(plusDays(textOf(date), days)).toBe(date.add({ days }).toString()),
      ),
      { numRuns: 2_000 },
    );
  });
  it('when months are added', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: -9_000, max: 9_000 }), (date, months) =>
        expect(plusMonths(textOf(date), months)).toBe(date.add({ months }).toString()),
      ),
      { numRuns: 2_000 },
    );
  });
  it('when days are counted', () => {
    fc.assert(
      fc.property(dates, dates, (start, end) =>
        expect(daysBetween(textOf(start), textOf(end))).toBe(start.until(end, { largestUnit: 'days' }).days),
      ),
      { numRuns: 2_000 },
    );
  });
  it('when a day of the month is chosen', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: 1, max: 40 }), (date, day) => {
        expect(daysInMonth(textOf(date))).toBe(date.daysInMonth);
        expect(dayOfMonth(textOf(date))).toBe(date.day);
        expect(withDayOfMonth(textOf(date), day)).toBe(date.with({ day: Math.min(day, date.daysInMonth) }).toString());
      }),
    );
  });
  it('on every day from 1996 to 2013', () => {
    let date = '1996-01-01' as LocalDate;
    for (
      let expected = Temporal.PlainDate.from('1996-01-01');
      expected.year < 2014;
      expected = expected.add({ days: 1 })
    ) {
      if (date !== expected.toString()) throw new Error(`${date} instead of ${expected.toString()}`);
      date = plusDays(date, 1);
    }
    expect(date).toBe('2014-01-01');
  });
  it('when an instant becomes a day at an offset', () => {
    const zones = fc.constantFrom('UTC', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia', '-03:30');
    const account = fc.record({ timeZone: zones, referenceTime: fc.integer({ min: 0, max: 2e12 }).map(instantOfMs) });
    const expected = ({ timeZone, referenceTime }: AccountTime, ms: number): string => {
      const { offset } = Temporal.Instant.from(referenceTime).toZonedDateTimeISO(timeZone);
      return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(offset).toPlainDate().toString();
    };
    fc.assert(
      fc.property(account, account, fc.integer({ min: 0, max: 2e12 }), (one, other, ms) => {
        // By turns, because the offset of the last account is remembered.
        for (const time of [one, other, one]) expect(localDateOf(instantOfMs(ms), time)).toBe(expected(time, ms));
      }),
    );
  });
  it('and a day that no month has is refused', () => {
    expect(() => withDayOfMonth('2024-02-10' as LocalDate, 0)).toThrow(RangeError);
    expect(() => plusDays('9999-12-31' as LocalDate, 1)).toThrow(RangeError);
  });
});
