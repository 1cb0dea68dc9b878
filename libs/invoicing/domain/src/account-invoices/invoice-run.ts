import { derivedId, localDateOf, type Currency, type Instant, type LocalDate } from '@billstream/kernel';
import { unitsOf } from '../rating/rate-usage';
import type {
  AccountInvoicesEvent,
  CommittedInvoice,
  InvoiceItem,
  InvoiceRun,
  RecordedAccount,
} from './account-invoices.events';
import { type AccountInvoices, type SubscriptionLedger, balanceOf, evolve, laterRun } from './account-invoices.state';
import { accountTimeOf } from './billing-events';
import { accountBalance, creditMoves, creditOfNewInvoice } from './credit';
import { creditInvoiceItem } from './credit-item';
import { type NewItem, generate, itemIdOf, unknownUsage } from './generate';
import { nextRunAt } from './next-run';
import type { UsagePeriod } from './usage-periods';

export type Step = (state: AccountInvoices) => readonly AccountInvoicesEvent[];

/** Steps of one decision: each sees what the ones before it decided. */
export const inSequence = (state: AccountInvoices, steps: readonly Step[]): readonly AccountInvoicesEvent[] => {
  const events: AccountInvoicesEvent[] = [];
  let current = state;
  for (const step of steps) {
    const decided = step(current);
    current = decided.reduce(evolve, current);
    events.push(...decided);
  }
  return events;
};

/** An account that can be invoiced: it is known and has a currency. */
type Billable = { readonly account: RecordedAccount; readonly currency: Currency };
const billable = ({ account }: AccountInvoices): Billable | null =>
  account?.currency ? { account, currency: account.currency } : null;

/** Never below the largest target date used before, so that a back-dated event leaves no gap (Kill Bill 2.12). */
export const runFor = (state: AccountInvoices, wanted: InvoiceRun): InvoiceRun => ({
  at: wanted.at,
  targetDate:
    state.lastTargetDate !== null && state.lastTargetDate > wanted.targetDate
      ? state.lastTargetDate
      : wanted.targetDate,
});

const requestsFor = (
  account: RecordedAccount,
  ledger: SubscriptionLedger,
  periods: readonly UsagePeriod[],
  run: InvoiceRun,
) => {
  const { subscriptionId } = ledger.timeline;
  const plans = [...new Set(periods.map(({ phase }) => phase.planName))];
  return plans.map((planName) => {
    const asked = periods
      .filter(({ phase }) => phase.planName === planName)
      .flatMap(({ usage, fromAt, toAt }) =>
        unitsOf(usage).map((unit) => ({ unit, usageName: usage.name, fromAt, toAt })),
      );
    const named = asked.flatMap(({ unit, usageName, fromAt, toAt }) => [unit, usageName, fromAt, toAt]);
    return {
      requestId: derivedId('usage-request', account.accountId, subscriptionId, planName, ...named),
      accountId: account.accountId,
      accountExternalKey: account.externalKey,
      subscriptionId,
      planName,
      timeZone: account.timeZone,
      periods: asked,
      run,
    };
  });
};

/** Asks for usage that is missing and not asked for yet; while any is outstanding, the run waits. Null: nothing to wait for. */
const awaitUsage = (
  state: AccountInvoices,
  account: RecordedAccount,
  run: InvoiceRun,
): readonly AccountInvoicesEvent[] | null => {
  const outstanding = state.pending?.requests ?? [];
  const requests = unknownUsage(state, run)
    .flatMap(({ ledger, periods }) => requestsFor(account, ledger, periods, run))
    .filter(({ requestId }) => !outstanding.includes(requestId));
  if (requests.length > 0) return requests.map((data) => ({ type: 'UsageRequested', data }));
  if (outstanding.length === 0 || state.pending === null) return null;
  const merged = laterRun(state.pending.run, run);
  const isLater = merged.at !== state.pending.run.at || merged.targetDate !== state.pending.run.targetDate;
  return isLater ? [{ type: 'InvoiceAwaited', data: { accountId: account.accountId, run } }] : [];
};

/**
 * A number is unique and never changes, yet no account waits for another to get one: the invoice's day and the first
 * twelve digits of its id. Kill Bill's is a string, too.
 */
const numberOf = (invoiceId: string, date: LocalDate): string =>
  `${date.replaceAll('-', '')}-${invoiceId.replaceAll('-', '').slice(0, 12)}`;

/** The invoice of these items as it would stand in the account's books today, credit included. */
export const invoiceOf = (
  state: AccountInvoices,
  { account, currency }: Billable,
  charges: readonly NewItem[],
  { targetDate, today }: { readonly targetDate: LocalDate; readonly today: LocalDate },
): CommittedInvoice => {
  const invoiceId = derivedId('invoice', account.accountId, String(Object.keys(state.invoices).length));
  const amountMinor = charges.reduce((total, item) => total + item.amountMinor, 0);
  const creditMinor = creditOfNewInvoice(amountMinor, state.creditMinor);
  const items = creditMinor === 0 ? charges : [...charges, creditInvoiceItem(creditMinor, today)];
  return {
    invoiceId,
    accountId: account.accountId,
    invoiceNumber: numberOf(invoiceId, today),
    invoiceDate: today,
    targetDate,
    currency,
    amountMinor,
    balanceMinor: amountMinor + creditMinor,
    items: items.map((item, index): InvoiceItem => ({ ...item, itemId: itemIdOf(invoiceId, index) })),
  };
};

/** The latest end of what an invoice charges each subscription; it overwrites what was there (Kill Bill 2.10). */
const chargedThrough = ({ accountId, items }: CommittedInvoice): AccountInvoicesEvent | null => {
  const through = new Map<string, LocalDate>();
  for (const { type, subscriptionId, startDate, endDate } of items) {
    if (subscriptionId === null || type === 'REPAIR_ADJ' || type === 'CBA_ADJ') continue;
    const date = endDate ?? startDate;
    const before = through.get(subscriptionId);
    if (before === undefined || before < date) through.set(subscriptionId, date);
  }
  if (through.size === 0) return null;
  const subscriptions = [...through].map(([subscriptionId, chargedThroughDate]) => ({
    subscriptionId,
    chargedThroughDate,
  }));
  return { type: 'ChargedThroughChanged', data: { accountId, subscriptions } };
};

/** Lets credit be made and used where it can, and says what everything touched stands at afterwards. */
export const settleCredit =
  (touched: readonly string[], today: LocalDate): Step =>
  (state) => {
    const known = billable(state);
    if (known === null) return [];
    const { account, currency } = known;
    const items = creditMoves(state, account.accountId, today);
    const applied: readonly AccountInvoicesEvent[] =
      items.length === 0 ? [] : [{ type: 'CreditApplied', data: { accountId: account.accountId, currency, items } }];
    const after = applied.reduce(evolve, state);
    const ids = new Set([...touched, ...items.map(({ invoiceId }) => invoiceId)]);
    const invoices = [...ids].flatMap((invoiceId) => {
      const totals = after.invoices[invoiceId];
      return totals === undefined ? [] : [{ invoiceId, balanceMinor: balanceOf(totals) }];
    });
    if (invoices.length === 0) return [];
    const accountBalanceMinor = accountBalance(after);
    return [
      ...applied,
      {
        type: 'BalanceChanged',
        data: {
          accountId: account.accountId,
          currency,
          accountBalanceMinor,
          accountCreditMinor: after.creditMinor,
          invoices,
        },
      },
    ];
  };

const commit = (
  state: AccountInvoices,
  invoice: CommittedInvoice,
  today: LocalDate,
): readonly AccountInvoicesEvent[] => {
  const through = chargedThrough(invoice);
  return inSequence(state, [
    () => [{ type: 'InvoiceCommitted', data: invoice }],
    () => (through === null ? [] : [through]),
    settleCredit([invoice.invoiceId], today),
  ]);
};

/** Says when to run next; also when only that changed. */
export const scheduleNext =
  (run: InvoiceRun): Step =>
  (state) => {
    if (state.account === null || state.parked !== null) return [];
    const at = nextRunAt(state, run);
    if (at === state.nextAt && state.pending === null) return [];
    return [{ type: 'NextInvoiceScheduled', data: { accountId: state.account.accountId, at, run } }];
  };

/**
 * One run of invoicing (Kill Bill 2.12): waits for usage, or makes at most one invoice for everything that is due, moves
 * credit and schedules the next run. A run that finds nothing new decides nothing.
 */
export const invoiceRun =
  (wanted: InvoiceRun, now: Instant): Step =>
  (state) => {
    const known = billable(state);
    if (known === null) return [];
    const run = runFor(state, state.pending === null ? wanted : laterRun(state.pending.run, wanted));
    const waiting = awaitUsage(state, known.account, run);
    if (waiting !== null) return waiting;
    const generated = generate(state, run);
    const { accountId } = known.account;
    if ('unpriceable' in generated)
      return [{ type: 'InvoicingParked', data: { accountId, ...generated.unpriceable, run } }];
    const today = localDateOf(now, accountTimeOf(known.account));
    const { items } = generated;
    const invoice = items.length === 0 ? null : invoiceOf(state, known, items, { targetDate: run.targetDate, today });
    return inSequence(state, [(before) => (invoice === null ? [] : commit(before, invoice, today)), scheduleNext(run)]);
  };
