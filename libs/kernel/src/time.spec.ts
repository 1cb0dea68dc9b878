import fc from 'fast-check';
import {
  type AccountTime,
  type Instant,
  type LocalDate,
  daysBetween,
  instantOf,
  instantOfMs,
  isTimeZone,
  localDateOf,
  parseInstant,
  parseLocalDate,
  plusDays,
  plusDuration,
  startOfDay,
  withDayOfMonth,
} from './index';

const date = (text: string): LocalDate => text as LocalDate;
const at = (text: string): Instant => text as Instant;

describe('instants', () => {
  it.each([
    ['2018-10-06T10:01:20Z', '2018-10-06T10:01:20.000Z'],
    ['2018-10-06T10:01', '2018-10-06T10:01:00.000Z'],
    ['2018-10-06T10:01:20.123456+0900', '2018-10-06T01:01:20.123Z'],
    ['2018-10-06T23:30:00-01:00', '2018-10-07T00:30:00.000Z'],
  ])('%s is read as %s', (text, expected) => expect(parseInstant(text)).toBe(expected));

  it.each(['2018-10-06', '2018-02-30T00:00:00Z', '2018-13-01T00:00:00Z', 'yesterday', '2018-10-06T25:00:00Z', ''])(
    '%s is refused',
    (text) => expect(parseInstant(text)).toBeNull(),
  );
});

describe('local dates', () => {
  it.each(['2018-02-30', '2018-2-3', '20180203', '2018-02-03T00:00', ''])('%s is refused', (text) =>
    expect(parseLocalDate(text)).toBeNull(),
  );
  it('clamp at month ends', () => {
    expect(plusDuration(date('2012-01-31'), 'MONTHS', 1)).toBe('2012-02-29');
    expect(plusDuration(date('2012-02-29'), 'YEARS', 1)).toBe('2013-02-28');
    expect(withDayOfMonth(date('2011-02-03'), 31)).toBe('2011-02-28');
    expect(plusDuration(date('2018-10-06'), 'WEEKS', 2)).toBe('2018-10-20');
  });
  it('count days half open, and adding them back arrives', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20000 }), fc.integer({ min: -4000, max: 4000 }), (start, days) => {
        const from = instantOfMs(start * 86_400_000).slice(0, 10) as LocalDate;
        expect(daysBetween(from, plusDays(from, days))).toBe(days === 0 ? 0 : days);
      }),
    );
  });
});

describe('account time', () => {
  const summer: AccountTime = { timeZone: 'America/New_York', referenceTime: at('2018-07-01T13:05:07.890Z') };

  it('keeps the offset of its reference time in winter too', () => {
    expect(localDateOf(at('2018-12-01T03:59:59.000Z'), summer)).toBe('2018-11-30');
    expect(localDateOf(at('2018-12-01T04:00:00.000Z'), summer)).toBe('2018-12-01');
  });
  it('turns a day into the reference time of day, whole seconds', () => {
    expect(instantOf(date('2018-12-01'), summer)).toBe('2018-12-01T13:05:07.000Z');
  });
  it('comes back to the same day', () => {
    const zones = fc.constantFrom('UTC', 'Asia/Seoul', 'America/New_York', 'Pacific/Apia', '+05:30');
    fc.assert(
      fc.property(
        zones,
        fc.integer({ min: 0, max: 2e12 }),
        fc.integer({ min: 0, max: 20000 }),
        (timeZone, reference, day) => {
          const account = { timeZone, referenceTime: instantOfMs(reference) };
          const local = instantOfMs(day * 86_400_000).slice(0, 10) as LocalDate;
          expect(localDateOf(instantOf(local, account), account)).toBe(local);
        },
      ),
    );
  });
  it('follows daylight saving where metering needs real days', () => {
    expect(startOfDay(date('2024-03-31'), 'Europe/Berlin')).toBe('2024-03-30T23:00:00.000Z');
    expect(startOfDay(date('2024-04-01'), 'Europe/Berlin')).toBe('2024-03-31T22:00:00.000Z');
  });
  it('knows a time zone when it sees one', () => {
    expect(isTimeZone('Asia/Seoul')).toBe(true);
    expect(isTimeZone('+09:00')).toBe(true);
    expect(isTimeZone('Mars/Olympus')).toBe(false);
  });
});
