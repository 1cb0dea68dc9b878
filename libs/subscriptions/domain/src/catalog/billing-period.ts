import type { DurationUnit } from '@billstream/kernel';
import type { BillingPeriod } from '@billstream/subscriptions-contracts';

/** How long each period is (Kill Bill's BillingPeriod); null has no length and bills nothing recurring. */
export const billingPeriodLength: Readonly<
  Record<BillingPeriod, { readonly unit: DurationUnit; readonly number: number } | null>
> = {
  DAILY: { unit: 'DAYS', number: 1 },
  WEEKLY: { unit: 'DAYS', number: 7 },
  BIWEEKLY: { unit: 'DAYS', number: 14 },
  THIRTY_DAYS: { unit: 'DAYS', number: 30 },
  THIRTY_ONE_DAYS: { unit: 'DAYS', number: 31 },
  SIXTY_DAYS: { unit: 'DAYS', number: 60 },
  NINETY_DAYS: { unit: 'DAYS', number: 90 },
  MONTHLY: { unit: 'MONTHS', number: 1 },
  BIMESTRIAL: { unit: 'MONTHS', number: 2 },
  QUARTERLY: { unit: 'MONTHS', number: 3 },
  TRIANNUAL: { unit: 'MONTHS', number: 4 },
  BIANNUAL: { unit: 'MONTHS', number: 6 },
  ANNUAL: { unit: 'MONTHS', number: 12 },
  SESQUIENNIAL: { unit: 'MONTHS', number: 18 },
  BIENNIAL: { unit: 'MONTHS', number: 24 },
  TRIENNIAL: { unit: 'MONTHS', number: 36 },
  NO_BILLING_PERIOD: null,
};

export const billingPeriods = Object.keys(billingPeriodLength) as readonly BillingPeriod[];

const byName = new Map<string, BillingPeriod>(billingPeriods.map((period) => [period, period]));

export const parseBillingPeriod = (text: string): BillingPeriod | null => byName.get(text) ?? null;
