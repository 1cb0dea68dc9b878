import { type Instant, plusMs } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type {
  AccountInvoicesEvent,
  BillingTimeline,
  InvoicePayment,
  RecordedAccount,
} from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { firstBillCycleDay } from '../billing-events';
import { invoiceRun } from '../invoice-run';
import { settleCredit } from '../settle-credit';
import { type Given, type Step, inSequence, occasionOf, todayOf } from '../steps';
import { adjustForRefund } from './adjust-item';
import { automaticRun, reschedule, runSince } from './automatic-run';
import { entryOf } from '../book';

/** An account as its owner tells it; whether it has a parent may be left out. */
type ToldAccount = Omit<RecordedAccount, 'parentAccountId'> & { readonly parentAccountId?: string | null };
export type RecordAccount = Given & { readonly type: 'RecordAccount'; readonly account: ToldAccount };
export type RecordBillingTimeline = Given & {
  readonly type: 'RecordBillingTimeline';
  readonly timeline: BillingTimeline;
  /** More timelines of the same change follow. */
  readonly isFollowed?: boolean;
};
/** The last timeline of a change of several bundles was told. */
export type EndBillingChange = Given & { readonly type: 'EndBillingChange' };
export type RecordUsage = Given & {
  readonly type: 'RecordUsage';
  readonly requestId: string;
  readonly subscriptionId: string;
  readonly usages: readonly ClosedUsage[];
};
export type RecordPayment = Given & { readonly type: 'RecordPayment'; readonly payment: InvoicePayment };

const same = (a: object | null, b: object | null): boolean => JSON.stringify(a) === JSON.stringify(b);

const earliest = (a: Instant, b: Instant): Instant => (a < b ? a : b);

/** An account that nobody gave a day gets that of its first billable, account-aligned event (Kill Bill 2.5). */
export const chooseBillCycleDay: Step = ({ account, subscriptions }) => {
  if (!account || account.billCycleDayLocal > 0) return [];
  const billCycleDayLocal = firstBillCycleDay(
    Object.values(subscriptions).map(({ timeline }) => timeline),
    account,
  );
  return billCycleDayLocal === null
    ? []
    : [{ type: 'BillCycleDayChosen', data: { accountId: account.accountId, billCycleDayLocal } }];
};

const parentOf = ({
  parentAccountId = null,
  isPaymentDelegatedToParent = false,
}: ToldAccount): Pick<RecordedAccount, 'parentAccountId' | 'isPaymentDelegatedToParent'> =>
  parentAccountId === null ? {} : { parentAccountId, isPaymentDelegatedToParent };

export const recordAccount = (state: AccountInvoices, command: RecordAccount): readonly AccountInvoicesEvent[] => {
  const before = state.account;
  const { accountId, externalKey, currency, timeZone, referenceTime, ...facts } = command.account;
  // The day that was chosen here is on its way to the account's owner; news from before it arrived does not undo it.
  const billCycleDayLocal = facts.billCycleDayLocal > 0 ? facts.billCycleDayLocal : (before?.billCycleDayLocal ?? 0);
  const recorded: RecordedAccount = {
    ...{ accountId, externalKey, currency, timeZone, referenceTime, billCycleDayLocal },
    ...parentOf(command.account),
  };
  if (same(before, recorded)) return [];
  const billsAnew = before?.currency !== currency || before.billCycleDayLocal !== billCycleDayLocal;
  return inSequence(state, [
    () => [{ type: 'AccountRecorded', data: recorded }],
    chooseBillCycleDay,
    billsAnew && Object.keys(state.subscriptions).length > 0 ? automaticRun(occasionOf(command)) : () => [],
  ]);
};

/** The part of a timeline that has come about; what is only planned is charged when its time comes. */
const effective = (timeline: BillingTimeline | undefined, now: Instant): BillingTimeline['transitions'] =>
  timeline?.transitions.filter(({ effectiveAt }) => effectiveAt <= now) ?? [];

/** When charging stops and goes on again; a pause from before the start on leaves nothing to be charged at all. */
const pausesOf = (transitions: BillingTimeline['transitions']): readonly string[] =>
  transitions.every(({ phase }) => phase === null)
    ? ['never charged']
    : transitions.flatMap(({ kind, effectiveAt }) =>
        kind === 'BILLING_DISABLED' || kind === 'BILLING_ENABLED' ? [`${kind} ${effectiveAt}`] : [],
      );

const momentMs = 60_000;

/**
 * Now, or the last run where a clock was put back before it by a moment (tests do that): nothing plans what begins in
 * between any more, so it counts as come about.
 */
const runThroughBy = ({ lastRun }: AccountInvoices, now: Instant): Instant =>
  lastRun !== null && lastRun.at > now && lastRun.at <= plusMs(now, momentMs) ? lastRun.at : now;

/**
 * From when on two timelines differ in what has come about; null when they do not. A pause that is set or lifted counts
 * from the day that is done, however far back it reaches (Kill Bill 2.12).
 */
const changedSince = (before: BillingTimeline | undefined, after: BillingTimeline, now: Instant): Instant | null => {
  const [old, current] = [effective(before, now), effective(after, now)];
  if (before !== undefined && !same(pausesOf(old), pausesOf(current))) return now;
  for (let index = 0; index < Math.max(old.length, current.length); index += 1) {
    const [a, b] = [old[index], current[index]];
    if (same(a ?? null, b ?? null)) continue;
    if (a === undefined || b === undefined) return (a ?? b)?.effectiveAt ?? null;
    return a.effectiveAt < b.effectiveAt ? a.effectiveAt : b.effectiveAt;
  }
  return null;
};

/**
 * Whether something is withdrawn before its time that a run may have gone by: a charge in advance reaches up to the next
 * transition that is planned, so a run has taken back what was charged beyond it, however far ahead it lay. That is owed
 * again. (Kill Bill makes no invoice when a cancellation is taken back, and charges it whenever the next one is made.)
 */
const withdrawsWhatWasRun = (state: AccountInvoices, after: BillingTimeline, now: Instant): boolean => {
  const before = state.subscriptions[after.subscriptionId]?.timeline.transitions ?? [];
  const kept = new Set(after.transitions.map(({ effectiveAt }) => effectiveAt));
  return state.lastRun !== null && before.some(({ effectiveAt }) => effectiveAt > now && !kept.has(effectiveAt));
};

/** From when on there is something else to charge than the account's runs have gone by; null when there is not. */
const changesSince = (state: AccountInvoices, after: BillingTimeline, now: Instant): Instant | null =>
  changedSince(state.subscriptions[after.subscriptionId]?.timeline, after, runThroughBy(state, now)) ??
  (withdrawsWhatWasRun(state, after, now) ? now : null);

export const recordTimeline = (
  state: AccountInvoices,
  command: RecordBillingTimeline,
): readonly AccountInvoicesEvent[] => {
  const { timeline, isFollowed = false, now } = command;
  const before = state.subscriptions[timeline.subscriptionId]?.timeline;
  const isKnown = same(before ?? null, timeline);
  // Nothing is charged between timelines that change together, or one change would come to several invoices.
  const changed = changesSince(state, timeline, now);
  if (isFollowed && isKnown) return [];
  if (isFollowed) {
    const since = changed === null ? {} : { changedFrom: changed };
    return [{ type: 'BillingTimelineRecorded', data: { ...timeline, isFollowed: true, ...since } }];
  }
  const from = changed === null ? state.changedFrom : earliest(state.changedFrom ?? changed, changed);
  if (isKnown && from === null) return [];
  const occasion = occasionOf(command);
  return inSequence(state, [
    () => (isKnown ? [] : [{ type: 'BillingTimelineRecorded', data: timeline }]),
    chooseBillCycleDay,
    from === null ? reschedule(occasion) : runSince(occasion, from),
  ]);
};

export const endBillingChange = (
  state: AccountInvoices,
  command: EndBillingChange,
): readonly AccountInvoicesEvent[] => {
  const occasion = occasionOf(command);
  const { changedFrom } = state;
  return inSequence(state, [
    chooseBillCycleDay,
    changedFrom === null ? reschedule(occasion) : runSince(occasion, changedFrom),
  ]);
};

export const recordUsage = (state: AccountInvoices, command: RecordUsage): readonly AccountInvoicesEvent[] => {
  const { account, pending } = state;
  const { requestId, subscriptionId, usages } = command;
  if (account === null || pending === null || !pending.requests.includes(requestId)) return [];
  return inSequence(state, [
    () => [{ type: 'UsageRecorded', data: { requestId, accountId: account.accountId, subscriptionId, usages } }],
    (after) => (after.pending?.requests.length === 0 ? invoiceRun(pending.run, occasionOf(command))(after) : []),
  ]);
};

/** What a refund says it adjusts besides moving money; nothing while it has not succeeded. */
const refundAdjustment =
  (payment: InvoicePayment, command: RecordPayment): Step =>
  (state) => {
    const { transactionId, invoiceId, transactionType, status, isAdjusted, itemAdjustments, amountMinor } = payment;
    if (state.account === null || transactionType !== 'REFUND' || status !== 'SUCCESS' || isAdjusted !== true)
      return [];
    return adjustForRefund({
      transactionId,
      invoiceId,
      itemAdjustments: itemAdjustments ?? [],
      refundedMinor: amountMinor,
      date: todayOf(state.account, occasionOf(command)),
    })(state);
  };

export const recordPayment = (state: AccountInvoices, command: RecordPayment): readonly AccountInvoicesEvent[] => {
  const { payment } = command;
  const { invoiceId, transactionId, transactionType, status, amountMinor } = payment;
  const before = entryOf(state.transactions, transactionId) ?? null;
  if (state.account === null || same(before, { invoiceId, transactionType, status, amountMinor })) return [];
  return inSequence(state, [
    () => [{ type: 'PaymentRecorded', data: payment }],
    refundAdjustment(payment, command),
    settleCredit([invoiceId], occasionOf(command)),
  ]);
};
