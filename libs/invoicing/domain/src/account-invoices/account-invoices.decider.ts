import { type Decider, type Rejection, accept, reject } from '@billstream/event-sourcing';
import { type Instant, type LocalDate, localDateOf, plusMonths } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type {
  AccountInvoicesEvent,
  BillingTimeline,
  CommittedInvoice,
  InvoicePayment,
  InvoiceRun,
  RecordedAccount,
} from './account-invoices.events';
import { type AccountInvoices, evolve, nothingInvoiced } from './account-invoices.state';
import { accountTimeOf, firstBillCycleDay } from './billing-events';
import { generate } from './generate';
import { type Step, inSequence, invoiceOf, invoiceRun, runFor, scheduleNext, settleCredit } from './invoice-run';

/** `now` is the tenant's clock when the command was made. */
export type AccountInvoicesCommand =
  | { readonly type: 'RecordAccount'; readonly account: RecordedAccount; readonly now: Instant }
  | {
      readonly type: 'RecordBillingTimeline';
      readonly timeline: BillingTimeline;
      /** More timelines of the same change follow. */
      readonly isFollowed?: boolean;
      readonly now: Instant;
    }
  /** The last timeline of a change of several bundles is recorded. */
  | { readonly type: 'EndBillingChange'; readonly now: Instant }
  | {
      readonly type: 'RecordUsage';
      readonly requestId: string;
      readonly subscriptionId: string;
      readonly usages: readonly ClosedUsage[];
      readonly now: Instant;
    }
  | { readonly type: 'RecordPayment'; readonly payment: InvoicePayment; readonly now: Instant }
  /** Somebody asks for an invoice; null is today. */
  | { readonly type: 'Invoice'; readonly targetDate: LocalDate | null; readonly now: Instant }
  /** A scheduled run has come due. */
  | { readonly type: 'InvoiceDue'; readonly dueAt: Instant; readonly now: Instant };

export type AccountInvoicesRejection =
  Rejection<'account-unknown'> | (Rejection<'target-date-too-far'> & { readonly targetDate: LocalDate });

const monthsAheadMax = 36;

const runOn = (account: RecordedAccount, at: Instant, targetDate: LocalDate | null = null): InvoiceRun => ({
  at,
  targetDate: targetDate ?? localDateOf(at, accountTimeOf(account)),
});

const chooseBillCycleDay: Step = ({ account, subscriptions }) => {
  if (!account || account.billCycleDayLocal > 0) return [];
  const billCycleDayLocal = firstBillCycleDay(
    Object.values(subscriptions).map(({ timeline }) => timeline),
    account,
  );
  return billCycleDayLocal === null
    ? []
    : [{ type: 'BillCycleDayChosen', data: { accountId: account.accountId, billCycleDayLocal } }];
};

/** A run that nobody asked for; not while the account is parked. */
const automaticRun =
  (now: Instant): Step =>
  (state) =>
    state.account === null || state.parked !== null ? [] : invoiceRun(runOn(state.account, now), now)(state);

const reschedule =
  (now: Instant): Step =>
  (state) =>
    state.account === null || state.pending !== null
      ? []
      : scheduleNext(state.lastRun ?? runOn(state.account, now))(state);

const same = (a: object | null, b: object | null): boolean => JSON.stringify(a) === JSON.stringify(b);

const recordAccount = (
  state: AccountInvoices,
  account: RecordedAccount,
  now: Instant,
): readonly AccountInvoicesEvent[] => {
  const before = state.account;
  // The day that was chosen here is on its way to the account's owner; news from before it arrived does not undo it.
  const billCycleDayLocal =
    account.billCycleDayLocal > 0 ? account.billCycleDayLocal : (before?.billCycleDayLocal ?? 0);
  const { accountId, externalKey, currency, timeZone, referenceTime } = account;
  const recorded: RecordedAccount = { accountId, externalKey, currency, timeZone, referenceTime, billCycleDayLocal };
  if (same(before, recorded)) return [];
  const billsAnew = before?.currency !== currency || before.billCycleDayLocal !== billCycleDayLocal;
  return inSequence(state, [
    () => [{ type: 'AccountRecorded', data: recorded }],
    chooseBillCycleDay,
    billsAnew && Object.keys(state.subscriptions).length > 0 ? automaticRun(now) : () => [],
  ]);
};

/** The part of a timeline that has come about; what is only planned is charged when its time comes. */
const effective = (timeline: BillingTimeline | undefined, now: Instant): object | null =>
  timeline?.transitions.filter(({ effectiveAt }) => effectiveAt <= now) ?? [];

const recordTimeline = (
  state: AccountInvoices,
  { timeline, isFollowed = false, now }: Extract<AccountInvoicesCommand, { readonly type: 'RecordBillingTimeline' }>,
): readonly AccountInvoicesEvent[] => {
  const before = state.subscriptions[timeline.subscriptionId]?.timeline;
  const isKnown = same(before ?? null, timeline);
  if (isFollowed)
    return isKnown ? [] : [{ type: 'BillingTimelineRecorded', data: { ...timeline, isFollowed: true } }];
  const runsNow = state.isChanging || !same(effective(before, now), effective(timeline, now));
  if (isKnown && !runsNow) return [];
  return inSequence(state, [
    () => (isKnown ? [] : [{ type: 'BillingTimelineRecorded', data: timeline }]),
    chooseBillCycleDay,
    runsNow ? automaticRun(now) : reschedule(now),
  ]);
};

const recordUsage = (
  state: AccountInvoices,
  { requestId, subscriptionId, usages, now }: Extract<AccountInvoicesCommand, { readonly type: 'RecordUsage' }>,
): readonly AccountInvoicesEvent[] => {
  const { account, pending } = state;
  if (account === null || pending === null || !pending.requests.includes(requestId)) return [];
  return inSequence(state, [
    () => [{ type: 'UsageRecorded', data: { requestId, accountId: account.accountId, subscriptionId, usages } }],
    (after) => (after.pending?.requests.length === 0 ? invoiceRun(pending.run, now)(after) : []),
  ]);
};

const recordPayment = (
  state: AccountInvoices,
  payment: InvoicePayment,
  now: Instant,
): readonly AccountInvoicesEvent[] => {
  const { invoiceId, transactionId, transactionType, status, amountMinor } = payment;
  if (
    state.account === null ||
    same(state.transactions[transactionId] ?? null, { invoiceId, transactionType, status, amountMinor })
  )
    return [];
  return inSequence(state, [
    () => [{ type: 'PaymentRecorded', data: payment }],
    settleCredit([invoiceId], localDateOf(now, accountTimeOf(state.account))),
  ]);
};

const decide = (command: AccountInvoicesCommand, state: AccountInvoices) => {
  switch (command.type) {
    case 'RecordAccount':
      return accept(...recordAccount(state, command.account, command.now));
    case 'RecordBillingTimeline':
      return accept(...recordTimeline(state, command));
    case 'EndBillingChange':
      return state.isChanging
        ? accept(...inSequence(state, [chooseBillCycleDay, automaticRun(command.now)]))
        : accept<AccountInvoicesEvent>();
    case 'RecordUsage':
      return accept(...recordUsage(state, command));
    case 'RecordPayment':
      return accept(...recordPayment(state, command.payment, command.now));
    case 'InvoiceDue':
      if (state.account === null || state.parked !== null) return accept<AccountInvoicesEvent>();
      return accept(...invoiceRun(runOn(state.account, command.dueAt), command.now)(state));
    case 'Invoice': {
      if (state.account === null) return reject<AccountInvoicesRejection>({ code: 'account-unknown' });
      const run = runOn(state.account, command.now, command.targetDate);
      const tooFar = isTooFar(state.account, run, command.now);
      return tooFar ? reject<AccountInvoicesRejection>(tooFar) : accept(...invoiceRun(run, command.now)(state));
    }
  }
};

const isTooFar = (
  account: RecordedAccount,
  { targetDate }: InvoiceRun,
  now: Instant,
): AccountInvoicesRejection | null =>
  targetDate > plusMonths(localDateOf(now, accountTimeOf(account)), monthsAheadMax)
    ? { code: 'target-date-too-far', targetDate }
    : null;

export type Preview = { readonly invoice: CommittedInvoice | null } | { readonly rejected: AccountInvoicesRejection };

/**
 * The invoice that asking for one would give, without deciding anything. Usage that is not known yet is left out.
 * `upcoming` takes the day of the next scheduled run.
 */
export const previewInvoice = (
  state: AccountInvoices,
  {
    targetDate,
    upcoming,
    now,
  }: { readonly targetDate: LocalDate | null; readonly upcoming: boolean; readonly now: Instant },
): Preview => {
  const { account } = state;
  if (!account) return { rejected: { code: 'account-unknown' } };
  const nextDate = upcoming && state.nextAt !== null ? localDateOf(state.nextAt, accountTimeOf(account)) : targetDate;
  const run = runFor(state, runOn(account, now, nextDate));
  const tooFar = isTooFar(account, run, now);
  if (tooFar) return { rejected: tooFar };
  const generated = generate(state, run);
  if (!account.currency || 'unpriceable' in generated || generated.items.length === 0) return { invoice: null };
  const today = localDateOf(now, accountTimeOf(account));
  return {
    invoice: invoiceOf(state, { account, currency: account.currency }, generated.items, {
      targetDate: run.targetDate,
      today,
    }),
  };
};

/** All invoices, credit and charged periods of one account: a stream `accountInvoices-<accountId>`. */
export const accountInvoices: Decider<
  AccountInvoicesCommand,
  AccountInvoicesEvent,
  AccountInvoices,
  AccountInvoicesRejection
> = {
  initial: nothingInvoiced,
  decide,
  evolve,
};
