import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import { type RetryPolicy, standardRetryPolicy } from '../invoice-payments/retry-policy';

/** A tenant's own settings, by property name; those that are none of payments' business are left out. */
export type PaymentSettings = Readonly<Record<string, string>>;

export type PaymentSettingsEvent = {
  readonly type: 'PaymentSettingsRecorded';
  readonly data: { readonly tenantId: string; readonly settings: PaymentSettings };
};

export type PaymentSettingsCommand =
  | {
      readonly type: 'RecordPaymentSettings';
      readonly data: { readonly tenantId: string; readonly settings: PaymentSettings };
    }
  /** Changes nothing; its answer carries the settings that a decision would see now. */
  | { readonly type: 'Look' };

const prefix = 'org.killbill.payment.';

export const paymentSettings: Decider<PaymentSettingsCommand, PaymentSettingsEvent, PaymentSettings, never> = {
  initial: {},
  decide: (command, state) => {
    if (command.type === 'Look') return accept();
    const own = Object.entries(command.data.settings).filter(([name]) => name.startsWith(prefix));
    const isKnown = own.length === Object.keys(state).length && own.every(([name, value]) => state[name] === value);
    if (isKnown) return accept();
    const { tenantId } = command.data;
    return accept({ type: 'PaymentSettingsRecorded', data: { tenantId, settings: Object.fromEntries(own) } });
  },
  evolve: (_state, { data }) => data.settings,
};

export const paymentSettingsSchema = defineSchema<PaymentSettingsEvent>({
  PaymentSettingsRecorded: 'paymentSettings.recorded.v1',
});

const retriesMax = 100;
const daysMax = 3_650;
const secondsMax = daysMax * 86_400;

/** A whole number from 0 to `max`; null for anything else, so that what cannot be meant changes nothing. */
const wholeOf = (text: string | undefined, max: number): number | null => {
  if (text === undefined || !/^\d{1,10}$/.test(text.trim())) return null;
  const number = Number(text.trim());
  return number <= max ? number : null;
};

/**
 * When failed payments of the tenant are tried again: Kill Bill's `retry.days`, and `failure.retry.start.sec`,
 * `.multiplier` and `.max.attempts`. Anything that is not such a number leaves the platform's own figure. The first
 * delay of a failure comes twice, as in Kill Bill.
 */
export const retryPolicyOf = (settings: PaymentSettings): RetryPolicy => {
  const days = settings[`${prefix}retry.days`];
  const parsed = days === undefined ? null : daysOf(days);
  const start = wholeOf(settings[`${prefix}failure.retry.start.sec`], secondsMax);
  const multiplier = wholeOf(settings[`${prefix}failure.retry.multiplier`], 100);
  const attempts = wholeOf(settings[`${prefix}failure.retry.max.attempts`], retriesMax);
  const isStandard = start === null && multiplier === null && attempts === null;
  return {
    declinedRetryDays: parsed ?? standardRetryPolicy.declinedRetryDays,
    failedRetrySeconds: isStandard
      ? standardRetryPolicy.failedRetrySeconds
      : delaysOf({ start: start ?? 300, multiplier: multiplier ?? 2, attempts: attempts ?? 8 }),
  };
};

/** Empty text: never tried again. */
const daysOf = (text: string): readonly number[] | null => {
  if (text.trim() === '') return [];
  const days = text.split(',').map((day) => wholeOf(day, daysMax));
  return days.length <= retriesMax && days.every((day) => day !== null) ? days : null;
};

const delaysOf = (of: { start: number; multiplier: number; attempts: number }): readonly number[] =>
  Array.from({ length: of.attempts }, (_, nth) =>
    Math.min(of.start * of.multiplier ** Math.max(0, nth - 1), secondsMax),
  );
