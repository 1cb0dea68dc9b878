import {
  type LocalDate,
  decimal,
  formatMoney,
  multiply,
  parseCurrency,
  parseLocalDate,
  settle,
} from '@billstream/kernel';
import { type Stretch, chargedPeriods } from './charged-periods';

const day = (text: string): LocalDate => {
  const date = parseLocalDate(text);
  if (date === null) throw new RangeError(text);
  return date;
};

type Vector = Partial<Omit<Stretch, 'start' | 'end' | 'targetDate'>> & {
  readonly from: string;
  readonly to?: string;
  readonly by: string;
  readonly bcd: number;
  readonly price?: string;
  readonly currency?: string;
  readonly gives: readonly string[];
};

const vectors: Readonly<Record<string, Vector>> = {
  V1: { from: '2018-10-06', bcd: 6, by: '2018-10-06', gives: ['2018-10-06→2018-11-06 ×1 = 20.00'] },
  V2: { from: '2018-10-06', bcd: 1, by: '2018-10-06', gives: ['2018-10-06→2018-11-01 ×0.838709677 = 16.77'] },
  V3: {
    from: '2018-10-06',
    bcd: 1,
    by: '2018-11-01',
    gives: ['2018-10-06→2018-11-01 ×0.838709677 = 16.77', '2018-11-01→2018-12-01 ×1 = 20.00'],
  },
  V4: {
    from: '2011-01-31',
    bcd: 31,
    by: '2011-04-30',
    gives: [
      '2011-01-31→2011-02-28 ×1 = 20.00',
      '2011-02-28→2011-03-31 ×1 = 20.00',
      '2011-03-31→2011-04-30 ×1 = 20.00',
      '2011-04-30→2011-05-31 ×1 = 20.00',
    ],
  },
  V5: {
    from: '2012-01-31',
    bcd: 31,
    by: '2012-03-31',
    gives: ['2012-01-31→2012-02-29 ×1 = 20.00', '2012-02-29→2012-03-31 ×1 = 20.00', '2012-03-31→2012-04-30 ×1 = 20.00'],
  },
  V6: {
    from: '2011-02-14',
    bcd: 31,
    by: '2011-03-01',
    gives: ['2011-02-14→2011-02-28 ×0.451612903 = 9.03', '2011-02-28→2011-03-31 ×1 = 20.00'],
  },
  V7: {
    from: '2011-02-28',
    to: '2011-03-10',
    bcd: 31,
    by: '2011-03-10',
    gives: ['2011-02-28→2011-03-10 ×0.357142857 = 7.14'],
  },
  V8: {
    from: '2012-02-01',
    to: '2012-02-15',
    bcd: 1,
    by: '2012-02-19',
    gives: ['2012-02-01→2012-02-15 ×0.482758621 = 9.66'],
  },
  V9: {
    from: '2018-10-06',
    to: '2018-10-20',
    bcd: 6,
    by: '2018-10-20',
    price: '30000',
    currency: 'KRW',
    gives: ['2018-10-06→2018-10-20 ×0.451612903 = 13548'],
  },
  V10: {
    from: '2018-10-01',
    to: '2018-10-20',
    bcd: 25,
    by: '2018-10-20',
    price: '30000',
    currency: 'KRW',
    gives: ['2018-10-01→2018-10-20 ×0.633333333 = 19000'],
  },
  V11: {
    from: '2011-02-10',
    to: '2011-02-24',
    bcd: 10,
    by: '2011-02-24',
    period: 'QUARTERLY',
    price: '60',
    gives: ['2011-02-10→2011-02-24 ×0.157303371 = 9.44'],
  },
  V12: {
    from: '2012-02-29',
    bcd: 29,
    by: '2014-03-01',
    period: 'ANNUAL',
    price: '365',
    gives: [
      '2012-02-29→2013-02-28 ×1 = 365.00',
      '2013-02-28→2014-02-28 ×1 = 365.00',
      '2014-02-28→2015-02-28 ×1 = 365.00',
    ],
  },
  V13: { from: '2018-10-06', bcd: 6, by: '2018-11-06', mode: 'IN_ARREAR', gives: ['2018-10-06→2018-11-06 ×1 = 20.00'] },
  V14: { from: '2018-10-06', bcd: 6, by: '2018-11-05', mode: 'IN_ARREAR', gives: [] },
  V15: {
    from: '2018-10-06',
    to: '2018-10-20',
    bcd: 6,
    by: '2018-10-20',
    mode: 'IN_ARREAR',
    gives: ['2018-10-06→2018-10-20 ×0.451612903 = 9.03'],
  },
  V16: {
    from: '2018-10-06',
    to: '2018-10-20',
    bcd: 1,
    by: '2018-10-20',
    mode: 'IN_ARREAR',
    gives: ['2018-10-06→2018-10-20 ×0.466666667 = 9.33'],
  },
  V17: {
    from: '2018-01-31',
    bcd: 15,
    by: '2018-02-20',
    period: 'THIRTY_DAYS',
    gives: ['2018-01-31→2018-03-02 ×1 = 20.00'],
  },
  V18: { from: '2018-10-06', to: '2018-10-06', bcd: 6, by: '2018-10-06', gives: [] },
  V19: {
    from: '2016-02-20',
    bcd: 31,
    by: '2017-03-01',
    period: 'ANNUAL',
    price: '365',
    gives: [
      '2016-02-20→2016-02-29 ×0.024590164 = 8.98',
      '2016-02-29→2017-02-28 ×1 = 365.00',
      '2017-02-28→2018-02-28 ×1 = 365.00',
    ],
  },
  V20: {
    from: '2018-03-20',
    to: '2018-03-31',
    bcd: 5,
    by: '2018-03-31',
    price: '31',
    gives: ['2018-03-20→2018-03-31 ×0.35483871 = 11.00'],
  },
  V21: {
    from: '2018-03-05',
    to: '2018-03-10',
    bcd: 1,
    by: '2018-03-10',
    price: '31',
    gives: ['2018-03-05→2018-03-10 ×0.178571429 = 5.54'],
  },
  V22: {
    from: '2018-10-20',
    bcd: 6,
    by: '2018-10-20',
    period: 'ANNUAL',
    price: '365',
    gives: ['2018-10-20→2019-10-06 ×0.961643836 = 351.00'],
  },
  V23: {
    from: '2018-10-03',
    bcd: 6,
    by: '2018-10-06',
    period: 'ANNUAL',
    price: '365',
    gives: ['2018-10-03→2018-10-06 ×0.008219178 = 3.00', '2018-10-06→2019-10-06 ×1 = 365.00'],
  },
  V24: {
    from: '2011-02-24',
    bcd: 10,
    by: '2011-03-06',
    period: 'QUARTERLY',
    price: '60',
    gives: ['2011-02-24→2011-05-10 ×0.842696629 = 50.56'],
  },
};

describe('charged periods', () => {
  it.each(Object.entries(vectors))('give what the published vector %s says', (_name, vector) => {
    const {
      from,
      to,
      by,
      bcd,
      price = '20',
      currency = 'USD',
      gives,
      period = 'MONTHLY',
      mode = 'IN_ADVANCE',
    } = vector;
    const periods = chargedPeriods({
      start: day(from),
      end: to === undefined ? null : day(to),
      targetDate: day(by),
      billCycleDay: bcd,
      period,
      mode,
    });
    const known = parseCurrency(currency);
    if (periods === 'invalid-date-sequence' || known === null) throw new Error('refused');
    expect(
      periods.map(
        ({ start, end, ratio }) =>
          `${start}→${end} ×${ratio} = ${formatMoney(settle(multiply(ratio, decimal(price)), known))}`,
      ),
    ).toEqual(gives);
  });
});

describe('parts of a period that count no day, months having fixed days', () => {
  const charged = (from: string, to: string | null, by: string, billCycleDay: number): readonly string[] => {
    const end = to === null ? null : day(to);
    const stretch = { start: day(from), end, targetDate: day(by), billCycleDay, fixedDays: 30 };
    const periods = chargedPeriods({ ...stretch, period: 'MONTHLY', mode: 'IN_ADVANCE' });
    if (periods === 'invalid-date-sequence') throw new Error('refused');
    return periods.map(({ start, end: until, ratio }) => `${start}→${until} ×${ratio}`);
  };

  it('are no period at the end: the 31st of January to the 1st of February', () => {
    expect(charged('2020-01-18', '2020-02-01', '2020-02-01', 31)).toEqual(['2020-01-18→2020-01-31 ×0.433333333']);
  });

  it('belong to the whole period after them at the beginning', () => {
    expect(charged('2020-01-31', null, '2020-02-01', 1)).toEqual(['2020-01-31→2020-03-01 ×1']);
  });
});
