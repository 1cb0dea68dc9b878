import { type Currency, decimal, derivedId } from '@billstream/kernel';
import { reconcile } from '../repair/reconcile';
import { quantitiesOf, usageCharges, usageDetails } from '../rating/usage-charges';
import { unitsOf } from '../rating/rate-usage';
import type { InvoiceItem, InvoiceRun, RecordedAccount } from './account-invoices.events';
import type { AccountInvoices, SubscriptionLedger } from './account-invoices.state';
import { type BillingEvent, accountTimeOf, billingEventsOf } from './billing-events';
import { proposedFixed, proposedRecurring, subjectOf } from './proposals';
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
};

const plain = {
  linkedItemId: null,
  rate: null,
  quantity: null,
  usageName: null,
  usagePeriod: null,
  itemDetails: null,
} as const;

const fixedItems = ({ ledger, events, currency, run }: Work): readonly NewItem[] =>
  proposedFixed(events, run.targetDate, currency)
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

const recurringItems = (work: Work): readonly NewItem[] => {
  const { ledger, events, currency, run } = work;
  const { additions, repairs } = reconcile(ledger.recurring, proposedRecurring(events, run.targetDate, currency), {
    currency,
  });
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
const duePeriods = ({ ledger, events, account, run }: Work): readonly UsagePeriod[] =>
  usageSections(events)
    .flatMap(
      (section) => endedPeriods(section, { until: run.at, time: accountTimeOf(account), billed: ledger.usage }).periods,
    )
    .filter(({ endDate }) => endDate <= run.targetDate);

/** A period within one that was charged is charged, too: a pause that came to light later makes no second bill (Kill Bill 3.4). */
const isBilled = (ledger: SubscriptionLedger, { usage, fromAt, toAt }: UsagePeriod): boolean =>
  ledger.usage.some((billed) => billed.usageName === usage.name && billed.fromAt <= fromAt && toAt <= billed.toAt);

const closedFor = (ledger: SubscriptionLedger, { usage, fromAt, toAt }: UsagePeriod) =>
  ledger.closed.filter((one) => one.usageName === usage.name && one.fromAt === fromAt && one.toAt === toAt);

const isKnown = (ledger: SubscriptionLedger, period: UsagePeriod): boolean => {
  const closed = closedFor(ledger, period);
  return unitsOf(period.usage).every((unit) => closed.some((one) => one.unit === unit));
};

const usageItems = ({ ledger, currency }: Work, period: UsagePeriod): readonly NewItem[] | Unpriceable['reason'] => {
  const { usage, phase, fromAt, toAt, startDate, endDate } = period;
  const closed = closedFor(ledger, period);
  const charges = usageCharges({ usage, quantities: quantitiesOf(closed), billedMinor: 0 }, true, currency);
  if (typeof charges === 'string') return `usage-${charges}`;
  return charges.map((charge) => ({
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

const worksOf = (state: AccountInvoices, run: InvoiceRun): readonly Work[] => {
  const { account } = state;
  const currency = account?.currency;
  if (!account || !currency) return [];
  return Object.values(state.subscriptions).map((ledger) => ({
    ledger,
    events: billingEventsOf(ledger.timeline, account),
    account,
    currency,
    run,
  }));
};

/** Usage that has to be known before the run can make its invoice, by subscription. */
export const unknownUsage = (
  state: AccountInvoices,
  run: InvoiceRun,
): readonly { readonly ledger: SubscriptionLedger; readonly periods: readonly UsagePeriod[] }[] =>
  worksOf(state, run)
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
export const generate = (state: AccountInvoices, run: InvoiceRun): Generated => {
  const items: NewItem[] = [];
  for (const work of worksOf(state, run)) {
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
