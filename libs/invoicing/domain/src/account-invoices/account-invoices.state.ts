import type { LocalDate, Instant } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type {
  AccountInvoicesEvent,
  ChildShare,
  ControlTagChange,
  CreditItem,
  DraftInvoice,
  InvoiceItem,
  InvoicePayment,
  InvoiceRun,
  RecordedAccount,
  RecordedTimeline,
} from './account-invoices.events';
import { type Book, emptyBook, entryOf, valuesIn, withEntry, withoutName } from './book';
import {
  type InvoiceStatus,
  type InvoiceTotals,
  balanceOf,
  creditOf,
  newTotals,
  withCreditItem,
  withItemAmount,
  withItems,
} from './invoice-totals';
import { whole, withDrawn } from './drawn-items';
import { type Places, nowhere, placed } from './places';
import { type Ledgers, withCharges, withLate, withUnused, withoutCounted, withoutInvoice } from './subscription-ledger';

export type Transaction = Pick<InvoicePayment, 'invoiceId' | 'transactionType' | 'status' | 'amountMinor'>;

export type PendingRun = {
  readonly run: InvoiceRun;
  readonly requests: readonly string[];
  /** What was asked for, as `usageRequestKey` names it. */
  readonly periods: readonly string[];
};

/** Names a period of usage that was asked for. */
export const usageRequestKey = (
  subscriptionId: string,
  { usageName, fromAt, toAt }: { readonly usageName: string; readonly fromAt: Instant; readonly toAt: Instant },
): string => `${subscriptionId} ${usageName} ${fromAt} ${toAt}`;

export type AccountInvoices = {
  readonly account: RecordedAccount | null;
  readonly subscriptions: Ledgers;
  readonly invoices: Book<InvoiceTotals>;
  /** Sum of all invoices' balances. */
  readonly owedMinor: number;
  /** Invoices with a balance, whatever its sign: what credit moves between. */
  readonly owing: Places;
  /** Those of them that were paid too much. */
  readonly overpaid: Places;
  readonly drafts: Places;
  readonly transactions: Book<Transaction>;
  /** Transactions under way or of unknown outcome, with their invoices. */
  readonly paying: Readonly<Record<string, string>>;
  /** Refunds whose adjustments were made. */
  readonly adjustedBy: readonly string[];
  /** Closings of the account after which all that was unpaid has been adjusted. */
  readonly closings: readonly string[];
  /** Control tags by the object that carries them. */
  readonly tags: Book<readonly string[]>;
  /** Account credit (CBA) that is left; never negative. */
  readonly creditMinor: number;
  readonly creditItems: number;
  /** How many invoices were voided; names what is asked for again after that. */
  readonly voids: number;
  /** The largest target date of an invoice with recurring or usage items (Kill Bill 2.12). */
  readonly lastTargetDate: LocalDate | null;
  readonly nextAt: Instant | null;
  readonly lastRun: InvoiceRun | null;
  /** A run that waits for usage, and the requests that are not answered. */
  readonly pending: PendingRun | null;
  /** How many requests for usage were made; none is like another, as what is counted once stays as it was answered. */
  readonly asked: number;
  /** Items of large invoices whose last event has not come; one decision may make several. */
  readonly drawn: Readonly<Record<string, readonly InvoiceItem[]>>;
  readonly parked: string | null;
  /** From when on timelines have changed, while more of the same change are to come before a run; null: none are. */
  readonly changedFrom: Instant | null;
  /** Whether runs wait for the end of an overdue state, or for the timelines after its end. */
  readonly hold: 'none' | 'held' | 'ending';
  /** When an ending hold ends at the latest. */
  readonly holdUntil: Instant | null;
  /** Invoices of children by their ids, as this account is charged for them. */
  readonly children: Book<ChildShare>;
};

export const nothingInvoiced: AccountInvoices = {
  account: null,
  subscriptions: {},
  invoices: emptyBook,
  owedMinor: 0,
  owing: nowhere,
  overpaid: nowhere,
  drafts: nowhere,
  transactions: emptyBook,
  paying: {},
  adjustedBy: [],
  closings: [],
  tags: emptyBook,
  creditMinor: 0,
  creditItems: 0,
  voids: 0,
  lastTargetDate: null,
  nextAt: null,
  lastRun: null,
  pending: null,
  asked: 0,
  drawn: {},
  parked: null,
  changedFrom: null,
  hold: 'none',
  holdUntil: null,
  children: emptyBook,
};

export const isTagged = (
  { tags }: AccountInvoices,
  objectId: string | undefined,
  tag: ControlTagChange['tag'],
): boolean => objectId !== undefined && (entryOf(tags, objectId)?.includes(tag) ?? false);

const earlier = <T extends string>(a: T | null, b: T): T => (a !== null && a < b ? a : b);
/** Nothing runs by itself: somebody has switched it off, or the account is overdue and what it has is blocked. */
export const isSwitchedOff = (state: AccountInvoices): boolean =>
  state.hold !== 'none' || isTagged(state, state.account?.accountId, 'AUTO_INVOICING_OFF');

const later = <T extends string>(a: T | null, b: T): T => (a !== null && a > b ? a : b);

export const laterRun = (a: InvoiceRun | null, b: InvoiceRun): InvoiceRun => ({
  targetDate: later(a?.targetDate ?? null, b.targetDate),
  at: later(a?.at ?? null, b.at),
  ...(a?.isAsked === true || b.isAsked === true ? { isAsked: true } : {}),
});

const paidBy = ({ transactionType, status, amountMinor }: Transaction): number => {
  if (status !== 'SUCCESS') return 0;
  if (transactionType === 'PURCHASE') return amountMinor;
  return transactionType === 'REFUND' || transactionType === 'CHARGEBACK' ? -amountMinor : 0;
};

/** The only way in which an invoice changes: what is owed in all is counted along, so that no run has to add it up. */
const withTotals = (state: AccountInvoices, invoiceId: string, totals: InvoiceTotals): AccountInvoices => {
  const before = entryOf(state.invoices, invoiceId);
  const balanceMinor = balanceOf(totals);
  const one = { invoiceId, place: totals.place };
  return {
    ...state,
    invoices: withEntry(state.invoices, invoiceId, totals),
    owedMinor: state.owedMinor + balanceMinor - (before === undefined ? 0 : balanceOf(before)),
    owing: placed(state.owing, one, balanceMinor !== 0),
    overpaid: placed(state.overpaid, one, balanceMinor < 0),
    drafts: placed(state.drafts, one, totals.status === 'DRAFT'),
  };
};

const changed = (
  state: AccountInvoices,
  invoiceId: string,
  change: (totals: InvoiceTotals) => InvoiceTotals,
): AccountInvoices => {
  const totals = entryOf(state.invoices, invoiceId);
  return totals === undefined ? state : withTotals(state, invoiceId, change(totals));
};

const withPayment = (state: AccountInvoices, { transactionId, ...payment }: InvoicePayment): AccountInvoices => {
  const { invoiceId, transactionType, status, amountMinor } = payment;
  const transaction: Transaction = { invoiceId, transactionType, status, amountMinor };
  const before = entryOf(state.transactions, transactionId);
  const moved = paidBy(transaction) - (before ? paidBy(before) : 0);
  const transactions = withEntry(state.transactions, transactionId, transaction);
  const isOpen = status === 'PENDING' || status === 'UNKNOWN';
  const paying = isOpen ? { ...state.paying, [transactionId]: invoiceId } : withoutName(state.paying, transactionId);
  return changed({ ...state, transactions, paying }, invoiceId, (totals) => ({
    ...totals,
    paidMinor: totals.paidMinor + moved,
    purchasedMinor: totals.purchasedMinor + (transactionType === 'PURCHASE' ? moved : 0),
  }));
};

/** Days that recurring and usage items were charged up to: no later run goes back behind them. */
const withTargetDate = (
  state: AccountInvoices,
  items: readonly Pick<InvoiceItem, 'type'>[],
  targetDate: LocalDate,
): AccountInvoices =>
  items.some(({ type }) => type === 'RECURRING' || type === 'USAGE')
    ? { ...state, lastTargetDate: later(state.lastTargetDate, targetDate) }
    : state;

const withInvoice = (state: AccountInvoices, invoice: DraftInvoice, status: InvoiceStatus): AccountInvoices => {
  const { invoiceId, items, isMigration, targetDate } = invoice;
  const made = withTotals(state, invoiceId, newTotals(invoice, status, items, state.invoices.size));
  if (isMigration) return made;
  const after: AccountInvoices = {
    ...made,
    subscriptions: withCharges(state.subscriptions, items, { invoiceId, madeOn: invoice.invoiceDate }),
    creditMinor: state.creditMinor + creditOf(items),
    parked: null,
  };
  return withTargetDate(after, items, targetDate);
};

/** Items that came to an invoice after it was made; `targetDate` where they move it. */
const withMoreItems = (
  state: AccountInvoices,
  { invoiceId, items }: { readonly invoiceId: string; readonly items: readonly InvoiceItem[] },
  targetDate: LocalDate | null = null,
): AccountInvoices => {
  const madeOn = entryOf(state.invoices, invoiceId)?.invoiceDate;
  if (madeOn === undefined) return state;
  const after = changed(
    { ...state, subscriptions: withCharges(state.subscriptions, items, { invoiceId, madeOn }) },
    invoiceId,
    (totals) => ({ ...withItems(totals, items), targetDate: targetDate ?? totals.targetDate }),
  );
  return targetDate === null ? after : withTargetDate(after, items, targetDate);
};

const withAdjustment = (state: AccountInvoices, data: Data<'InvoiceAdjusted'>): AccountInvoices => {
  const { transactionId } = data;
  const after = withMoreItems(state, data);
  return transactionId === undefined ? after : { ...after, adjustedBy: [...after.adjustedBy, transactionId] };
};

const withoutVoided = (state: AccountInvoices, invoiceId: string): AccountInvoices => {
  const voided = entryOf(state.invoices, invoiceId);
  if (voided === undefined) return state;
  const after: AccountInvoices = {
    ...withTotals(state, invoiceId, { ...voided, status: 'VOID', creditMinor: 0 }),
    subscriptions: withoutInvoice(state.subscriptions, invoiceId),
    creditMinor: state.creditMinor - (voided.isMigration ? 0 : voided.creditMinor),
    voids: state.voids + 1,
    lastTargetDate: null,
  };
  return valuesIn(after.invoices)
    .filter(({ status, isMigration }) => status !== 'VOID' && !isMigration)
    .reduce((so, { items, targetDate }) => withTargetDate(so, items, targetDate), after);
};

const withCredit = (state: AccountInvoices, items: readonly CreditItem[]): AccountInvoices => {
  const after = items.reduce(
    (so, item) => changed(so, item.invoiceId, (totals) => withCreditItem(totals, item)),
    state,
  );
  const creditMinor = items.reduce((total, { amountMinor }) => total + amountMinor, state.creditMinor);
  return { ...after, creditMinor, creditItems: state.creditItems + items.length };
};

const withTag = (state: AccountInvoices, { objectId, tag, isSet }: ControlTagChange): AccountInvoices => {
  const others = (entryOf(state.tags, objectId) ?? []).filter((one) => one !== tag);
  const after = { ...state, tags: withEntry(state.tags, objectId, isSet ? [...others, tag] : others) };
  return tag === 'WRITTEN_OFF' ? changed(after, objectId, (totals) => ({ ...totals, isWrittenOff: isSet })) : after;
};

const withTimeline = (
  state: AccountInvoices,
  { isFollowed, changedFrom, ...timeline }: RecordedTimeline,
): AccountInvoices => {
  const ledger = state.subscriptions[timeline.subscriptionId] ?? { recurring: [], fixed: [], usage: [], closed: [] };
  const subscriptions = { ...state.subscriptions, [timeline.subscriptionId]: { ...ledger, timeline } };
  const since = changedFrom === undefined ? state.changedFrom : earlier(state.changedFrom, changedFrom);
  return { ...state, subscriptions, changedFrom: isFollowed === true ? since : null };
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

const waitingFor = (state: AccountInvoices, run: InvoiceRun): AccountInvoices => ({
  ...state,
  nextAt: null,
  pending: { requests: [], periods: [], ...state.pending, run: laterRun(state.pending?.run ?? null, run) },
});

type UsageRequest = Extract<AccountInvoicesEvent, { readonly type: 'UsageRequested' }>['data'];

const askedFor = (
  state: AccountInvoices,
  { requestId, subscriptionId, periods, run }: UsageRequest,
): AccountInvoices => {
  const { pending, ...rest } = waitingFor(state, run);
  if (pending === null) return state;
  const keys = new Set(periods.map((period) => usageRequestKey(subscriptionId, period)));
  const asked = {
    ...pending,
    requests: [...pending.requests, requestId],
    periods: [...pending.periods, ...keys],
  };
  return { ...rest, asked: state.asked + 1, pending: asked };
};

type Scheduled = Extract<AccountInvoicesEvent, { readonly type: 'NextInvoiceScheduled' }>['data'];

/** The end of a run: what was counted for it was charged, or cost nothing. One that was given up is not the last run. */
const afterRun = (state: AccountInvoices, { at, run, unused = [] }: Scheduled): AccountInvoices => {
  const isGivenUp = state.lastRun?.at === run.at && state.lastRun.targetDate === run.targetDate;
  const subscriptions = state.pending === null ? state.subscriptions : withoutCounted(state.subscriptions, !isGivenUp);
  return {
    ...state,
    subscriptions: withUnused(subscriptions, unused),
    nextAt: at,
    lastRun: run,
    pending: null,
    changedFrom: null,
  };
};

const withBillCycleDay = (state: AccountInvoices, billCycleDayLocal: number): AccountInvoices => ({
  ...state,
  account: state.account && { ...state.account, billCycleDayLocal },
});

const withChildShare = (state: AccountInvoices, share: ChildShare): AccountInvoices =>
  changed({ ...state, children: withEntry(state.children, share.childInvoiceId, share) }, share.invoiceId, (totals) =>
    withItemAmount(totals, share.itemId, share.itemAmountMinor),
  );

type Data<Type extends AccountInvoicesEvent['type']> = Extract<AccountInvoicesEvent, { readonly type: Type }>['data'];

/** What each event makes of the state: one that is forgotten does not compile. */
const folds: {
  readonly [Type in AccountInvoicesEvent['type']]: (state: AccountInvoices, data: Data<Type>) => AccountInvoices;
} = {
  AccountRecorded: (state, account) => ({ ...state, account }),
  BillingTimelineRecorded: withTimeline,
  BillCycleDayChosen: (state, { billCycleDayLocal }) => withBillCycleDay(state, billCycleDayLocal),
  UsageRequested: askedFor,
  InvoiceAwaited: (state, { run }) => waitingFor(state, run),
  UsageRecorded: withClosedUsage,
  LateUsageRecorded: (state, late) => ({ ...state, subscriptions: withLate(state.subscriptions, late) }),
  PaymentRecorded: withPayment,
  ControlTagRecorded: withTag,
  InvoiceItemsDrawn: withDrawn,
  InvoiceCommitted: (state, invoice) => withInvoice(...whole(state, invoice), 'COMMITTED'),
  InvoiceDrafted: (state, invoice) => withInvoice(...whole(state, invoice), 'DRAFT'),
  DraftExtended: (state, data) => withMoreItems(...whole(state, data), data.targetDate),
  DraftCommitted: (state, { invoiceId, parentAccountId = null }) =>
    changed(state, invoiceId, (totals) => ({ ...totals, status: 'COMMITTED', parentAccountId })),
  InvoiceVoided: (state, { invoiceId }) => withoutVoided(state, invoiceId),
  InvoiceAdjusted: (state, data) => withAdjustment(...whole(state, data)),
  ClosingAdjusted: (state, { closingId }) => ({ ...state, closings: [...state.closings, closingId] }),
  CreditApplied: (state, { items }) => withCredit(state, items),
  InvoicingHeld: (state, { isEnding, until: holdUntil = null }) => ({
    ...state,
    hold: isEnding ? 'ending' : 'held',
    holdUntil,
  }),
  InvoicingResumed: (state) => ({ ...state, hold: 'none', holdUntil: null }),
  ChildInvoiceSummed: withChildShare,
  SettledByParent: (state, { invoiceId, settledMinor }) =>
    changed(state, invoiceId, (totals) => ({ ...totals, settledMinor })),
  CreditTransferred: (state) => state,
  ChargedThroughChanged: (state) => state,
  BalanceChanged: (state) => state,
  NextInvoiceScheduled: afterRun,
  InvoicingParked: (state, { run, reason }) => ({
    ...state,
    subscriptions: withoutCounted(state.subscriptions, false), // A correction may be what it waits for.
    nextAt: null,
    lastRun: run,
    pending: null,
    parked: reason,
    changedFrom: null,
  }),
  InvoicingUnparked: (state) => ({ ...state, parked: null }),
};

export const evolve = (state: AccountInvoices, { type, data }: AccountInvoicesEvent): AccountInvoices =>
  (folds[type] as (state: AccountInvoices, data: object) => AccountInvoices)(state, data);
