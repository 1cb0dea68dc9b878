import type { CommittedInvoice, InvoiceItem } from '@billstream/invoicing-domain';
import {
  type Instant,
  type LocalDate,
  daysBetween,
  epochMs,
  localDateOf,
  parseInstant,
  plusDays,
  plusMonths,
} from '@billstream/kernel';
import fc from 'fast-check';
import { type CustomerFacts, type Wish, billedCustomer, hourMs, usedBetween } from './testing/billed-customer';
import { entriesOf } from '@billstream/invoicing-domain';

/**
 * How many histories each property plays; the nightly run sets it to 10,000 or more, and draws them anew each time. The
 * ones that everybody plays before a change is taken are always the same, so that what fails there is the change.
 */
const histories = Number(process.env['HISTORIES'] ?? 200);
const isNightly = process.env['HISTORIES'] !== undefined;
const drawn = isNightly ? {} : { seed: 20_181_006 };
/**
 * Usage charged ahead of its end and then cut short is judged item by item below, where only the sum of the items can be
 * right: until the property adds them up, the nightly run alone asks for bills of days ahead.
 */
const monthsAheadMax = isNightly ? 3 : 0;
jest.setTimeout(Math.max(60_000, histories * 300));

const bundleIds = ['bundle-1', 'bundle-2'] as const;
const plans = ['standard-monthly', 'standard-pro'];

type Act =
  | { readonly kind: 'WISH'; readonly bundle: 0 | 1; readonly wish: Wish }
  | { readonly kind: 'PAY' }
  | { readonly kind: 'RUN'; readonly monthsAhead: number | null };
type Moment = { readonly afterHours: number; readonly acts: readonly Act[] };
type History = { readonly facts: CustomerFacts; readonly moments: readonly Moment[] };

const plan = fc.constantFrom(...plans);
const inHours = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 24 * 50 }));
const wish: fc.Arbitrary<Wish> = fc.oneof(
  fc.record({
    kind: fc.constant('CHANGE' as const),
    plan,
    policy: fc.constantFrom(null, 'IMMEDIATE' as const, 'END_OF_TERM' as const),
  }),
  fc.record({
    kind: fc.constant('CANCEL' as const),
    policy: fc.constantFrom('IMMEDIATE' as const, 'END_OF_TERM' as const),
  }),
  fc.constant<Wish>({ kind: 'UNDO' }),
  fc.record({ kind: fc.constant('BLOCK' as const), isBilled: fc.boolean(), inHours }),
  fc.record({ kind: fc.constant('DAY' as const), billCycleDayLocal: fc.integer({ min: 1, max: 31 }), inHours }),
  fc.record({ kind: fc.constant('QUANTITY' as const), quantity: fc.integer({ min: 1, max: 4 }), inHours }),
);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('WISH' as const), bundle: fc.constantFrom(0 as const, 1 as const), wish }),
  },
  { weight: 1, arbitrary: fc.constant<Act>({ kind: 'PAY' }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('RUN' as const),
      monthsAhead: fc.option(fc.integer({ min: 0, max: monthsAheadMax })),
    }),
  },
);
const moment: fc.Arbitrary<Moment> = fc.record({
  afterHours: fc.integer({ min: 0, max: 24 * 40 }),
  acts: fc.array(act, { minLength: 1, maxLength: 2 }),
});

const instant = (text: string) => {
  const parsed = parseInstant(text);
  if (parsed === null) throw new RangeError(text);
  return parsed;
};
const startsAt = instant('2024-01-10T06:00:00.000Z');
const facts: fc.Arbitrary<CustomerFacts> = fc.record({
  time: fc
    .constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kolkata')
    .map((timeZone) => ({ timeZone, referenceTime: startsAt })),
  billCycleDayLocal: fc.integer({ min: 0, max: 31 }),
  startsAt: fc.constant(startsAt),
});
const history: fc.Arbitrary<History> = fc.record({ facts, moments: fc.array(moment, { maxLength: 8 }) });

const perform = (customer: ReturnType<typeof billedCustomer>, one: Act): void => {
  switch (one.kind) {
    case 'WISH':
      customer.request(bundleIds[one.bundle], one.wish);
      return;
    case 'PAY':
      for (const [id, { chargedMinor, creditMinor, paidMinor }] of entriesOf(customer.state().invoices))
        if (chargedMinor + creditMinor > paidMinor) customer.pay(id, chargedMinor + creditMinor - paidMinor);
      return;
    case 'RUN': {
      const { account } = customer.state();
      if (account === null) return;
      const today = localDateOf(customer.now(), account);
      customer.run(one.monthsAhead === null ? null : plusMonths(today, one.monthsAhead));
    }
  }
};

type Customer = ReturnType<typeof billedCustomer>;

const play = ({ facts: about, moments }: History, after: (customer: Customer) => void = () => undefined): Customer => {
  const customer = billedCustomer(about);
  for (const bundleId of bundleIds) customer.request(bundleId, { kind: 'SUBSCRIBE', plan: plans[0] ?? '' });
  for (const { afterHours, acts } of moments) {
    customer.wait(afterHours);
    for (const one of acts) {
      perform(customer, one);
      after(customer);
    }
  }
  // Until everything that was asked for ahead has come about.
  customer.wait(24 * 130);
  return customer;
};

const itemsOf = (customer: Customer, bundleId: string): readonly InvoiceItem[] =>
  customer.invoices().flatMap(({ items }) => items.filter(({ subscriptionId }) => subscriptionId === bundleId));

/** Days are charged once, by the recurring item that stands on them after repairs. */
const chargedDays = (items: readonly InvoiceItem[]): ReadonlyMap<LocalDate, InvoiceItem> => {
  const days = new Map<LocalDate, InvoiceItem>();
  const repairs = items.filter(({ type }) => type === 'REPAIR_ADJ');
  for (const item of items) {
    if (item.type !== 'RECURRING') continue;
    const own = repairs.filter(({ linkedItemId }) => linkedItemId === item.itemId);
    for (let day = item.startDate; day < (item.endDate ?? day); day = plusDays(day, 1)) {
      if (own.some(({ startDate, endDate }) => startDate <= day && day < (endDate ?? day))) continue;
      if (days.has(day)) throw new Error(`${day} is charged twice`);
      days.set(day, item);
    }
  }
  return days;
};

const perBlock: Readonly<Record<string, { readonly size: number; readonly milliCents: number }>> = {
  'standard-monthly-host': { size: 1, milliCents: 1_000 },
  'standard-pro-host': { size: 1, milliCents: 1_700 },
  'standard-monthly-analytics': { size: 100, milliCents: 200_000 },
  'standard-pro-analytics': { size: 200, milliCents: 200_000 },
};

const priceOfUsage = (usageName: string, { fromAt, toAt }: Span): number => {
  const price = perBlock[usageName];
  if (price === undefined) throw new RangeError(`no price for ${usageName}`);
  const used = usedBetween(usageName.endsWith('host') ? 'host' : 'analytics', fromAt, toAt);
  return Math.round((Math.ceil(used / price.size) * price.milliCents) / 1_000);
};

const creditIn = (customer: Customer): number =>
  customer.events.reduce((total, event) => {
    if (event.type === 'CreditApplied')
      return event.data.items.reduce((sum, { amountMinor }) => sum + amountMinor, total);
    return event.type === 'InvoiceCommitted' ? total + creditOf(event.data) : total;
  }, 0);
const creditOf = ({ items }: CommittedInvoice): number =>
  items.reduce((sum, { type, amountMinor }) => (type === 'CBA_ADJ' ? sum + amountMinor : sum), 0);

const holds = (property: (history: History) => void): void => {
  fc.assert(fc.property(history, property), { numRuns: histories, ...drawn });
};

/** What is charged for each day beside what should be; equal when each day is charged once and none is lost. */
const recurringOf = (customer: Customer, bundleId: string) => {
  const { account } = customer.state();
  if (account === null) throw new Error('no account');
  const timeline = customer.timeline(bundleId).map(({ effectiveAt, phase, quantity }) => ({
    from: localDateOf(effectiveAt, account),
    terms: phase?.recurring == null ? '' : `${phase.planName} ${Number(phase.recurring.price) * quantity}`,
  }));
  const days = chargedDays(itemsOf(customer, bundleId));
  const charged: string[] = [];
  const owed: string[] = [];
  const today = localDateOf(customer.now(), account);
  for (let day = localDateOf(startsAt, account); day < today; day = plusDays(day, 1)) {
    const item = days.get(day);
    charged.push(`${day} ${item === undefined ? '' : `${item.planName ?? ''} ${Number(item.rate)}`}`);
    // The last transition of a day rules it: what lasts less than a day is not charged.
    owed.push(`${day} ${timeline.findLast(({ from }) => from <= day)?.terms ?? ''}`);
  }
  return { charged, owed };
};

/** How far what an item nets to is from its price for the days that stand, beyond a minor unit for it and each repair. */
const driftOf = (item: InvoiceItem, items: readonly InvoiceItem[]): number => {
  if (item.type !== 'RECURRING' || item.endDate === null) return 0;
  const repairs = items.filter(({ linkedItemId }) => linkedItemId === item.itemId);
  const whole = daysBetween(item.startDate, item.endDate);
  const stands = repairs.reduce(
    (days, { startDate, endDate }) => days - daysBetween(startDate, endDate ?? startDate),
    whole,
  );
  const net = repairs.reduce((sum, { amountMinor }) => sum + amountMinor, item.amountMinor);
  return Math.max(0, Math.abs(net - (item.amountMinor * stands) / whole) - 1 - repairs.length);
};

type Span = { readonly fromAt: Instant; readonly toAt: Instant };

const joined = (spans: readonly Span[]): readonly Span[] =>
  spans
    .filter(({ fromAt, toAt }) => fromAt < toAt)
    .reduce<readonly Span[]>((all, next) => {
      const last = all.at(-1);
      return last?.toAt === next.fromAt ? [...all.slice(0, -1), { ...last, toAt: next.toAt }] : [...all, next];
    }, []);

/** When a usage price was in force until now. */
const pricedSpans = (customer: Customer, bundleId: string, usageName: string): readonly Span[] => {
  const timeline = customer.timeline(bundleId);
  const now = customer.now();
  return joined(
    timeline.flatMap(({ effectiveAt: fromAt, phase }, index) => {
      const end = timeline[index + 1]?.effectiveAt ?? now;
      const isPriced = phase?.usages.some(({ name }) => name === usageName) ?? false;
      return isPriced && fromAt < now ? [{ fromAt, toAt: end < now ? end : now }] : [];
    }),
  );
};

const expectUsageCharged = (customer: Customer, bundleId: string): void => {
  const usage = itemsOf(customer, bundleId).filter(({ type }) => type === 'USAGE');
  for (const usageName of Object.keys(perBlock)) {
    const priced = pricedSpans(customer, bundleId, usageName);
    const charges = chargesOf(
      usage.filter((item) => item.usageName === usageName),
      priced,
    );
    expect(charges.map(({ amountMinor }) => amountMinor)).toEqual(charges.map((span) => priceOfUsage(usageName, span)));
    const charged = joined(charges.map(({ fromAt, toAt }) => ({ fromAt, toAt })));
    const open = priced.at(-1)?.toAt === customer.now() ? priced.at(-1) : undefined;
    // All that has ended is charged from end to end; what goes on, from its beginning to a bill date of the last month.
    const ended = charged.filter(({ fromAt }) => fromAt !== open?.fromAt);
    expect([usageName, ended]).toEqual([usageName, priced.filter((span) => span !== open)]);
    const upTo = charged.find(({ fromAt }) => fromAt === open?.fromAt)?.toAt ?? open?.fromAt;
    if (open !== undefined && upTo !== undefined)
      expect(epochMs(open.toAt) - epochMs(upTo)).toBeLessThan(32 * 24 * hourMs);
  }
};

/**
 * What the items of one price add up to by period. A period that was charged ahead and ended early counts as what it
 * turned out to be: nothing at all when its price went as soon as it came.
 */
const chargesOf = (
  usage: readonly InvoiceItem[],
  priced: readonly Span[],
): readonly (Span & { readonly amountMinor: number })[] => {
  const spans = new Map<Instant, Span & { readonly amountMinor: number }>();
  for (const { usagePeriod, amountMinor } of usage) {
    if (usagePeriod === null) continue;
    const { fromAt } = usagePeriod;
    const within = priced.find((span) => span.fromAt <= fromAt && fromAt < span.toAt);
    const ends = [usagePeriod.toAt, within?.toAt ?? fromAt, spans.get(fromAt)?.toAt ?? usagePeriod.toAt];
    const toAt = ends.reduce((first, end) => (end < first ? end : first), usagePeriod.toAt);
    spans.set(fromAt, { fromAt, toAt, amountMinor: amountMinor + (spans.get(fromAt)?.amountMinor ?? 0) });
  }
  return [...spans.values()].sort((a, b) => (a.fromAt < b.fromAt ? -1 : 1));
};

describe('over any history of changes, cancellations, pauses, bill cycle days, quantities, payments and runs', () => {
  it('what was used is charged at its price, once and all of it; credit stays; a repeated run changes nothing', () => {
    holds((played) => {
      const customer = play(played, (midway) => {
        expect(midway.state().creditMinor).toBeGreaterThanOrEqual(0);
        midway.run();
        expect(midway.run()).toEqual([]);
      });
      for (const bundleId of bundleIds) {
        const { charged, owed } = recurringOf(customer, bundleId);
        expect(charged).toEqual(owed);
        const items = itemsOf(customer, bundleId);
        expect(items.filter((item) => driftOf(item, items) > 0)).toEqual([]);
        expectUsageCharged(customer, bundleId);
      }
      expect(customer.state().creditMinor).toBe(creditIn(customer));
    });
  });

  it('the log gives the same state again, and the same requests the same invoices', () => {
    holds((played) => {
      const customer = play(played);
      expect(customer.replayed()).toEqual(customer.state());
      expect(play(played).invoices()).toEqual(customer.invoices());
    });
  });

  it('requests of one instant for different subscriptions charge the same days, usage and totals in either order', () => {
    holds(({ facts: about, moments }) => {
      const turned = moments.map(({ afterHours, acts }) => ({
        afterHours,
        acts: isTurnable(acts) ? [...acts].reverse() : acts,
      }));
      const [one, other] = [moments, turned].map((order) => charges(play({ facts: about, moments: order })));
      expect(other?.days).toEqual(one?.days);
      expect(other?.usage).toEqual(one?.usage);
      // What is repaired differs by cents from what is charged in part at once: by Kill Bill's rules their months are
      // of different lengths (2.9.1, V21). Which of the two happens is for the first request to say.
      if (one?.isRepaired === false && !other?.isRepaired) expect(other?.totals).toEqual(one.totals);
    });
  });
});

const charges = (customer: Customer) => {
  const items = bundleIds.map((bundleId) => itemsOf(customer, bundleId));
  const ofType = (type: InvoiceItem['type']) => items.map((own) => own.filter((item) => item.type === type));
  return {
    days: bundleIds.map((bundleId) => recurringOf(customer, bundleId).charged),
    usage: ofType('USAGE').map((own) => own.reduce((sum, { amountMinor }) => sum + amountMinor, 0)),
    totals: items.map((own) => own.reduce((sum, { amountMinor }) => sum + amountMinor, 0)),
    isRepaired: ofType('REPAIR_ADJ').some((own) => own.length > 0),
  };
};

const isTurnable = (acts: readonly Act[]): boolean =>
  acts.length === 2 &&
  new Set(acts.map((one) => (one.kind === 'WISH' ? one.bundle : -1))).size === 2 &&
  acts.every(({ kind }) => kind === 'WISH');
