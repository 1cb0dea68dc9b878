import { derivedId } from '@billstream/kernel';
import { unitsOf } from '../rating/rate-usage';
import type { AccountInvoicesEvent, InvoiceRun, RecordedAccount } from './account-invoices.events';
import { type AccountInvoices, isTagged, laterRun } from './account-invoices.state';
import { type NewItem, generate, unknownUsage } from './generate';
import { type InvoiceDates, commitDraft, commitInvoice, draftInvoice, extendDraft } from './make-invoice';
import { nextRunAt } from './next-run';
import { type Occasion, type Step, billable, inSequence, todayOf } from './steps';
import type { SubscriptionLedger } from './subscription-ledger';
import type { UsagePeriod } from './usage-periods';

/** Never below the largest target date used before, so that a back-dated event leaves no gap (Kill Bill 2.12). */
export const runFor = (state: AccountInvoices, wanted: InvoiceRun): InvoiceRun => ({
  at: wanted.at,
  targetDate:
    state.lastTargetDate !== null && state.lastTargetDate > wanted.targetDate
      ? state.lastTargetDate
      : wanted.targetDate,
});

/** A period that is asked for again after its invoice was voided is another request. */
const roundOf = ({ voids }: AccountInvoices): readonly string[] => (voids === 0 ? [] : [String(voids)]);

const requestsFor = (
  state: AccountInvoices,
  account: RecordedAccount,
  { ledger, periods }: { readonly ledger: SubscriptionLedger; readonly periods: readonly UsagePeriod[] },
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
      requestId: derivedId('usage-request', account.accountId, subscriptionId, planName, ...named, ...roundOf(state)),
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
  occasion: Occasion,
): readonly AccountInvoicesEvent[] | null => {
  const outstanding = state.pending?.requests ?? [];
  const requests = unknownUsage(state, run, occasion)
    .flatMap((unknown) => requestsFor(state, account, unknown, run))
    .filter(({ requestId }) => !outstanding.includes(requestId));
  if (requests.length > 0) return requests.map((data) => ({ type: 'UsageRequested', data }));
  if (outstanding.length === 0 || state.pending === null) return null;
  const merged = laterRun(state.pending.run, run);
  const isLater = merged.at !== state.pending.run.at || merged.targetDate !== state.pending.run.targetDate;
  return isLater ? [{ type: 'InvoiceAwaited', data: { accountId: account.accountId, run } }] : [];
};

/** Says when to run next; also when only that changed. */
export const scheduleNext =
  (run: InvoiceRun, { settings }: Occasion): Step =>
  (state) => {
    if (state.account === null || state.parked !== null) return [];
    const at = nextRunAt(state, run, settings);
    const { lastRun } = state;
    // The schedule stays, but what is planned from then on is not to be told from what was run.
    const isSame = at === state.nextAt && (lastRun === null || nextRunAt(state, lastRun, settings) === at);
    if (isSame && state.pending === null) return [];
    return [{ type: 'NextInvoiceScheduled', data: { accountId: state.account.accountId, at, run } }];
  };

/** The draft that runs add to, where the account has it so: the newest one. */
const reusableDraft = (state: AccountInvoices, accountId: string): string | null => {
  if (!isTagged(state, accountId, 'AUTO_INVOICING_REUSE_DRAFT')) return null;
  const drafts = Object.entries(state.invoices).filter(([, { status }]) => status === 'DRAFT');
  return drafts.at(-1)?.[0] ?? null;
};

/** What a run makes of its items, as the account's tags have it (Kill Bill 2.12). */
const makeInvoice =
  (accountId: string, items: readonly NewItem[], dates: InvoiceDates, occasion: Occasion): Step =>
  (state) => {
    if (items.length === 0) return [];
    const staysDraft = isTagged(state, accountId, 'AUTO_INVOICING_DRAFT');
    const draftId = reusableDraft(state, accountId);
    if (draftId === null)
      return staysDraft ? draftInvoice(items, dates)(state) : commitInvoice(items, dates, occasion)(state);
    return inSequence(state, [
      extendDraft(draftId, items, dates.targetDate),
      staysDraft ? () => [] : commitDraft(draftId, occasion),
    ]);
  };

/**
 * One run of invoicing (Kill Bill 2.12): waits for usage, or makes at most one invoice for everything that is due, moves
 * credit and schedules the next run. A run that finds nothing new decides nothing.
 */
export const invoiceRun =
  (wanted: InvoiceRun, occasion: Occasion): Step =>
  (state) => {
    const known = billable(state);
    if (known === null) return [];
    const run = runFor(state, state.pending === null ? wanted : laterRun(state.pending.run, wanted));
    const waiting = awaitUsage(state, known.account, run, occasion);
    if (waiting !== null) return waiting;
    const generated = generate(state, run, occasion);
    const { accountId } = known.account;
    if ('unpriceable' in generated)
      return [{ type: 'InvoicingParked', data: { accountId, ...generated.unpriceable, run } }];
    const dates = { targetDate: run.targetDate, today: todayOf(known.account, occasion) };
    return inSequence(state, [makeInvoice(accountId, generated.items, dates, occasion), scheduleNext(run, occasion)]);
  };
