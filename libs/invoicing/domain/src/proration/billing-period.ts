import { type LocalDate, daysBetween, plusDays, plusMonths } from '@billstream/kernel';
import type { BillingPeriod } from '@billstream/subscriptions-contracts';

export type ChargingPeriod = Exclude<BillingPeriod, 'NO_BILLING_PERIOD'>;
type Length = { readonly unit: 'MONTHS' | 'DAYS'; readonly count: number };

const lengths: Readonly<Record<ChargingPeriod, Length>> = {
  DAILY: { unit: 'DAYS', count: 1 },
  WEEKLY: { unit: 'DAYS', count: 7 },
  BIWEEKLY: { unit: 'DAYS', count: 14 },
  THIRTY_DAYS: { unit: 'DAYS', count: 30 },
  THIRTY_ONE_DAYS: { unit: 'DAYS', count: 31 },
  SIXTY_DAYS: { unit: 'DAYS', count: 60 },
  NINETY_DAYS: { unit: 'DAYS', count: 90 },
  MONTHLY: { unit: 'MONTHS', count: 1 },
  BIMESTRIAL: { unit: 'MONTHS', count: 2 },
  QUARTERLY: { unit: 'MONTHS', count: 3 },
  TRIANNUAL: { unit: 'MONTHS', count: 4 },
  BIANNUAL: { unit: 'MONTHS', count: 6 },
  ANNUAL: { unit: 'MONTHS', count: 12 },
  SESQUIENNIAL: { unit: 'MONTHS', count: 18 },
  BIENNIAL: { unit: 'MONTHS', count: 24 },
  TRIENNIAL: { unit: 'MONTHS', count: 36 },
};

/** Only periods of months have a bill cycle day; those of days are counted from where they start (Kill Bill 2.9, 1). */
export const hasBillCycleDay = (period: ChargingPeriod): boolean => lengths[period].unit === 'MONTHS';

/** `count` periods later; earlier when negative. Month ends clamp. */
export const plusPeriods = (date: LocalDate, period: ChargingPeriod, count: number): LocalDate => {
  const { unit, count: length } = lengths[period];
  return unit === 'MONTHS' ? plusMonths(date, length * count) : plusDays(date, length * count);
};

const monthsOf = (date: LocalDate): number => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7));

/** How many whole periods fit between two dates, start not after end. */
export const wholePeriodsBetween = (start: LocalDate, end: LocalDate, period: ChargingPeriod): number => {
  const { unit, count } = lengths[period];
  if (unit === 'DAYS') return Math.floor(daysBetween(start, end) / count);
  // The months tell the number but for the day of the month, which may make it one too many.
  const periods = Math.floor((monthsOf(end) - monthsOf(start)) / count);
  return plusPeriods(start, period, periods) <= end ? periods : periods - 1;
};
