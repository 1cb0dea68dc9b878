import {
  type Decimal,
  type LocalDate,
  decimal,
  isNegative,
  parseDecimal,
  plusDays,
  plusMonths,
  toNumber,
} from '@billstream/kernel';
import type { FixedDays } from '../proration/proration';
import type { UsageDetailMode } from '../rating/usage-charges';

/** Calendar distance, e.g. one month and two days. */
export type CalendarPeriod = { readonly months: number; readonly days: number };

/** A tenant's own rules of invoicing, by Kill Bill's property names. */
export type InvoicingSettings = {
  /** `org.killbill.invoice.proration.fixed.days`; 0: the days a month really has. */
  readonly fixedDays: FixedDays;
  /** `org.killbill.invoice.inArrear.mode`: GREEDY charges a period in arrear as soon as it has begun. */
  readonly inArrearMode: 'DEFAULT' | 'GREEDY';
  /** `org.killbill.invoice.disable.usage.zero.amount`: usage that costs nothing gives no item. */
  readonly isZeroUsageLeftOut: boolean;
  /** `org.killbill.invoice.item.result.behavior.mode` */
  readonly usageDetailMode: UsageDetailMode;
  /** `org.killbill.invoice.readMaxRawUsagePreviousPeriod`: how many charged periods are counted again for late usage. */
  readonly previousUsagePeriods: number;
  /** `org.killbill.invoice.usage.tz.mode`: whether a day of usage is one of the frozen offset or of the real zone. */
  readonly usageZone: 'FIXED' | 'VARIABLE';
  /** `org.killbill.invoice.maxNumberOfMonthsInFuture` */
  readonly monthsAheadMax: number;
  /**
   * `org.killbill.invoice.maxInvoiceLimit` where `killbill.features.invoice.optimization` is on: how far back a run looks
   * for what should have been charged; null is to the beginning.
   */
  readonly lookBack: CalendarPeriod | null;
  readonly lateUsage: LateUsagePolicy;
};

/** What becomes of metered usage that changes after its period was charged (our own properties, not Kill Bill's). */
export type LateUsagePolicy = {
  /** `billstream.invoice.lateUsage`: CORRECT_PERIOD makes an invoice of the difference, NEXT_INVOICE puts it on the next one. */
  readonly mode: 'CORRECT_PERIOD' | 'NEXT_INVOICE';
  /** `billstream.invoice.lateUsage.absorbBelow`: a difference below that amount, either way, is left alone; null: none is. */
  readonly absorbBelow: Decimal | null;
};

export const defaultSettings: InvoicingSettings = {
  fixedDays: 0,
  inArrearMode: 'DEFAULT',
  isZeroUsageLeftOut: false,
  usageDetailMode: 'AGGREGATE',
  previousUsagePeriods: 2,
  usageZone: 'FIXED',
  monthsAheadMax: 36,
  lookBack: null,
  lateUsage: { mode: 'CORRECT_PERIOD', absorbBelow: null },
};

const prefix = 'org.killbill.invoice.';

/** A whole number of 0 or more; the fallback for anything else. */
const countIn = (text: string | undefined, fallback: number): number => {
  const value = parseDecimal(text);
  const count = value === null ? Number.NaN : toNumber(value);
  return Number.isSafeInteger(count) && count >= 0 && count <= 10_000 ? count : fallback;
};

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true';

/** An ISO period of years, months, weeks and days (`P1M`, `P1Y2M10D`); null for other text. */
export const periodFrom = (text: string | undefined): CalendarPeriod | null => {
  const match = /^P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?$/.exec(text?.trim() ?? '');
  if (match === null) return null;
  const [years, months, weeks, days] = match
    .slice(1)
    .map((digits: string | undefined) => toNumber(decimal(digits ?? 0)));
  return { months: (years ?? 0) * 12 + (months ?? 0), days: (weeks ?? 0) * 7 + (days ?? 0) };
};

const amountIn = (text: string | undefined): Decimal | null => {
  const amount = parseDecimal(text?.trim());
  return amount === null || isNegative(amount) ? null : amount;
};

/** What a tenant's properties say; a value that makes no sense counts as none, as the property was never checked. */
export const settingsFrom = (properties: Readonly<Record<string, string>>): InvoicingSettings => {
  const of = (name: string): string | undefined => properties[`${prefix}${name}`]?.trim();
  return {
    fixedDays: countIn(of('proration.fixed.days'), defaultSettings.fixedDays),
    inArrearMode: of('inArrear.mode')?.toUpperCase() === 'GREEDY' ? 'GREEDY' : 'DEFAULT',
    isZeroUsageLeftOut: isTrue(of('disable.usage.zero.amount')),
    usageDetailMode: of('item.result.behavior.mode')?.toUpperCase() === 'DETAIL' ? 'DETAIL' : 'AGGREGATE',
    previousUsagePeriods: countIn(of('readMaxRawUsagePreviousPeriod'), defaultSettings.previousUsagePeriods),
    usageZone: of('usage.tz.mode')?.toUpperCase() === 'VARIABLE' ? 'VARIABLE' : 'FIXED',
    monthsAheadMax: countIn(of('maxNumberOfMonthsInFuture'), defaultSettings.monthsAheadMax),
    lateUsage: {
      mode:
        properties['billstream.invoice.lateUsage']?.trim().toUpperCase() === 'NEXT_INVOICE'
          ? 'NEXT_INVOICE'
          : 'CORRECT_PERIOD',
      absorbBelow: amountIn(properties['billstream.invoice.lateUsage.absorbBelow']),
    },
    lookBack: isTrue(properties['killbill.features.invoice.optimization']) ? periodFrom(of('maxInvoiceLimit')) : null,
  };
};

/** The first day a run looks at; null: the beginning. */
export const lookBackFrom = ({ lookBack }: InvoicingSettings, today: LocalDate): LocalDate | null =>
  lookBack === null ? null : plusDays(plusMonths(today, -lookBack.months), -lookBack.days);
