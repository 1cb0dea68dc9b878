import { type Currency, type Instant, type LocalDate, decimal, derivedId, localDateOf } from '@billstream/kernel';
import { reconcile } from '../repair/reconcile';
import { quantitiesOf, usageCharges, usageDetails } from '../rating/usage-charges';
import { unitsOf } from '../rating/rate-usage';
import type { InvoiceItem, InvoiceRun, RecordedAccount } from './account-invoices.events';
import { type AccountInvoices, isTagged } from './account-invoices.state';
import { type BillingEvent, accountTimeOf, billingEventsOf } from './billing-events';
import { type InvoicingSettings, lookBackFrom } from './invoicing-settings';
import { type RecurringProposal, proposedFixed, proposedRecurring, subjectOf } from './proposals';
import type { LedgerRecurring, SubscriptionLedger } from './subscription-ledger';
import { type UsagePeriod, endedPeriods, usageSections } from './usage-periods';

/** An item before it is numbered within its invoice. */
export type NewItem = Omit<InvoiceItem, 'itemId'>;
export type Unpriceable = {
  readonly reason: 'usage-beyond-all-tiers' | 'usage-charged-more-before';
  readonly subscriptionId: string;
};
export type Generated = { readonly items: readonly NewItem[] } | { readonly unpriceable: Unpriceable };

type Work = {
  readonly ledger: SubscriptionLedger;
  readonly events: readonly BillingEvent[];
  readonly account: RecordedAccount;
  readonly currency: Currency;
  readonly run: InvoiceRun;
  readonly settings: InvoicingSettings;
  /** The first day that the run looks at; null is the beginning. */
  readonly from: LocalDate | null;
  /** The target date of the invoice that charged something. */
  readonly targetDateOf: (invoiceId: string) => LocalDate | null;
};

/** The rules of one run and the day it runs on, by which a limited look-back counts. */
export type RunRules = { readonly settings: InvoicingSettings; readonly now: Instant };

const plain = {
  linkedItemId: null,
  rate: null,
  quantity: null,
  usageName: null,
  usagePeriod: null,
  itemDetails: null,
} as const;

const fixedItems = ({ ledger, events, currency, run, from }: Work): readonly NewItem[] =>
  proposedFixed(events, run.targetDate, currency)
    .filter(({ date }) => from === null || date >= from)
    .filter(
      ({ phase, date, amountMinor }) =>
        !ledger.fixed.some(
          (billed) =>
            billed.date === date &&
            billed.amountMinor === amountMinor &&
            billed.planName === phase.planName &&
            billed.phaseName === phase.phaseName,
        ),
    )
    .map(({ phase, quantity, date, endDate, amountMinor }) => ({
      ...subjectOf(ledger.timeline, phase),
      ...plain,
      type: 'FIXED',
      startDate: date,
      endDate,
      amountMinor,
      quantity: decimal(quantity),
    }));

/** What a repair takes back is described by the phase that charged it; the catalog it came from may be gone by now. */
const repairSubject = ({ ledger, events }: Work, itemId: string): Pick<NewItem, keyof ReturnType<typeof subjectOf>> => {
  const item = ledger.recurring.find((billed) => billed.itemId === itemId);
  const phase = events.find(
    ({ phase: one }) => one?.planName === item?.planName && one?.phaseName === item?.phaseName,
  )?.phase;
  if (phase) return subjectOf(ledger.timeline, phase);
  return {
    subscriptionId: ledger.timeline.subscriptionId,
    bundleId: ledger.timeline.bundleId,
    productName: null,
    prettyProductName: null,
    planName: item?.planName ?? null,
    prettyPlanName: null,
    phaseName: item?.phaseName ?? null,
    prettyPhaseName: null,
    catalogEffectiveDate: null,
  };
};

/** When a proposal falls due: what an unlimited run would have made the target date of its invoice. */
const dueDateOf = ({ phase, start, end }: RecurringProposal): LocalDate =>
  phase.recurringBillingMode === 'IN_ADVANCE' ? start : end;

/** What was charged and what should be, as far as the run looks back. */
const comparable = (work: Work, proposed: readonly RecurringProposal[]) => {
  const { ledger, from, targetDateOf } = work;
  if (from === null) return { billed: ledger.recurring, proposed };
  const isSeen = ({ invoiceId }: LedgerRecurring): boolean => (targetDateOf(invoiceId) ?? from) >= from;
  return {
    billed: ledger.recurring.filter(isSeen),
    proposed: proposed.filter((one) => dueDateOf(one) >= from),
  };
};

const recurringItems = (work: Work): readonly NewItem[] => {
  const { ledger, events, currency, run, settings } = work;
  const { billed, proposed } = comparable(work, proposedRecurring(events, run.targetDate, { currency, settings }));
  const { additions, repairs } = reconcile(billed, proposed, { currency, fixedDays: settings.fixedDays });
  return [
    ...additions.map(({ phase, quantity, rate, start, end, amountMinor }): NewItem => ({
      ...subjectOf(ledger.timeline, phase),
      ...plain,
      type: 'RECURRING',
      startDate: start,
      endDate: end,
      amountMinor,
      rate,
      quantity: decimal(quantity),
    })),
    ...repairs.map(({ itemId, start, end, amountMinor }): NewItem => ({
      ...repairSubject(work, itemId),
      ...plain,
      type: 'REPAIR_ADJ',
      linkedItemId: itemId,
      startDate: start,
      endDate: end,
      amountMinor,
    })),
  ];
};

/** Ended by the target date and by the run's instant: a day may be asked for before its usage is over. */
const duePeriods = ({ ledger, events, account, run, from }: Work): readonly UsagePeriod[] =>
  usageSections(events)
    .flatMap(
      (section) => endedPeriods(section, { until: run.at, time: accountTimeOf(account), billed: ledger.usage }).periods,
    )
    .filter(({ endDate }) => endDate <= run.targetDate && (from === null || endDate >= from));

/** A period within one that was charged is charged, too: a pause that came to light later makes no second bill (Kill Bill 3.4). */
const isBilled = (ledger: SubscriptionLedger, { usage, fromAt, toAt }: UsagePeriod): boolean =>
  ledger.usage.some((billed) => billed.usageName === usage.name && billed.fromAt <= fromAt && toAt <= billed.toAt);

const closedFor = (ledger: SubscriptionLedger, { usage, fromAt, toAt }: UsagePeriod) =>
  ledger.closed.filter((one) => one.usageName === usage.name && one.fromAt === fromAt && one.toAt === toAt);

const isKnown = (ledger: SubscriptionLedger, period: UsagePeriod): boolean => {
  const closed = closedFor(ledger, period);
  return unitsOf(period.usage).every((unit) => closed.some((one) => one.unit === unit));
};

const usageItems = (
  { ledger, currency, settings }: Work,
  period: UsagePeriod,
): readonly NewItem[] | Unpriceable['reason'] => {
  const { usage, phase, fromAt, toAt, startDate, endDate } = period;
  const closed = closedFor(ledger, period);
  const due = { usage, quantities: quantitiesOf(closed), billedMinor: 0 };
  const charges = usageCharges(due, true, currency, settings.usageDetailMode);
  if (typeof charges === 'string') return `usage-${charges}`;
  const shown = settings.isZeroUsageLeftOut ? charges.filter(({ amountMinor }) => amountMinor !== 0) : charges;
  return shown.map((charge) => ({
    ...subjectOf(ledger.timeline, phase),
    ...plain,
    type: 'USAGE',
    startDate,
    endDate,
    amountMinor: charge.amountMinor,
    rate: charge.rate,
    quantity: charge.quantity,
    usageName: usage.name,
    usagePeriod: { fromAt, toAt },
    itemDetails: usageDetails(charge, closed),
  }));
};

const worksOf = (state: AccountInvoices, run: InvoiceRun, { settings, now }: RunRules): readonly Work[] => {
  const { account } = state;
  const currency = account?.currency;
  if (!account || !currency) return [];
  const from = lookBackFrom(settings, localDateOf(now, accountTimeOf(account)));
  const targetDateOf = (invoiceId: string): LocalDate | null => state.invoices[invoiceId]?.targetDate ?? null;
  return Object.values(state.subscriptions)
    .filter(({ timeline }) => !isTagged(state, timeline.bundleId, 'AUTO_INVOICING_OFF'))
    .map((ledger) => ({
      ledger,
      events: billingEventsOf(ledger.timeline, account),
      account,
      currency,
      run,
      settings,
      from,
      targetDateOf,
    }));
};

/** Usage that has to be known before the run can make its invoice, by subscription. */
export const unknownUsage = (
  state: AccountInvoices,
  run: InvoiceRun,
  rules: RunRules,
): readonly { readonly ledger: SubscriptionLedger; readonly periods: readonly UsagePeriod[] }[] =>
  worksOf(state, run, rules)
    .map((work) => ({
      ledger: work.ledger,
      periods: duePeriods(work).filter((period) => !isBilled(work.ledger, period) && !isKnown(work.ledger, period)),
    }))
    .filter(({ periods }) => periods.length > 0);

/**
 * Everything that should be charged up to the run's target date and is not yet on an invoice, and everything on one that
 * should not have been (Kill Bill 2.9 to 2.11, 3.3). Pure: the same state and run give the same items, so a preview is
 * this function and nothing else. Usage that is not known is left out.
 */
export const generate = (state: AccountInvoices, run: InvoiceRun, rules: RunRules): Generated => {
  const items: NewItem[] = [];
  for (const work of worksOf(state, run, rules)) {
    items.push(...fixedItems(work), ...recurringItems(work));
    for (const period of duePeriods(work)) {
      if (isBilled(work.ledger, period) || !isKnown(work.ledger, period)) continue;
      const made = usageItems(work, period);
      if (typeof made === 'string')
        return { unpriceable: { reason: made, subscriptionId: work.ledger.timeline.subscriptionId } };
      items.push(...made);
    }
  }
  return { items };
};

/** The name of the n-th item of an invoice; the same each time the same invoice is made. */
export const itemIdOf = (invoiceId: string, index: number): string =>
  derivedId('invoice-item', invoiceId, String(index));
