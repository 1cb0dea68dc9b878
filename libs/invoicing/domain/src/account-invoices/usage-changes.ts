import type { LocalDate } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import { unitsOf } from '../rating/rate-usage';
import type { AccountInvoicesEvent, LateUsagePeriod } from './account-invoices.events';
import { type AccountInvoices, evolve, isTagged } from './account-invoices.state';
import { runOn, runsByItself } from './commands/automatic-run';
import { type NewItem, generate, unknownUsage } from './generate';
import { runFor } from './invoice-run';
import { entriesIn } from './sheets';
import { type Given, type Occasion, occasionOf } from './steps';
import { type ChargedUsagePeriod, isSamePeriod } from './subscription-ledger';
import type { UsagePeriod } from './usage-periods';

/** A closed period as it would amount to after a change of usage that nobody has made: all units of its price, as metering counts them. */
export type ChangedPeriod = LateUsagePeriod & {
  /** The plan by whose rules it was counted. */
  readonly planName: string;
  readonly usages: readonly ClosedUsage[];
};

/**
 * What becomes of a changed period. `AT_ONCE`: an invoice of the difference, or credit. `NEXT_INVOICE`: the same with the
 * next one. `ON_HOLD`: once the account, or the bundle, is invoiced by itself again. `ABSORBED`: the difference is below what
 * the tenant bothers a customer with. `UNCHANGED`: another quantity, the same price. `NOT_CHARGED`: no invoice that stands
 * charges it. `PARKS`: it has no price, and invoicing of the account stops until somebody looks. `UNKNOWN`: it would be
 * counted by another plan, or in units, than those that were given.
 */
export type ChangeOutcome =
  'AT_ONCE' | 'NEXT_INVOICE' | 'ON_HOLD' | 'ABSORBED' | 'UNCHANGED' | 'NOT_CHARGED' | 'PARKS' | 'UNKNOWN';

export type UsageChange = LateUsagePeriod & {
  /** The days that an item would name; null: no run looks at the period. */
  readonly startDate: LocalDate | null;
  readonly endDate: LocalDate | null;
  readonly outcome: ChangeOutcome;
  /** What invoices would say, in minor units: more than zero is charged, less is given back. Null: that cannot be said. */
  readonly amountMinor: number | null;
  /** What it differs from what was charged, absorbed or not. */
  readonly differenceMinor: number | null;
};

/** The account as it stands, and as if it had just been told of the change and been given what the change comes to. */
const changedState = (
  before: AccountInvoices,
  accountId: string,
  changes: readonly ChangedPeriod[],
): { readonly told: AccountInvoices; readonly counted: AccountInvoices } => {
  const subscriptions = Object.fromEntries(
    Object.entries(before.subscriptions).map(([id, ledger]) => [id, { ...ledger, closed: [] }]),
  );
  // A run that waits was asked for other quantities.
  const idle: AccountInvoices = { ...before, subscriptions, pending: null };
  const told = changes
    .map(({ subscriptionId, usageName, fromAt, toAt }): AccountInvoicesEvent => ({
      type: 'LateUsageRecorded',
      data: { accountId, subscriptionId, usageName, fromAt, toAt },
    }))
    .reduce(evolve, idle);
  const counted = changes
    .map(({ subscriptionId, usages }): AccountInvoicesEvent => ({
      type: 'UsageRecorded',
      data: { requestId: 'preview', accountId, subscriptionId, usages },
    }))
    .reduce(evolve, told);
  return { told, counted };
};

const keyOf = (subscriptionId: string, { usageName, fromAt, toAt }: ChargedUsagePeriod): string =>
  `${subscriptionId} ${usageName} ${fromAt} ${toAt}`;

const isCharged = ({ subscriptions }: AccountInvoices, { subscriptionId, ...period }: ChangedPeriod): boolean =>
  entriesIn(subscriptions[subscriptionId]?.usage ?? []).some((billed) => isSamePeriod(billed, period));

/** What a run would say of each period in all; null: it could not make an invoice. */
const amountsOf = (
  state: AccountInvoices,
  run: Parameters<typeof generate>[1],
  occasion: Occasion,
): ReadonlyMap<string, number> | null => {
  const generated = generate(state, run, occasion);
  if ('unpriceable' in generated) return null;
  const amounts = new Map<string, number>();
  for (const item of generated.items) {
    const key = chargedKey(item);
    if (key !== null) amounts.set(key, (amounts.get(key) ?? 0) + item.amountMinor);
  }
  return amounts;
};

const chargedKey = ({ type, subscriptionId, usageName, usagePeriod }: NewItem): string | null =>
  type !== 'USAGE' || subscriptionId === null || usageName === null || usagePeriod === null
    ? null
    : keyOf(subscriptionId, { usageName, fromAt: usagePeriod.fromAt, toAt: usagePeriod.toAt });

const isGiven = ({ phase, usage }: UsagePeriod, { planName, usages }: ChangedPeriod): boolean =>
  phase.planName === planName && unitsOf(usage).every((unit) => usages.some((one) => one.unit === unit));

/**
 * What the news of changed periods would lead to if nothing else happened: the run that they would set off, decided by
 * the same function and without deciding anything.
 */
export const usageChanges = (
  before: AccountInvoices,
  changes: readonly ChangedPeriod[],
  given: Given,
): readonly UsageChange[] => {
  const { account } = before;
  const occasion = occasionOf(given);
  const { lateUsage } = occasion.settings;
  const charged = changes.filter((period) => isCharged(before, period));
  if (account === null || charged.length === 0) return changes.map((period) => unpriced(period, 'NOT_CHARGED'));
  const { told, counted } = changedState(before, account.accountId, charged);
  const run = runFor(told, runOn(account, occasion.now));
  const wanted = new Map(
    unknownUsage(told, run, occasion).flatMap(({ ledger, periods }) =>
      periods.map((period): [string, UsagePeriod] => [
        keyOf(ledger.timeline.subscriptionId, { ...period, usageName: period.usage.name }),
        period,
      ]),
    ),
  );
  const amounts = amountsOf(counted, run, occasion);
  const settings = { ...occasion.settings, lateUsage: { ...lateUsage, absorbBelow: null } };
  const whole = lateUsage.absorbBelow === null ? amounts : amountsOf(counted, run, { ...occasion, settings });
  const when = !runsByItself(before)
    ? 'ON_HOLD'
    : lateUsage.mode === 'CORRECT_PERIOD' && before.pending === null
      ? 'AT_ONCE'
      : 'NEXT_INVOICE';
  return changes.map((period): UsageChange => {
    const key = keyOf(period.subscriptionId, period);
    const looked = wanted.get(key);
    if (looked === undefined || !charged.includes(period)) return unpriced(period, heldBack(before, period));
    const { startDate, endDate } = looked;
    if (!isGiven(looked, period)) return { ...unpriced(period, 'UNKNOWN'), startDate, endDate };
    if (amounts === null || whole === null) return { ...unpriced(period, 'PARKS'), startDate, endDate };
    const amountMinor = amounts.get(key) ?? 0;
    const differenceMinor = whole.get(key) ?? 0;
    const unsaid = differenceMinor === 0 ? 'UNCHANGED' : 'ABSORBED';
    return {
      ...unpriced(period, amountMinor === 0 ? unsaid : when),
      ...{ startDate, endDate, amountMinor, differenceMinor },
    };
  });
};

/** A bundle that is not invoiced by itself is left out of runs. */
const heldBack = (state: AccountInvoices, { subscriptionId, ...period }: ChangedPeriod): ChangeOutcome => {
  const bundleId = state.subscriptions[subscriptionId]?.timeline.bundleId;
  const isOff = isTagged(state, bundleId, 'AUTO_INVOICING_OFF');
  return isOff && isCharged(state, { subscriptionId, ...period }) ? 'ON_HOLD' : 'NOT_CHARGED';
};

const unpriced = ({ subscriptionId, usageName, fromAt, toAt }: ChangedPeriod, outcome: ChangeOutcome): UsageChange => ({
  ...{ subscriptionId, usageName, fromAt, toAt },
  ...{ startDate: null, endDate: null, outcome },
  ...(outcome === 'NOT_CHARGED'
    ? { amountMinor: 0, differenceMinor: 0 }
    : { amountMinor: null, differenceMinor: null }),
});
