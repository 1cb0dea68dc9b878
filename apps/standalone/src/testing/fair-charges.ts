import type { InvoiceItem } from '@billstream/invoicing-domain';
import { type LocalDate, daysBetween, localDateOf, plusDays } from '@billstream/kernel';
import type { BillingPeriod, BillingTransition } from '@billstream/subscriptions-contracts';
import type { Customer } from './billed-customer';
import { usageFaults } from './fair-usage';
import { startsAt } from './histories';

/*
 * What a customer should have been charged, found out by other means than the engine's: recurring prices day by day,
 * usage period by period from the hours that were used. Amounts are minor units.
 */

export const itemsOf = (customer: Customer, subscriptionId: string): readonly InvoiceItem[] =>
  customer.charges().filter((item) => item.subscriptionId === subscriptionId);

const nextDays = new Map<LocalDate, LocalDate>();
/** The same few years are walked day by day for every customer. */
const dayAfter = (day: LocalDate): LocalDate => {
  const next = nextDays.get(day) ?? plusDays(day, 1);
  nextDays.set(day, next);
  return next;
};

const takenBackOf = (
  { itemId }: InvoiceItem,
  items: readonly InvoiceItem[],
  by: 'REPAIR_ADJ' | 'ITEM_ADJ' = 'REPAIR_ADJ',
): readonly InvoiceItem[] => items.filter(({ type, linkedItemId }) => type === by && linkedItemId === itemId);

/** The terms by which each day is charged: those of the recurring items that stand on it after repairs. */
const chargedDays = (items: readonly InvoiceItem[]): ReadonlyMap<LocalDate, string> => {
  const days = new Map<LocalDate, string>();
  for (const item of items) {
    if (item.type !== 'RECURRING') continue;
    const repairs = takenBackOf(item, items);
    for (let day = item.startDate; day < (item.endDate ?? day); day = dayAfter(day)) {
      if (repairs.some(({ startDate, endDate }) => startDate <= day && day < (endDate ?? day))) continue;
      const others = days.has(day) ? `${days.get(day) ?? ''} and again ` : '';
      days.set(day, `${others}${item.phaseName ?? ''} ${Number(item.rate)}`);
    }
  }
  return days;
};

/** The fewest and the most days that a billing period has. */
const daysOf: Partial<Record<BillingPeriod, readonly [number, number]>> = {
  WEEKLY: [7, 7],
  MONTHLY: [28, 31],
  QUARTERLY: [89, 92],
  ANNUAL: [365, 366],
};

const lengthOf = (period: BillingPeriod): readonly [number, number] => {
  const days = daysOf[period];
  if (days === undefined) throw new RangeError(`how long is ${period}?`);
  return days;
};

/** After how many days a day must have been charged: at once in advance, when its period is over in arrear. */
const chargedWithin = (phase: BillingTransition['phase']): number =>
  phase?.recurring == null || phase.recurringBillingMode === 'IN_ADVANCE'
    ? 0
    : lengthOf(phase.recurring.billingPeriod)[1];

/**
 * Each day with the terms it is charged by and the terms it should be: the same when each is charged once and none is
 * lost. Days to come are charged in advance, or not yet.
 */
export const recurringOf = (customer: Customer, subscriptionId: string) => {
  const { account } = customer.state();
  if (account === null) throw new Error('no account');
  const timeline = customer.timeline(subscriptionId).map(({ effectiveAt, phase, quantity }) => ({
    from: localDateOf(effectiveAt, account),
    terms: phase?.recurring == null ? '' : `${phase.phaseName} ${Number(phase.recurring.price) * quantity}`,
    chargedWithin: chargedWithin(phase),
  }));
  const days = chargedDays(itemsOf(customer, subscriptionId));
  const today = localDateOf(customer.now(), account);
  const until = [...days.keys()].reduce((last, day) => (day >= last ? dayAfter(day) : last), today);
  const charged: string[] = [];
  const owed: string[] = [];
  for (let day = localDateOf(startsAt, account); day < until; day = dayAfter(day)) {
    const terms = days.get(day);
    // The last transition of a day rules it: what lasts less than a day is not charged.
    const rule = timeline.findLast(({ from }) => from <= day);
    if (terms === undefined && (day >= today || plusDays(day, rule?.chargedWithin ?? 0) >= today)) continue;
    charged.push(`${day} ${terms ?? ''}`);
    owed.push(`${day} ${rule?.terms ?? ''}`);
  }
  return { charged, owed };
};

const recurringFaults = (customer: Customer, subscriptionId: string): readonly string[] => {
  const { charged, owed } = recurringOf(customer, subscriptionId);
  return owed.flatMap((day, index) => (charged[index] === day ? [] : [`${charged[index] ?? ''}, owed ${day}`]));
};

/**
 * What an item nets to is its price for the days that stand, to a minor unit for it and each of its repairs. What was taken
 * back by hand is taken back once: a repair of the same days has only the rest to take.
 */
const priceFaults = (items: readonly InvoiceItem[]): readonly string[] =>
  items.flatMap((item) => {
    if (item.type !== 'RECURRING' || item.endDate === null) return [];
    const repairs = takenBackOf(item, items);
    const sum = (ofItem: readonly InvoiceItem[]) => ofItem.reduce((all, { amountMinor }) => all - amountMinor, 0);
    const byHand = sum(takenBackOf(item, items, 'ITEM_ADJ'));
    const whole = daysBetween(item.startDate, item.endDate);
    const gone = repairs.reduce(
      (days, { startDate, endDate }) => days + daysBetween(startDate, endDate ?? startDate),
      0,
    );
    const repaired = sum(repairs);
    const fair = (item.amountMinor * gone) / whole;
    const least = Math.min(fair, item.amountMinor - byHand) - 1 - repairs.length;
    const isFair =
      repaired >= least && repaired <= fair + 1 + repairs.length && repaired + byHand <= Math.max(0, item.amountMinor);
    return isFair
      ? []
      : [
          `${item.startDate} to ${item.endDate}: ${repaired} and ${byHand} by hand of ${item.amountMinor} for ${gone} of ${whole} days, fair is ${fair}`,
        ];
  });

/** An item costs the part of its price that its days are of a period, however long that period may be. */
const rateFaults = (customer: Customer, subscriptionId: string): readonly string[] => {
  const periods = new Map(
    customer
      .phases(subscriptionId)
      .flatMap((phase) =>
        phase.recurring === null ? [] : [[phase.phaseName, phase.recurring.billingPeriod] as const],
      ),
  );
  return itemsOf(customer, subscriptionId).flatMap((item) => {
    const { type, startDate, endDate, rate, amountMinor, phaseName } = item;
    const period = periods.get(phaseName ?? '');
    if (type !== 'RECURRING' || endDate === null || period === undefined) return [];
    const [fewest, most] = lengthOf(period);
    const perDay = (Number(rate) * 100 * daysBetween(startDate, endDate)) / 1;
    // A whole period costs its price; bill dates of day 29 to 31 make a month of 28 days of up to 31.
    const isFair =
      amountMinor === Math.round(Number(rate) * 100) ||
      (amountMinor >= perDay / most - 1 && amountMinor <= perDay / fewest + 1);
    return isFair ? [] : [`${phaseName ?? ''} ${startDate} to ${endDate}: ${amountMinor} at ${rate ?? ''} a ${period}`];
  });
};

/** A one-time price is charged once, for the phase that begins on its day. */
const fixedFaults = (customer: Customer, subscriptionId: string): readonly string[] => {
  const fixed = itemsOf(customer, subscriptionId).filter(({ type }) => type === 'FIXED');
  const names = fixed.map(({ startDate, phaseName, amountMinor }) => `${startDate} ${phaseName ?? ''} ${amountMinor}`);
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} again`);
};

/** What a subscription was charged too much or too little, in words; empty when all of it is right. */
export const faultsOf = (customer: Customer, subscriptionId: string): readonly string[] => [
  ...recurringFaults(customer, subscriptionId),
  ...priceFaults(itemsOf(customer, subscriptionId)),
  ...rateFaults(customer, subscriptionId),
  ...fixedFaults(customer, subscriptionId),
  ...usageFaults(customer, subscriptionId),
];
