import {
  type Currency,
  type Decimal,
  type LocalDate,
  compare,
  daysBetween,
  money,
  multiply,
  settle,
  subtract,
  toDecimal,
} from '@billstream/kernel';
import { type FixedDays, partOfDays, prorationBetween } from '../proration/proration';
import { type DateRange, overlap, without } from './date-range';

/** What makes two recurring charges the same service: plan, phase and rate (Kill Bill 2.11, 2). */
export type RecurringKey = { readonly planName: string; readonly phaseName: string; readonly rate: Decimal };

/** A recurring item on record, with what has been taken back of it since. */
export type BilledRecurring = RecurringKey &
  DateRange & {
    readonly itemId: string;
    readonly amountMinor: number;
    /** Repairs and item adjustments so far, as a positive amount. */
    readonly takenBackMinor: number;
    readonly repaired: readonly DateRange[];
  };

export type ProposedRecurring = RecurringKey & DateRange & { readonly amountMinor: number };

export type Repair = DateRange & { readonly itemId: string; readonly amountMinor: number };

/** A range of an item, and that part of the item's amount. */
type Part = DateRange & { readonly amountMinor: number };

type Rules = { readonly currency: Currency; readonly fixedDays?: FixedDays };

/** The amount of an item goes over its days evenly; the whole item is the whole amount (Kill Bill 2.11, 3). */
const partOf = (item: DateRange & { readonly amountMinor: number }, { start, end }: DateRange, rules: Rules): Part => {
  if (start === item.start && end === item.end) return { start, end, amountMinor: item.amountMinor };
  const ratio = prorationBetween(start, end, daysBetween(item.start, item.end), rules.fixedDays);
  const amount = multiply(ratio, toDecimal(money(item.amountMinor, rules.currency)));
  return { start, end, amountMinor: settle(amount, rules.currency).minor };
};

const netRanges = (item: BilledRecurring): readonly DateRange[] =>
  item.repaired.reduce<readonly DateRange[]>(without, [item]);

const sameService = (a: RecurringKey, b: RecurringKey): boolean =>
  a.planName === b.planName && a.phaseName === b.phaseName && (a.rate === b.rate || compare(a.rate, b.rate) === 0);

const byStart = (a: { readonly start: LocalDate }, b: { readonly start: LocalDate }): number =>
  a.start < b.start ? -1 : a.start > b.start ? 1 : 0;

/** What of the items on record still stands, part by part: the account of a subscription after all repairs. */
export const standing = (
  billed: readonly BilledRecurring[],
  rules: Rules,
): readonly (Part & { readonly itemId: string })[] =>
  billed
    .flatMap((item) => netRanges(item).map((range) => ({ ...partOf(item, range, rules), itemId: item.itemId })))
    .sort(byStart);

const nameOf = ({ start, end, planName, phaseName, rate }: RecurringKey & DateRange): string =>
  [start, end, planName, phaseName, rate].join('|');

const isTwin = (item: BilledRecurring, asked: ProposedRecurring): boolean =>
  item.start === asked.start &&
  item.end === asked.end &&
  item.planName === asked.planName &&
  item.phaseName === asked.phaseName &&
  item.rate === asked.rate &&
  item.repaired.length === 0;

/**
 * How many items and proposals are the same from the beginning on, one by one and in the order of time: all the years
 * that nothing has touched. They are told apart without naming each.
 */
const sameFromBeginning = (billed: readonly BilledRecurring[], proposed: readonly ProposedRecurring[]): number => {
  let count = 0;
  for (let before: LocalDate | null = null; ; count += 1) {
    const [item, asked] = [billed[count], proposed[count]];
    if (item === undefined || asked === undefined || !isTwin(item, asked)) return count;
    if (before !== null && item.start <= before) return count;
    before = item.start;
  }
};

/** Items and proposals that are the same from end to end, which most are: they need no further look. */
const withoutTwins = <Proposed extends ProposedRecurring>(
  billed: readonly BilledRecurring[],
  proposed: readonly Proposed[],
): { readonly billed: readonly BilledRecurring[]; readonly proposed: readonly Proposed[] } => {
  const same = sameFromBeginning(billed, proposed);
  const unmatched = new Map(proposed.slice(same).map((item) => [nameOf(item), item]));
  const rest = billed.slice(same).filter((item) => item.repaired.length > 0 || !unmatched.delete(nameOf(item)));
  return { billed: rest, proposed: [...unmatched.values()] };
};

type Open<Proposed> = { readonly item: Proposed; ranges: readonly DateRange[] };

/** Takes from the proposals what a range already covers, and returns the ranges that no proposal asks for. */
const matched = <Proposed extends ProposedRecurring>(
  kept: DateRange,
  service: RecurringKey,
  open: readonly Open<Proposed>[],
): readonly DateRange[] => {
  let left: readonly DateRange[] = [kept];
  for (const proposal of open) {
    if (left.length === 0) return left;
    if (!sameService(service, proposal.item)) continue;
    for (const range of left)
      for (const asked of proposal.ranges) {
        const shared = overlap(range, asked);
        if (shared === null) continue;
        left = without(left, shared);
        proposal.ranges = without(proposal.ranges, shared);
      }
  }
  return left;
};

/** A range of an item that nobody asks for any more, and the stretch between earlier repairs that it lies in. */
type Unasked = { readonly kept: DateRange; readonly range: DateRange };

/**
 * What earlier repairs left of an item counts as an item with an amount of its own, already rounded, of which a further
 * repair takes its days. Capped by what is not yet taken back, so that an item adjusted to zero gives a repair of zero
 * (Kill Bill 2.11, 3).
 */
const repairOf = (item: BilledRecurring, { kept, range }: Unasked, takenBackMinor: number, rules: Rules): Repair => {
  const { amountMinor } = partOf(partOf(item, kept, rules), range, rules);
  return { ...range, itemId: item.itemId, amountMinor: -Math.min(amountMinor, item.amountMinor - takenBackMinor) };
};

const repairsOf = (item: BilledRecurring, unasked: readonly Unasked[], rules: Rules): readonly Repair[] => {
  let { takenBackMinor } = item;
  return unasked.map((one) => {
    const repair = repairOf(item, one, takenBackMinor, rules);
    takenBackMinor -= repair.amountMinor;
    return { ...repair, amountMinor: repair.amountMinor === 0 ? 0 : repair.amountMinor };
  });
};

/**
 * The ranges of a proposal that are still to be charged. It is cut from its beginning on, each cut leaving the rest of
 * the amount to the later part, so that the parts add up; that is seen where a month has fixed days.
 */
const partsStillAsked = (item: ProposedRecurring, ranges: readonly DateRange[], rules: Rules): readonly Part[] => {
  let rest = { start: item.start, amount: toDecimal(money(item.amountMinor, rules.currency)) };
  const upTo = (end: LocalDate): Decimal => {
    if (end === item.end) return rest.amount;
    const amount = multiply(partOfDays(rest.start, end, item.end, rules.fixedDays), rest.amount);
    rest = { start: end, amount: subtract(rest.amount, amount) };
    return amount;
  };
  return ranges.map(({ start, end }) => {
    if (start > rest.start) upTo(start);
    return { start, end, amountMinor: settle(upTo(end), rules.currency).minor };
  });
};

/**
 * Compares what a subscription should have been charged from its beginning with what it was charged (Kill Bill 2.11).
 * Days of the same service cancel out, however they were cut into items. Days charged and no longer asked for are
 * repaired, item by item; days asked for and not yet charged are the additions, with their part of the proposal. Items
 * of zero are never repaired, and cover no days but those of a proposal just like them. Days charged twice by mistake
 * count once and are repaired once.
 */
export const reconcile = <Proposed extends ProposedRecurring>(
  billed: readonly BilledRecurring[],
  proposed: readonly Proposed[],
  rules: Rules,
): { readonly additions: readonly Proposed[]; readonly repairs: readonly Repair[] } => {
  const rest = withoutTwins(billed, proposed);
  const open = rest.proposed.map((item): Open<Proposed> => ({ item, ranges: [item] }));
  const repairs = rest.billed
    .filter(({ amountMinor }) => amountMinor !== 0)
    .sort(byStart)
    .flatMap((item) => {
      const unasked = netRanges(item).flatMap((kept) => matched(kept, item, open).map((range) => ({ kept, range })));
      return repairsOf(item, unasked, rules);
    });
  const additions = open.flatMap(({ item, ranges }) =>
    partsStillAsked(item, ranges, rules).map((part) => ({ ...item, ...part })),
  );
  return { additions: [...additions].sort(byStart), repairs };
};
