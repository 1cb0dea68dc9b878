import type { Instant, LocalDate } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type { DateRange } from '../repair/date-range';
import type { BilledRecurring } from '../repair/reconcile';
import type { BillingTimeline, InvoiceItem } from './account-invoices.events';

/** Which invoice charged it, so that it can be taken off the ledger again when that is voided. */
type Charged = { readonly invoiceId: string };

/** A recurring item that was charged; each repaired range names the invoice that took it back. */
export type LedgerRecurring = Omit<BilledRecurring, 'repaired'> &
  Charged & { readonly repaired: readonly (DateRange & Charged & { readonly amountMinor: number })[] };
export type BilledFixed = Charged & {
  readonly planName: string;
  readonly phaseName: string;
  readonly date: LocalDate;
  readonly amountMinor: number;
};
export type BilledUsage = Charged & {
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly amountMinor: number;
};

/** What a subscription was charged, and what it should be: all that the next run compares. */
export type SubscriptionLedger = {
  readonly timeline: BillingTimeline;
  readonly recurring: readonly LedgerRecurring[];
  readonly fixed: readonly BilledFixed[];
  readonly usage: readonly BilledUsage[];
  /** Quantities known and not yet charged. */
  readonly closed: readonly ClosedUsage[];
};

type Entry = { readonly item: InvoiceItem; readonly invoiceId: string };

const withRecurring = (ledger: SubscriptionLedger, { item, invoiceId }: Entry): SubscriptionLedger => {
  const { itemId, startDate, endDate, amountMinor, rate, planName, phaseName } = item;
  if (endDate === null || rate === null || planName === null || phaseName === null) return ledger;
  const billed = {
    itemId,
    invoiceId,
    start: startDate,
    end: endDate,
    amountMinor,
    rate,
    planName,
    phaseName,
    takenBackMinor: 0,
    repaired: [],
  };
  return { ...ledger, recurring: [...ledger.recurring, billed] };
};

const withFixed = (ledger: SubscriptionLedger, { item, invoiceId }: Entry): SubscriptionLedger => {
  const { planName, phaseName, startDate, amountMinor } = item;
  const billed = { planName: planName ?? '', phaseName: phaseName ?? '', date: startDate, amountMinor, invoiceId };
  return { ...ledger, fixed: [...ledger.fixed, billed] };
};

const withUsage = (ledger: SubscriptionLedger, { item, invoiceId }: Entry): SubscriptionLedger => {
  const { usageName, usagePeriod, amountMinor } = item;
  if (usageName === null || usagePeriod === null) return ledger;
  const { fromAt, toAt } = usagePeriod;
  return {
    ...ledger,
    usage: [...ledger.usage, { usageName, fromAt, toAt, amountMinor, invoiceId }],
    closed: ledger.closed.filter((one) => !(one.usageName === usageName && one.fromAt === fromAt && one.toAt === toAt)),
  };
};

const withRepair = (ledger: SubscriptionLedger, { item: repair, invoiceId }: Entry): SubscriptionLedger => {
  const { linkedItemId, startDate: start, endDate: end, amountMinor } = repair;
  if (end === null) return ledger;
  return {
    ...ledger,
    recurring: ledger.recurring.map((item) =>
      item.itemId === linkedItemId
        ? {
            ...item,
            takenBackMinor: item.takenBackMinor - amountMinor,
            repaired: [...item.repaired, { start, end, amountMinor: -amountMinor, invoiceId }],
          }
        : item,
    ),
  };
};

/** An adjustment lowers what a later repair can take back, and nothing else. */
const withAdjustment = (
  ledger: SubscriptionLedger,
  { linkedItemId, amountMinor }: InvoiceItem,
): SubscriptionLedger => ({
  ...ledger,
  recurring: ledger.recurring.map((item) =>
    item.itemId === linkedItemId ? { ...item, takenBackMinor: item.takenBackMinor - amountMinor } : item,
  ),
});

const withItem = (ledger: SubscriptionLedger, entry: Entry): SubscriptionLedger => {
  switch (entry.item.type) {
    case 'RECURRING':
      return withRecurring(ledger, entry);
    case 'FIXED':
      return withFixed(ledger, entry);
    case 'USAGE':
      return withUsage(ledger, entry);
    case 'REPAIR_ADJ':
      return withRepair(ledger, entry);
    case 'ITEM_ADJ':
      return withAdjustment(ledger, entry.item);
    case 'EXTERNAL_CHARGE':
    case 'TAX':
    case 'PARENT_SUMMARY':
    case 'CREDIT_ADJ':
    case 'CBA_ADJ':
      return ledger;
  }
};

export type Ledgers = Readonly<Record<string, SubscriptionLedger>>;

/** The ledgers after an invoice charged, repaired or adjusted something of their subscriptions. */
export const withCharges = (ledgers: Ledgers, items: readonly InvoiceItem[], invoiceId: string): Ledgers => {
  const after = { ...ledgers };
  for (const item of items) {
    const { subscriptionId } = item;
    const ledger = subscriptionId === null ? undefined : after[subscriptionId];
    if (ledger !== undefined && subscriptionId !== null) after[subscriptionId] = withItem(ledger, { item, invoiceId });
  }
  return after;
};

const withoutRepairs = (item: LedgerRecurring, invoiceId: string): LedgerRecurring => {
  const undone = item.repaired.filter((one) => one.invoiceId === invoiceId);
  if (undone.length === 0) return item;
  return {
    ...item,
    takenBackMinor: undone.reduce((left, { amountMinor }) => left - amountMinor, item.takenBackMinor),
    repaired: item.repaired.filter((one) => one.invoiceId !== invoiceId),
  };
};

/** The ledgers as if an invoice had never been made: what it charged is open again, what it took back stands again. */
export const withoutInvoice = (ledgers: Ledgers, invoiceId: string): Ledgers => {
  const isOther = (one: Charged): boolean => one.invoiceId !== invoiceId;
  return Object.fromEntries(
    Object.entries(ledgers).map(([id, ledger]): [string, SubscriptionLedger] => [
      id,
      {
        ...ledger,
        recurring: ledger.recurring.filter(isOther).map((item) => withoutRepairs(item, invoiceId)),
        fixed: ledger.fixed.filter(isOther),
        usage: ledger.usage.filter(isOther),
      },
    ]),
  );
};
