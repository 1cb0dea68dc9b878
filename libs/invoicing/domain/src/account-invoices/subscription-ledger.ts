import type { LocalDate } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import type { DateRange } from '../repair/date-range';
import type { BilledRecurring } from '../repair/reconcile';
import type { BillingTimeline, CountedPeriod, InvoiceItem } from './account-invoices.events';
import { type Sheets, withAdded, withSheets } from './sheets';

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
export type BilledUsage = Charged &
  CountedPeriod & {
    readonly usageName: string;
    readonly amountMinor: number;
    readonly trackingIds?: readonly string[];
    /** It was charged while it was under way. */
    readonly isAhead?: true;
  };

/** What a subscription was charged, and what it should be: all that the next run compares. */
export type SubscriptionLedger = {
  readonly timeline: BillingTimeline;
  readonly recurring: Sheets<LedgerRecurring>;
  readonly fixed: Sheets<BilledFixed>;
  readonly usage: Sheets<BilledUsage>;
  /** Quantities known and not yet charged. */
  readonly closed: readonly ClosedUsage[];
  /** Charged periods whose usage has changed since, to be counted again with the next run; absent: none. */
  readonly late?: readonly LatePeriod[];
};

export type ChargedUsagePeriod = Pick<BilledUsage, 'usageName' | 'fromAt' | 'toAt'>;

/** `isNewer`: it changed after the run that waits was given its quantity, so that run does not charge it. */
export type LatePeriod = ChargedUsagePeriod & { readonly isNewer?: true };

export const isSamePeriod = (a: ChargedUsagePeriod, b: ChargedUsagePeriod): boolean =>
  a.usageName === b.usageName && a.fromAt === b.fromAt && a.toAt === b.toAt;

/** `madeOn`: the account's day on which the invoice was made. */
type Entry = { readonly item: InvoiceItem; readonly invoiceId: string; readonly madeOn: LocalDate };

const recurringOf = ({ item, invoiceId }: Entry): readonly LedgerRecurring[] => {
  const { itemId, startDate: start, endDate: end, amountMinor, rate, planName, phaseName } = item;
  if (end === null || rate === null || planName === null || phaseName === null) return [];
  return [{ itemId, invoiceId, start, end, amountMinor, rate, planName, phaseName, takenBackMinor: 0, repaired: [] }];
};

const fixedOf = ({ item, invoiceId }: Entry): BilledFixed => {
  const { planName, phaseName, startDate, amountMinor } = item;
  return { planName: planName ?? '', phaseName: phaseName ?? '', date: startDate, amountMinor, invoiceId };
};

const usageOf = ({ item, invoiceId, madeOn }: Entry): readonly BilledUsage[] => {
  const { usageName, usagePeriod, amountMinor, trackingIds, endDate } = item;
  if (usageName === null || usagePeriod === null) return [];
  return [
    {
      usageName,
      ...usagePeriod,
      amountMinor,
      invoiceId,
      ...(trackingIds === undefined ? {} : { trackingIds }),
      // Older items do not say up to when they were counted.
      ...(usagePeriod.countedUntil !== undefined || (endDate !== null && endDate > madeOn) ? { isAhead: true } : {}),
    },
  ];
};

/** An adjustment lowers what a later repair can take back, and nothing else. */
const withTakenBack = (item: LedgerRecurring, { item: taken, invoiceId }: Entry): LedgerRecurring => {
  const { type, startDate: start, endDate: end, amountMinor } = taken;
  if (type === 'REPAIR_ADJ' && end === null) return item;
  const after = { ...item, takenBackMinor: item.takenBackMinor - amountMinor };
  return type !== 'REPAIR_ADJ' || end === null
    ? after
    : { ...after, repaired: [...item.repaired, { start, end, amountMinor: -amountMinor, invoiceId }] };
};

/** Where items lie in a sheet, by their ids: of many adjustments one by one each finds its item without a walk. */
const places = new WeakMap<readonly LedgerRecurring[], ReadonlySet<string>>();

const idsIn = (sheet: readonly LedgerRecurring[]): ReadonlySet<string> => {
  const known = places.get(sheet) ?? new Set(sheet.map(({ itemId }) => itemId));
  places.set(sheet, known);
  return known;
};

const withAllTakenBack = (
  recurring: Sheets<LedgerRecurring>,
  takenBack: ReadonlyMap<string, readonly Entry[]>,
): Sheets<LedgerRecurring> => {
  if (takenBack.size === 0) return recurring;
  const ids = [...takenBack.keys()];
  return withSheets(recurring, (sheet) => {
    const known = idsIn(sheet);
    if (!ids.some((id) => known.has(id))) return sheet;
    return sheet.map((item) => (takenBack.get(item.itemId) ?? []).reduce(withTakenBack, item));
  });
};

/** All of an invoice at once: an invoice may have thousands of items, and the ledger as many before it. */
const withEntries = (ledger: SubscriptionLedger, entries: readonly Entry[]): SubscriptionLedger => {
  const ofType = (type: InvoiceItem['type']) => entries.filter(({ item }) => item.type === type);
  const takenBack = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { type, linkedItemId } = entry.item;
    if (linkedItemId === null || (type !== 'REPAIR_ADJ' && type !== 'ITEM_ADJ')) continue;
    takenBack.set(linkedItemId, [...(takenBack.get(linkedItemId) ?? []), entry]);
  }
  return {
    ...ledger,
    recurring: withAllTakenBack(withAdded(ledger.recurring, ofType('RECURRING').flatMap(recurringOf)), takenBack),
    fixed: withAdded(ledger.fixed, ofType('FIXED').map(fixedOf)),
    usage: withoutOldIds(withAdded(ledger.usage, ofType('USAGE').flatMap(usageOf))),
  };
};

/** Only the newest periods are counted again, so only they have to know what they counted. */
const periodsWithIds = 60;

const withoutOldIds = (usage: Sheets<BilledUsage>): Sheets<BilledUsage> => {
  let newer = usage.reduce((sum, { length }) => sum + length, 0);
  if (newer <= periodsWithIds) return usage;
  return withSheets(usage, (sheet) => {
    newer -= sheet.length;
    const old = newer >= periodsWithIds ? sheet.length : sheet.length - (periodsWithIds - newer);
    if (!sheet.some(({ trackingIds }, index) => index < old && trackingIds !== undefined)) return sheet;
    return sheet.map((one, index) => (index < old ? withoutIds(one) : one));
  });
};

const withoutIds = (one: BilledUsage): BilledUsage => {
  const { usageName, fromAt, toAt, countedUntil, takenMinor, amountMinor, invoiceId, isAhead } = one;
  return {
    ...{ usageName, fromAt, toAt, amountMinor, invoiceId },
    ...(countedUntil === undefined ? {} : { countedUntil }),
    ...(takenMinor === undefined ? {} : { takenMinor }),
    ...(isAhead === undefined ? {} : { isAhead }),
  };
};

export type Ledgers = Readonly<Record<string, SubscriptionLedger>>;

/** The ledgers after an invoice charged, repaired or adjusted something of their subscriptions. */
export const withCharges = (
  ledgers: Ledgers,
  items: readonly InvoiceItem[],
  { invoiceId, madeOn }: Omit<Entry, 'item'>,
): Ledgers => {
  const bySubscription = new Map<string, Entry[]>();
  for (const item of items) {
    if (item.subscriptionId === null) continue;
    const others = bySubscription.get(item.subscriptionId);
    if (others === undefined) bySubscription.set(item.subscriptionId, [{ item, invoiceId, madeOn }]);
    else others.push({ item, invoiceId, madeOn });
  }
  const after = { ...ledgers };
  for (const [subscriptionId, entries] of bySubscription) {
    const ledger = after[subscriptionId];
    if (ledger !== undefined) after[subscriptionId] = withEntries(ledger, entries);
  }
  return after;
};

/**
 * The ledgers without the quantities that a run was given. `isCharged`: it has charged them, late usage among them; a run
 * that came to nothing leaves what is late for another.
 */
export const withoutCounted = (ledgers: Ledgers, isCharged: boolean): Ledgers =>
  Object.values(ledgers).every(({ closed }) => closed.length === 0)
    ? ledgers
    : Object.fromEntries(
        Object.entries(ledgers).map(([id, { late = [], ...ledger }]) => {
          const isDone = (period: LatePeriod): boolean =>
            isCharged && period.isNewer !== true && ledger.closed.some((counted) => isSamePeriod(counted, period));
          const left = late.filter((period) => !isDone(period)).map(periodOf);
          return [id, { ...ledger, closed: [], ...(left.length === 0 ? {} : { late: left }) }];
        }),
      );

const periodOf = ({ usageName, fromAt, toAt }: ChargedUsagePeriod): ChargedUsagePeriod => ({ usageName, fromAt, toAt });

/** The ledgers with a charged period that is to be counted again. */
export const withLate = (
  ledgers: Ledgers,
  { subscriptionId, ...late }: ChargedUsagePeriod & { readonly subscriptionId: string },
): Ledgers => {
  const ledger = ledgers[subscriptionId];
  if (ledger === undefined) return ledgers;
  const others = (ledger.late ?? []).filter((one) => !isSamePeriod(one, late));
  const isNewer = ledger.closed.some((counted) => isSamePeriod(counted, late));
  const period = { ...periodOf(late), ...(isNewer ? { isNewer } : {}) };
  return { ...ledgers, [subscriptionId]: { ...ledger, late: [...others, period] } };
};

type Unused = CountedPeriod & { readonly usageName: string; readonly subscriptionId: string };

/** Periods that cost nothing count as charged, by no invoice. */
export const withUnused = (ledgers: Ledgers, unused: readonly Unused[]): Ledgers =>
  unused.reduce((so, { subscriptionId, ...period }) => {
    const ledger = so[subscriptionId];
    if (ledger === undefined) return so;
    const ahead = period.countedUntil === undefined ? {} : { isAhead: true as const };
    const usage = withAdded(ledger.usage, [{ ...period, ...ahead, amountMinor: 0, invoiceId: '' }]);
    return { ...so, [subscriptionId]: { ...ledger, usage } };
  }, ledgers);

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
  const isIts = (one: Charged): boolean => one.invoiceId === invoiceId;
  const others = <One extends Charged>(sheet: readonly One[]): readonly One[] =>
    sheet.some(isIts) ? sheet.filter((one) => !isIts(one)) : sheet;
  const standing = (sheet: readonly LedgerRecurring[]): readonly LedgerRecurring[] =>
    sheet.some((item) => isIts(item) || item.repaired.some(isIts))
      ? others(sheet).map((item) => withoutRepairs(item, invoiceId))
      : sheet;
  return Object.fromEntries(
    Object.entries(ledgers).map(([id, ledger]): [string, SubscriptionLedger] => [
      id,
      {
        ...ledger,
        recurring: withSheets(ledger.recurring, standing),
        fixed: withSheets(ledger.fixed, others),
        usage: withSheets(ledger.usage, others),
      },
    ]),
  );
};
