import type { Instant, LocalDate } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type { BilledRecurring } from '../repair/reconcile';
import type {
  AccountInvoicesEvent,
  BillingTimeline,
  CommittedInvoice,
  CreditItem,
  InvoiceItem,
  InvoicePayment,
  InvoiceRun,
  RecordedAccount,
} from './account-invoices.events';

export type BilledFixed = {
  readonly planName: string;
  readonly phaseName: string;
  readonly date: LocalDate;
  readonly amountMinor: number;
};
export type BilledUsage = {
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly amountMinor: number;
};

/** What a subscription was charged, and what it should be: all that the next run compares. */
export type SubscriptionLedger = {
  readonly timeline: BillingTimeline;
  readonly recurring: readonly BilledRecurring[];
  readonly fixed: readonly BilledFixed[];
  readonly usage: readonly BilledUsage[];
  /** Quantities known and not yet charged. */
  readonly closed: readonly ClosedUsage[];
};

export type InvoiceTotals = {
  readonly invoiceDate: LocalDate;
  readonly chargedMinor: number;
  readonly creditMinor: number;
  readonly paidMinor: number;
};

export type Transaction = Pick<InvoicePayment, 'invoiceId' | 'transactionType' | 'status' | 'amountMinor'>;

export type AccountInvoices = {
  readonly account: RecordedAccount | null;
  readonly subscriptions: Readonly<Record<string, SubscriptionLedger>>;
  readonly invoices: Readonly<Record<string, InvoiceTotals>>;
  readonly transactions: Readonly<Record<string, Transaction>>;
  /** Account credit (CBA) that is left; never negative. */
  readonly creditMinor: number;
  readonly creditItems: number;
  /** The largest target date of an invoice with recurring or usage items (Kill Bill 2.12). */
  readonly lastTargetDate: LocalDate | null;
  readonly nextAt: Instant | null;
  readonly lastRun: InvoiceRun | null;
  /** A run that waits for usage, and the requests that are not answered. */
  readonly pending: { readonly run: InvoiceRun; readonly requests: readonly string[] } | null;
  readonly parked: string | null;
  /** Timelines have changed, and more of the same change are to come before a run. */
  readonly isChanging: boolean;
};

export const nothingInvoiced: AccountInvoices = {
  account: null,
  subscriptions: {},
  invoices: {},
  transactions: {},
  creditMinor: 0,
  creditItems: 0,
  lastTargetDate: null,
  nextAt: null,
  lastRun: null,
  pending: null,
  parked: null,
  isChanging: false,
};

export const balanceOf = ({ chargedMinor, creditMinor, paidMinor }: InvoiceTotals): number =>
  chargedMinor + creditMinor - paidMinor;

const later = <T extends string>(a: T | null, b: T): T => (a !== null && a > b ? a : b);

export const laterRun = (a: InvoiceRun | null, b: InvoiceRun): InvoiceRun => ({
  targetDate: later(a?.targetDate ?? null, b.targetDate),
  at: later(a?.at ?? null, b.at),
});

const paidBy = ({ transactionType, status, amountMinor }: Transaction): number => {
  if (status !== 'SUCCESS') return 0;
  if (transactionType === 'PURCHASE') return amountMinor;
  return transactionType === 'REFUND' || transactionType === 'CHARGEBACK' ? -amountMinor : 0;
};

const withPayment = (state: AccountInvoices, { transactionId, ...payment }: InvoicePayment): AccountInvoices => {
  const { invoiceId, transactionType, status, amountMinor } = payment;
  const transaction: Transaction = { invoiceId, transactionType, status, amountMinor };
  const before = state.transactions[transactionId];
  const invoice = state.invoices[invoiceId];
  const transactions = { ...state.transactions, [transactionId]: transaction };
  if (invoice === undefined) return { ...state, transactions };
  const paidMinor = invoice.paidMinor - (before === undefined ? 0 : paidBy(before)) + paidBy(transaction);
  return { ...state, transactions, invoices: { ...state.invoices, [invoiceId]: { ...invoice, paidMinor } } };
};

const withRepair = (
  ledger: SubscriptionLedger,
  { linkedItemId, startDate, endDate, amountMinor }: InvoiceItem,
): SubscriptionLedger => ({
  ...ledger,
  recurring: ledger.recurring.map((item) =>
    item.itemId === linkedItemId && endDate !== null
      ? {
          ...item,
          takenBackMinor: item.takenBackMinor - amountMinor,
          repaired: [...item.repaired, { start: startDate, end: endDate }],
        }
      : item,
  ),
});

const withRecurring = (ledger: SubscriptionLedger, item: InvoiceItem): SubscriptionLedger => {
  const { itemId, startDate, endDate, amountMinor, rate, planName, phaseName } = item;
  if (endDate === null || rate === null || planName === null || phaseName === null) return ledger;
  const billed = {
    itemId,
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

const withUsage = (
  ledger: SubscriptionLedger,
  { usageName, usagePeriod, amountMinor }: InvoiceItem,
): SubscriptionLedger => {
  if (usageName === null || usagePeriod === null) return ledger;
  const { fromAt, toAt } = usagePeriod;
  return {
    ...ledger,
    usage: [...ledger.usage, { usageName, fromAt, toAt, amountMinor }],
    closed: ledger.closed.filter((one) => !(one.usageName === usageName && one.fromAt === fromAt && one.toAt === toAt)),
  };
};

const withItem = (ledger: SubscriptionLedger, item: InvoiceItem): SubscriptionLedger => {
  switch (item.type) {
    case 'RECURRING':
      return withRecurring(ledger, item);
    case 'FIXED':
      return {
        ...ledger,
        fixed: [
          ...ledger.fixed,
          {
            planName: item.planName ?? '',
            phaseName: item.phaseName ?? '',
            date: item.startDate,
            amountMinor: item.amountMinor,
          },
        ],
      };
    case 'USAGE':
      return withUsage(ledger, item);
    case 'REPAIR_ADJ':
      return withRepair(ledger, item);
    case 'CBA_ADJ':
      return ledger;
  }
};

const creditOf = (items: readonly InvoiceItem[]): number =>
  items.reduce((total, { type, amountMinor }) => (type === 'CBA_ADJ' ? total + amountMinor : total), 0);

const withInvoice = (state: AccountInvoices, invoice: CommittedInvoice): AccountInvoices => {
  const subscriptions = { ...state.subscriptions };
  for (const item of invoice.items) {
    const ledger = item.subscriptionId === null ? undefined : subscriptions[item.subscriptionId];
    if (ledger !== undefined && item.subscriptionId !== null)
      subscriptions[item.subscriptionId] = withItem(ledger, item);
  }
  const creditMinor = creditOf(invoice.items);
  const totals = { invoiceDate: invoice.invoiceDate, chargedMinor: invoice.amountMinor, creditMinor, paidMinor: 0 };
  const dated = invoice.items.some(({ type }) => type === 'RECURRING' || type === 'USAGE');
  return {
    ...state,
    subscriptions,
    invoices: { ...state.invoices, [invoice.invoiceId]: totals },
    creditMinor: state.creditMinor + creditMinor,
    lastTargetDate: dated ? later(state.lastTargetDate, invoice.targetDate) : state.lastTargetDate,
    parked: null,
  };
};

const withCredit = (state: AccountInvoices, items: readonly CreditItem[]): AccountInvoices => {
  const invoices = { ...state.invoices };
  for (const { invoiceId, amountMinor } of items) {
    const invoice = invoices[invoiceId];
    if (invoice !== undefined) invoices[invoiceId] = { ...invoice, creditMinor: invoice.creditMinor + amountMinor };
  }
  const creditMinor = items.reduce((total, { amountMinor }) => total + amountMinor, state.creditMinor);
  return { ...state, invoices, creditMinor, creditItems: state.creditItems + items.length };
};

const withTimeline = (
  state: AccountInvoices,
  { isFollowed = false, ...timeline }: BillingTimeline & { readonly isFollowed?: boolean },
): AccountInvoices => {
  const ledger = state.subscriptions[timeline.subscriptionId] ?? { recurring: [], fixed: [], usage: [], closed: [] };
  const subscriptions = { ...state.subscriptions, [timeline.subscriptionId]: { ...ledger, timeline } };
  return { ...state, subscriptions, isChanging: isFollowed };
};

const withClosedUsage = (
  state: AccountInvoices,
  {
    requestId,
    subscriptionId,
    usages,
  }: { readonly requestId: string; readonly subscriptionId: string; readonly usages: readonly ClosedUsage[] },
): AccountInvoices => {
  const ledger = state.subscriptions[subscriptionId];
  const { pending } = state;
  return {
    ...state,
    pending: pending === null ? null : { ...pending, requests: pending.requests.filter((id) => id !== requestId) },
    ...(ledger === undefined
      ? {}
      : {
          subscriptions: {
            ...state.subscriptions,
            [subscriptionId]: { ...ledger, closed: [...ledger.closed, ...usages] },
          },
        }),
  };
};

const waitingFor = (state: AccountInvoices, run: InvoiceRun, requests: readonly string[]): AccountInvoices => ({
  ...state,
  nextAt: null,
  pending: {
    run: laterRun(state.pending?.run ?? null, run),
    requests: [...(state.pending?.requests ?? []), ...requests],
  },
});

const withBillCycleDay = (state: AccountInvoices, billCycleDayLocal: number): AccountInvoices => ({
  ...state,
  account: state.account && { ...state.account, billCycleDayLocal },
});

export const evolve = (state: AccountInvoices, { type, data }: AccountInvoicesEvent): AccountInvoices => {
  switch (type) {
    case 'AccountRecorded':
      return { ...state, account: data };
    case 'BillingTimelineRecorded':
      return withTimeline(state, data);
    case 'BillCycleDayChosen':
      return withBillCycleDay(state, data.billCycleDayLocal);
    case 'UsageRequested':
      return waitingFor(state, data.run, [data.requestId]);
    case 'InvoiceAwaited':
      return waitingFor(state, data.run, []);
    case 'UsageRecorded':
      return withClosedUsage(state, data);
    case 'PaymentRecorded':
      return withPayment(state, data);
    case 'InvoiceCommitted':
      return withInvoice(state, data);
    case 'CreditApplied':
      return withCredit(state, data.items);
    case 'ChargedThroughChanged':
    case 'BalanceChanged':
      return state;
    case 'NextInvoiceScheduled':
      return { ...state, nextAt: data.at, lastRun: data.run, pending: null, isChanging: false };
    case 'InvoicingParked':
      return { ...state, nextAt: null, lastRun: data.run, pending: null, parked: data.reason, isChanging: false };
  }
};
