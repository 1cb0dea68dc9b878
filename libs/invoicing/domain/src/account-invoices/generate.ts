import { type LocalDate, decimal, derivedId } from '@billstream/kernel';
import { reconcile } from '../repair/reconcile';
import type { InvoiceRun } from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';
import { type RecurringProposal, proposedFixed, proposedRecurring, subjectOf } from './proposals';
import { type NewItem, type RunRules, type Work, plainItem, worksOf } from './run-work';
import type { LedgerRecurring, SubscriptionLedger } from './subscription-ledger';
import { type UnusedPeriod, unknownPeriods, usageItems } from './usage-items';
import type { UsagePeriod } from './usage-periods';
import { entriesIn } from './sheets';

export type { NewItem };

const fixedItems = ({ ledger, events, currency, run, from }: Work): readonly NewItem[] =>
  proposedFixed(events, run.targetDate, currency)
    .filter(({ date }) => from === null || date >= from)
    .filter(
      ({ phase, date, amountMinor }) =>
        !entriesIn(ledger.fixed).some(
          (billed) =>
            billed.date === date &&
            billed.amountMinor === amountMinor &&
            billed.planName === phase.planName &&
            billed.phaseName === phase.phaseName,
        ),
    )
    .map(({ phase, quantity, date, endDate, amountMinor }) => ({
      ...subjectOf(ledger.timeline, phase),
      ...plainItem,
      type: 'FIXED',
      startDate: date,
      endDate,
      amountMinor,
      quantity: decimal(quantity),
    }));

/** What a repair takes back is described by the phase that charged it; the catalog it came from may be gone by now. */
const repairSubject = ({ ledger, events }: Work, itemId: string): Pick<NewItem, keyof ReturnType<typeof subjectOf>> => {
  const item = entriesIn(ledger.recurring).find((billed) => billed.itemId === itemId);
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

/** The same of what was charged; where its plan is no longer part of the timeline, the target date of its invoice. */
const billedDueDate = (item: LedgerRecurring, { events, targetDateOf }: Work): LocalDate => {
  const { planName, phaseName, invoiceId, start, end } = item;
  const charged = events.find(({ phase }) => phase?.planName === planName && phase.phaseName === phaseName)?.phase;
  if (charged) return charged.recurringBillingMode === 'IN_ADVANCE' ? start : end;
  return targetDateOf(invoiceId) ?? end;
};

/** What was charged and what should be, as far as the run looks back. */
const comparable = (work: Work, proposed: readonly RecurringProposal[]) => {
  const { ledger, from } = work;
  const all = entriesIn(ledger.recurring);
  if (from === null) return { billed: all, proposed };
  const billed = all.filter((one) => billedDueDate(one, work) >= from);
  // What a period that is looked at was cut to is what is left of its item, although it ended before the look-back.
  const starts = new Set(billed.map(({ start }) => start));
  return { billed, proposed: proposed.filter((one) => dueDateOf(one) >= from || starts.has(one.start)) };
};

const recurringItems = (work: Work): readonly NewItem[] => {
  const { ledger, events, currency, run, settings } = work;
  const rules = { currency, settings, charged: entriesIn(ledger.recurring) };
  const { billed, proposed } = comparable(work, proposedRecurring(events, run.targetDate, rules));
  const { additions, repairs } = reconcile(billed, proposed, { currency, fixedDays: settings.fixedDays });
  return [
    ...additions.map(({ phase, quantity, rate, start, end, amountMinor }): NewItem => ({
      ...subjectOf(ledger.timeline, phase),
      ...plainItem,
      type: 'RECURRING',
      startDate: start,
      endDate: end,
      amountMinor,
      rate,
      quantity: decimal(quantity),
    })),
    ...repairs.map(({ itemId, start, end, amountMinor }): NewItem => ({
      ...repairSubject(work, itemId),
      ...plainItem,
      type: 'REPAIR_ADJ',
      linkedItemId: itemId,
      startDate: start,
      endDate: end,
      amountMinor,
    })),
  ];
};

/** Usage that has to be known before the run can make its invoice, by subscription. */
export const unknownUsage = (
  state: AccountInvoices,
  run: InvoiceRun,
  rules: RunRules,
): readonly { readonly ledger: SubscriptionLedger; readonly periods: readonly UsagePeriod[] }[] =>
  worksOf(state, run, rules)
    .map((work) => ({ ledger: work.ledger, periods: unknownPeriods(work) }))
    .filter(({ periods }) => periods.length > 0);

export type Unpriceable = {
  readonly reason: 'usage-beyond-all-tiers' | 'usage-charged-more-before';
  readonly subscriptionId: string;
};
export type Generated =
  | { readonly items: readonly NewItem[]; readonly unused: readonly UnusedPeriod[] }
  | { readonly unpriceable: Unpriceable };

/**
 * Everything that should be charged up to the run's target date and is not yet on an invoice, and everything on one that
 * should not have been (Kill Bill 2.9 to 2.11, 3.3). Pure: the same state and run give the same items, so a preview is
 * this function and nothing else. Usage that is not known is left out.
 */
export const generate = (state: AccountInvoices, run: InvoiceRun, rules: RunRules): Generated => {
  const items: NewItem[] = [];
  const unused: UnusedPeriod[] = [];
  for (const work of worksOf(state, run, rules)) {
    const usage = usageItems(work);
    if (typeof usage === 'string')
      return { unpriceable: { reason: usage, subscriptionId: work.ledger.timeline.subscriptionId } };
    items.push(...fixedItems(work), ...recurringItems(work), ...usage.items);
    unused.push(...usage.unused);
  }
  return { items, unused };
};

/** The name of the n-th item of an invoice; the same each time the same invoice is made. */
export const itemIdOf = (invoiceId: string, index: number): string =>
  derivedId('invoice-item', invoiceId, String(index));
