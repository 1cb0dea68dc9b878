import { type Decimal, type LocalDate, parseLocalDate, round, sum, toNumber } from '@billstream/kernel';
import type { BillingMode } from '@billstream/subscriptions-contracts';
import golden from '../golden/proration.json';
import { type ChargingPeriod, plusPeriods, wholePeriodsBetween } from './billing-period';
import { chargedPeriods, stretchDates } from './charged-periods';
import { leadingProration, prorationBetween, proratedDays, trailingProration } from './proration';

const dateOf = (text: string | null | undefined): LocalDate | null => (text ? parseLocalDate(text) : null);
const day = (text: string | null | undefined): LocalDate => {
  const date = dateOf(text);
  if (date === null) throw new RangeError(`not a date: ${String(text)}`);
  return date;
};

describe('charged periods agree with the reference engine', () => {
  it.each(golden.cycles)(
    '$id: $billingPeriod $billingMode from $start to $end on day $billCycleDay by $targetDate',
    (entry) => {
      const periods = chargedPeriods({
        start: day(entry.start),
        end: dateOf(entry.end),
        targetDate: day(entry.targetDate),
        billCycleDay: entry.billCycleDay,
        period: entry.billingPeriod as ChargingPeriod,
        mode: entry.billingMode as BillingMode,
      });
      if ('error' in entry) {
        expect(periods).toBe('invalid-date-sequence');
        return;
      }
      if (periods === 'invalid-date-sequence') throw new Error('refused');
      expect(toNumber(round(sum(periods.map(({ ratio }) => ratio)), 9))).toBe(Number(entry.cycles));
    },
  );
});

describe('dates of a stretch agree with the reference engine', () => {
  it.each(golden.intervals)(
    '$id: $billingPeriod $billingMode $inArrearMode from $start on day $billCycleDay',
    (entry) => {
      const dates = stretchDates({
        start: day(entry.start),
        end: dateOf(entry.end),
        targetDate: day(entry.targetDate ?? entry.start),
        billCycleDay: entry.billCycleDay,
        period: entry.billingPeriod as ChargingPeriod,
        mode: entry.billingMode as BillingMode,
        inArrearMode: entry.inArrearMode as 'DEFAULT' | 'GREEDY',
      });
      const expected: Partial<Record<string, string | boolean | null>> = entry.expect;
      const names: Readonly<Record<string, LocalDate | null | boolean>> = {
        firstBillingCycleDate: dates.firstBillDate,
        effectiveEndDate: dates.effectiveEnd,
        lastBillingCycleDate: dates.lastBillDate,
        nextBillingCycleDate: dates.nextBillDate,
        hasSomethingToBill: dates.effectiveEnd !== null,
      };
      for (const [name, value] of Object.entries(expected)) expect({ [name]: names[name] }).toEqual({ [name]: value });
      expect(Object.keys(expected).length).toBeGreaterThan(0);
    },
  );
});

type DateEntry = {
  readonly kind: string;
  readonly start?: string;
  readonly end?: string;
  readonly previousBillThroughDate?: string;
  readonly nextBillCycleDate?: string;
  readonly billingPeriod?: string;
  readonly prorationFixedDays?: number;
  readonly periods?: number;
  readonly wholePeriodDays?: number;
};

const answer = (entry: DateEntry): Decimal | LocalDate | number => {
  const period = (entry.billingPeriod ?? 'MONTHLY') as ChargingPeriod;
  const fixed = entry.prorationFixedDays ?? 0;
  switch (entry.kind) {
    case 'trailingProration':
      return trailingProration(day(entry.previousBillThroughDate), day(entry.end), period, fixed);
    case 'leadingProration':
      return leadingProration(day(entry.start), day(entry.nextBillCycleDate), period, fixed);
    case 'daysWithFixedMonth':
      return proratedDays(day(entry.start), day(entry.end), fixed);
    case 'wholePeriodsBetween':
      return wholePeriodsBetween(day(entry.start), day(entry.end), period);
    case 'advance':
      return plusPeriods(day(entry.start), period, entry.periods ?? 0);
    case 'recede':
      return plusPeriods(day(entry.start), period, -(entry.periods ?? 0));
    default:
      return prorationBetween(day(entry.start), day(entry.end), entry.wholePeriodDays ?? 0, fixed);
  }
};

describe('date arithmetic agrees with the reference engine', () => {
  it.each(golden.dates)('$id: $kind is $expected', (entry) => {
    const given = answer(entry);
    const { expected } = entry;
    if (typeof expected === 'string' && parseLocalDate(expected) === null) expect(Number(given)).toBe(Number(expected));
    else expect(given).toBe(expected);
  });
});
