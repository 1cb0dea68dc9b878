import { derivedId } from '@billstream/kernel';
import { unitsOf } from '../rating/rate-usage';
import type { AccountInvoicesEvent, InvoiceRun, RecordedAccount } from './account-invoices.events';
import { type AccountInvoices, isTagged, laterRun, usageRequestKey } from './account-invoices.state';
import { type NewItem, generate, unknownUsage } from './generate';
import {
  type Charge,
  type InvoiceDates,
  chargedThrough,
  commitDraft,
  commitInvoice,
  draftInvoice,
  extendDraft,
} from './make-invoice';
import { nextRunAt } from './next-run';
import { type Occasion, type Step, billable, inSequence, todayOf } from './steps';
import type { SubscriptionLedger } from './subscription-ledger';
import { usageCalendarOf, usageDateOf } from './usage-calendar';
import type { UnusedPeriod } from './usage-items';
import type { UsagePeriod } from './usage-periods';
import { idsByPlace } from './places';

/** Never below the largest target date used before, so that a back-dated event leaves no gap (Kill Bill 2.12). */
export const runFor = (state: AccountInvoices, wanted: InvoiceRun): InvoiceRun => ({
  ...wanted,
  targetDate:
    state.lastTargetDate !== null && state.lastTargetDate > wanted.targetDate
      ? state.lastTargetDate
      : wanted.targetDate,
});

/** Quantities of a request and of a decision, and requests outstanding: a run that needs more asks again when it has these. */
const quantitiesInRequest = 250;
const quantitiesAtOnce = 1_500;
const requestsAtOnce = 300;

/** A period has a quantity for each unit of its price. */
const quantitiesOf = ({ usage }: UsagePeriod): number => unitsOf(usage).length;

/** Periods in groups of one plan, none too large for an event. */
const groupsOf = (periods: readonly UsagePeriod[]): readonly (readonly UsagePeriod[])[] => {
  const groups: UsagePeriod[][] = [];
  const open = new Map<string, { readonly group: UsagePeriod[]; quantities: number }>();
  for (const period of periods) {
    const { planName } = period.phase;
    const quantities = quantitiesOf(period);
    let last = open.get(planName);
    if (last === undefined || last.quantities + quantities > quantitiesInRequest) {
      last = { group: [], quantities: 0 };
      open.set(planName, last);
      groups.push(last.group);
    }
    last.group.push(period);
    last.quantities += quantities;
  }
  return groups;
};

const requestsFor = (
  account: RecordedAccount,
  { ledger, periods }: { readonly ledger: SubscriptionLedger; readonly periods: readonly UsagePeriod[] },
  run: InvoiceRun,
) => {
  const { subscriptionId } = ledger.timeline;
  return groupsOf(periods).map((group) => ({
    accountId: account.accountId,
    accountExternalKey: account.externalKey,
    subscriptionId,
    planName: group[0]?.phase.planName ?? '',
    timeZone: account.timeZone,
    periods: group.flatMap(({ usage, fromAt, toAt }) =>
      unitsOf(usage).map((unit) => ({ unit, usageName: usage.name, fromAt, toAt })),
    ),
    run,
  }));
};

/** What the run needs and nobody has asked for, as much of it as one decision may ask for. */
export const usageRequests = (
  state: AccountInvoices,
  account: RecordedAccount,
  run: InvoiceRun,
  occasion: Occasion,
) => {
  const asked = new Set(state.pending?.periods);
  let left = (state.pending?.requests.length ?? 0) < requestsAtOnce ? quantitiesAtOnce : 0;
  const wanted = unknownUsage(state, run, occasion).map(({ ledger, periods }) => {
    const { subscriptionId } = ledger.timeline;
    const open = periods.filter(
      ({ usage, fromAt, toAt }) => !asked.has(usageRequestKey(subscriptionId, { usageName: usage.name, fromAt, toAt })),
    );
    const taken = open.filter((period) => {
      // The first is taken, however many units it has.
      const fits = left > 0 && (left === quantitiesAtOnce || quantitiesOf(period) <= left);
      left = fits ? left - quantitiesOf(period) : 0;
      return fits;
    });
    return { ledger, periods: taken };
  });
  return wanted
    .flatMap((unknown) => requestsFor(account, unknown, run))
    .slice(0, requestsAtOnce)
    .map((request, index) => ({
      requestId: derivedId('usage-request', account.accountId, String(state.asked + index)),
      ...request,
    }));
};

/** Asks for usage that is missing and not asked for yet; while any is outstanding, the run waits. Null: nothing to wait for. */
const awaitUsage = (
  state: AccountInvoices,
  account: RecordedAccount,
  run: InvoiceRun,
  occasion: Occasion,
): readonly AccountInvoicesEvent[] | null => {
  const requests = usageRequests(state, account, run, occasion);
  if (requests.length > 0) return requests.map((data) => ({ type: 'UsageRequested', data }));
  if (state.pending === null || state.pending.requests.length === 0) return null;
  const merged = laterRun(state.pending.run, run);
  const { at, targetDate, isAsked } = state.pending.run;
  const isMore = merged.at !== at || merged.targetDate !== targetDate || merged.isAsked !== isAsked;
  return isMore ? [{ type: 'InvoiceAwaited', data: { accountId: account.accountId, run } }] : [];
};

/** Says when to run next; also when only that changed. */
export const scheduleNext =
  (run: Omit<InvoiceRun, 'isAsked'>, { settings }: Occasion, unused: readonly UnusedPeriod[] = []): Step =>
  (state) => {
    if (state.account === null || state.parked !== null) return [];
    const at = nextRunAt(state, run, settings);
    const { lastRun } = state;
    // The schedule stays, but what is planned from then on is not to be told from what was run.
    const isSame = at === state.nextAt && (lastRun === null || nextRunAt(state, lastRun, settings) === at);
    if (isSame && state.pending === null && unused.length === 0) return [];
    const data = { accountId: state.account.accountId, at, run: { targetDate: run.targetDate, at: run.at } };
    return [{ type: 'NextInvoiceScheduled', data: unused.length === 0 ? data : { ...data, unused } }];
  };

/** The id of the draft that runs add to, where the account has it so: the newest one; null when there is none. */
export const reusableDraft = (state: AccountInvoices, accountId: string): string | null => {
  if (!isTagged(state, accountId, 'AUTO_INVOICING_REUSE_DRAFT')) return null;
  return idsByPlace(state.drafts).at(-1) ?? null;
};

type Made = { readonly items: readonly NewItem[]; readonly unused: readonly Charge[] };

/** A period that cost nothing and gives no item is charged through all the same (Kill Bill's InvoiceWithMetadata). */
const unusedCharges = (
  account: RecordedAccount,
  unused: readonly UnusedPeriod[],
  { settings }: Occasion,
): readonly Charge[] => {
  const calendar = usageCalendarOf(account, settings);
  return unused.map(({ subscriptionId, fromAt, toAt }) => ({
    type: 'USAGE',
    subscriptionId,
    startDate: usageDateOf(fromAt, calendar),
    endDate: usageDateOf(toAt, calendar),
  }));
};

/** What a run makes of its items, as the account's tags have it (Kill Bill 2.12). */
const makeInvoice =
  (accountId: string, { items, unused }: Made, dates: InvoiceDates, occasion: Occasion): Step =>
  (state) => {
    const staysDraft = isTagged(state, accountId, 'AUTO_INVOICING_DRAFT');
    if (items.length === 0) return staysDraft ? [] : chargedThrough(accountId, unused)(state);
    const draftId = reusableDraft(state, accountId);
    if (draftId === null)
      return staysDraft ? draftInvoice(items, dates)(state) : commitInvoice(items, dates, occasion, { unused })(state);
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
    const { items, unused } = generated;
    const made = { items, unused: unusedCharges(known.account, unused, occasion) };
    return inSequence(state, [makeInvoice(accountId, made, dates, occasion), scheduleNext(run, occasion, unused)]);
  };
