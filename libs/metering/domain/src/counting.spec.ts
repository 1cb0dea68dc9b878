import { type Instant, decimal, instantOfMs, epochMs } from '@billstream/kernel';
import { type CountingMethod, type Quarter, type Rule, count, defaultRule } from './index';

const quarterMs = 900_000;
/** Samples as they come, put into quarters as the read model does. */
const quarters = (...samples: readonly (readonly [string, number])[]): readonly Quarter[] => {
  const found = new Map<number, { sum: number; count: number; max: number }>();
  for (const [time, amount] of samples) {
    const at = Math.floor(epochMs(`2024-05-01T${time}:00.000Z` as Instant) / quarterMs) * quarterMs;
    const before = found.get(at) ?? { sum: 0, count: 0, max: -Infinity };
    found.set(at, { sum: before.sum + amount, count: before.count + 1, max: Math.max(before.max, amount) });
  }
  return [...found].map(([at, { sum, count: n, max }]) => ({
    at: instantOfMs(at),
    sum: decimal(sum),
    count: n,
    max: decimal(max),
  }));
};
const sixHours = {
  fromAt: '2024-05-01T00:00:00.000Z' as Instant,
  toAt: '2024-05-01T06:00:00.000Z' as Instant,
  timeZone: 'UTC',
};
const gauge = quarters(['00:10', 10], ['00:40', 20], ['01:15', 30], ['03:05', 7]);
const ruled = (method: CountingMethod, terms: Partial<Rule>): Rule => ({ ...defaultRule(method), ...terms });

describe('counting a gauge over six hours', () => {
  const filled = { putEmptyPeriod: true } as const;
  it.each<[CountingMethod, Partial<Rule>, readonly (string | null)[], string, string]>([
    ['AVG', {}, ['15', '30', null, '7'], '52', '9'],
    ['AVG', filled, ['15', '30', '18.5', '7'], '70.5', '12'],
    ['AVG', { ...filled, gapPolicy: 'PREVIOUS' }, ['15', '30', '30', '7'], '82', '14'],
    ['PEAK', {}, ['20', '30', null, '7'], '57', '30'],
    ['PEAK', filled, ['20', '30', '18.5', '7'], '75.5', '30'],
    ['PEAK', { ...filled, gapPolicy: 'PREVIOUS' }, ['20', '30', '30', '7'], '87', '30'],
  ])('%s with %j has hours %j, by hour %s, by day rounded up %s', (method, terms, hours, byHour, byDay) => {
    const hourly = count(gauge, { method, rule: ruled(method, terms), range: sixHours });
    const found = new Map(hourly.hours.map(({ at, value }) => [Number(at.slice(11, 13)), value]));
    expect([0, 1, 2, 3, 4, 5].map((hour) => found.get(hour) ?? null)).toEqual([...hours, null, null]);
    expect(hourly.total).toBe(byHour);
    expect(hourly.syntheticHours).toBe(terms.putEmptyPeriod ? 1 : 0);
    const daily = count(gauge, {
      method,
      rule: ruled(method, { ...terms, periodSplitting: 'DAY', rounding: 'CEIL' }),
      range: sixHours,
    });
    expect(daily.total).toBe(byDay);
  });

  it('leaves a gap longer than the rule allows empty and says so', () => {
    const counted = count(gauge, {
      method: 'AVG',
      rule: ruled('AVG', { putEmptyPeriod: true, maxGapHours: 0 }),
      range: sixHours,
    });
    expect(counted).toMatchObject({ total: '52', gapsTooLong: 1, syntheticHours: 0 });
  });

  it('keeps an exact mean: three samples of 1, 1 and 2 are 4/3 an hour, and three such hours are 4', () => {
    const samples = ['00', '01', '02'].flatMap((h): [string, number][] => [
      [`${h}:00`, 1],
      [`${h}:20`, 1],
      [`${h}:40`, 2],
    ]);
    expect(count(quarters(...samples), { method: 'AVG', rule: defaultRule('AVG'), range: sixHours }).total).toBe('4');
  });

  it('counts a sample of zero', () => {
    expect(
      count(quarters(['00:00', 0], ['00:30', 10]), { method: 'AVG', rule: defaultRule('AVG'), range: sixHours }).total,
    ).toBe('5');
  });
});

describe('free amounts', () => {
  const day = {
    fromAt: '2024-05-01T00:00:00.000Z' as Instant,
    toAt: '2024-05-01T02:00:00.000Z' as Instant,
    timeZone: 'UTC',
  };
  const fifty = decimal(50);
  it.each<[string, CountingMethod, Partial<Rule>, readonly number[], string, string, string]>([
    ['SUM by the hour', 'SUM', { freeAmount: fifty, freePeriod: 'HOUR' }, [100, 40], '140', '90', '50'],
    ['SUM by the day', 'SUM', { freeAmount: fifty, freePeriod: 'DAY' }, [100, 40], '140', '50', '90'],
    ['AVG by the hour', 'AVG', { freeAmount: fifty, freePeriod: 'HOUR' }, [60, 40, 10], '110', '100', '10'],
    [
      'AVG by the day',
      'AVG',
      { periodSplitting: 'DAY', freeAmount: fifty, freePeriod: 'DAY' },
      [100, 40],
      '70',
      '50',
      '20',
    ],
    [
      'PEAK by the day',
      'PEAK',
      { periodSplitting: 'DAY', freeAmount: fifty, freePeriod: 'DAY' },
      [100, 40],
      '100',
      '50',
      '50',
    ],
  ])('%s', (_, method, terms, hours, usage, free, total) => {
    const samples = hours.map((amount, hour): [string, number] => [`0${hour}:00`, amount]);
    expect(count(quarters(...samples), { method, rule: ruled(method, terms), range: day })).toMatchObject({
      usage,
      free,
      total,
    });
  });
});

describe('days', () => {
  it('follow the zone: 25 hours when summer time ends', () => {
    const range = {
      fromAt: '2024-10-26T22:00:00.000Z' as Instant,
      toAt: '2024-10-27T23:00:00.000Z' as Instant,
      timeZone: 'Europe/Berlin',
    };
    const one = (at: string): Quarter => ({ at: at as Instant, sum: decimal(25), count: 1, max: decimal(25) });
    const rule = ruled('AVG', { periodSplitting: 'DAY' });
    expect(count([one('2024-10-26T22:00:00.000Z')], { method: 'AVG', rule, range }).days).toEqual([
      { date: '2024-10-27', usage: '1', free: '0', total: '1' },
    ]);
    // Both hours that the clock calls 02:00 count apart.
    const twice = count([one('2024-10-27T00:15:00.000Z'), one('2024-10-27T01:15:00.000Z')], {
      method: 'AVG',
      rule: defaultRule('AVG'),
      range,
    });
    expect(twice.hours).toHaveLength(2);
  });
  it('and hours begin at half past in a half-hour zone', () => {
    const range = {
      fromAt: '2024-05-01T00:00:00.000Z' as Instant,
      toAt: '2024-05-02T00:00:00.000Z' as Instant,
      timeZone: 'Asia/Kolkata',
    };
    const counted = count(quarters(['10:15', 4], ['10:45', 8]), { method: 'AVG', rule: defaultRule('AVG'), range });
    expect(counted.hours.map(({ at, value }) => [at, value])).toEqual([
      ['2024-05-01T09:30:00.000Z', '4'],
      ['2024-05-01T10:30:00.000Z', '8'],
    ]);
  });
});
