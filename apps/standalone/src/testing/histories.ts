import { entriesOf, isTagged } from '@billstream/invoicing-domain';
import { localDateOf, parseInstant, plusMonths } from '@billstream/kernel';
import fc from 'fast-check';
import {
  type Customer,
  type CustomerFacts,
  type Engine,
  accountId,
  addOnOf,
  billedCustomer,
  bundleIds,
} from './billed-customer';
import { wideAddOns, wideCatalog, widePlans } from './wide-catalog';
import type { Wish } from './wishes';

const plans = ['standard-monthly', 'standard-pro'];

export type Act =
  | { readonly kind: 'WISH'; readonly bundle: 0 | 1; readonly wish: Wish; readonly isAddOn?: boolean }
  | { readonly kind: 'PAY' | 'VOID' | 'WRITE_OFF' | 'SWITCH' | 'OVERDUE' }
  | { readonly kind: 'CREDIT' | 'CHARGE'; readonly amountMinor: number }
  | { readonly kind: 'ADJUST'; readonly nth: number; readonly percent: number }
  | { readonly kind: 'REFUND'; readonly nth: number; readonly percent: number; readonly isAdjusted: boolean }
  | { readonly kind: 'RUN'; readonly monthsAhead: number | null };
export type Moment = { readonly afterHours: number; readonly acts: readonly Act[] };
/** A customer with two subscriptions, and what is asked for when. */
export type History = {
  readonly facts: CustomerFacts;
  readonly moments: readonly Moment[];
  /** Of the wide catalog, what the two begin with; absent: both have the default catalog's first plan. */
  readonly widePlans?: readonly string[];
};

const pick = fc.constantFrom(0 as const, 1 as const);
const amountMinor = fc.integer({ min: 1, max: 9_000 });
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
    arbitrary: fc.record({ kind: fc.constant('WISH' as const), bundle: pick, wish }),
  },
  { weight: 2, arbitrary: fc.constantFrom<Act>({ kind: 'PAY' }, { kind: 'VOID' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('CREDIT' as const), amountMinor }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('RUN' as const),
      monthsAhead: fc.option(fc.integer({ min: 0, max: 3 })),
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
export const startsAt = instant('2024-01-10T06:00:00.000Z');
const facts: fc.Arbitrary<CustomerFacts> = fc.record({
  time: fc
    .constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kolkata')
    .map((timeZone) => ({ timeZone, referenceTime: startsAt })),
  billCycleDayLocal: fc.integer({ min: 0, max: 31 }),
  startsAt: fc.constant(startsAt),
});
export const history: fc.Arbitrary<History> = fc.record({ facts, moments: fc.array(moment, { maxLength: 8 }) });

/** `earliest`: how far back a request may be dated, in hours. */
const wideWish = (isAddOn: boolean, earliest: number): fc.Arbitrary<Wish> => {
  const known: readonly string[] = isAddOn ? wideAddOns : widePlans;
  const drawnPlan = fc.constantFrom(...known);
  const hours = fc.oneof(fc.constant(0), fc.integer({ min: earliest, max: 24 * 50 }));
  const mayBeDated = fc.option(hours, { nil: undefined });
  return fc.oneof(
    fc.record({ kind: fc.constant('SUBSCRIBE' as const), plan: drawnPlan }),
    fc
      .record({
        plan: drawnPlan,
        policy: fc.constantFrom(null, 'IMMEDIATE' as const, 'END_OF_TERM' as const),
        at: mayBeDated,
      })
      .map(({ at, ...rest }): Wish => ({ kind: 'CHANGE', ...rest, ...(at === undefined ? {} : { inHours: at }) })),
    fc
      .record({ policy: fc.constantFrom('IMMEDIATE' as const, 'END_OF_TERM' as const), at: mayBeDated })
      .map(({ at, ...rest }): Wish => ({ kind: 'CANCEL', ...rest, ...(at === undefined ? {} : { inHours: at }) })),
    fc.constant<Wish>({ kind: 'UNDO' }),
    fc
      .record({
        isBilled: fc.boolean(),
        inHours: hours,
        level: fc.constantFrom('ACCOUNT' as const, 'SUBSCRIPTION' as const, undefined),
      })
      .map(({ level, ...rest }): Wish => ({ kind: 'BLOCK', ...rest, ...(level === undefined ? {} : { level }) })),
    fc.record({
      kind: fc.constant('DAY' as const),
      billCycleDayLocal: fc.integer({ min: 1, max: 31 }),
      inHours: hours,
    }),
    fc.record({ kind: fc.constant('QUANTITY' as const), quantity: fc.integer({ min: 1, max: 4 }), inHours: hours }),
  );
};

const wideAct = (earliest: number): fc.Arbitrary<Act> => {
  const wished = (isAddOn: boolean): fc.Arbitrary<Act> =>
    fc.record({
      kind: fc.constant('WISH' as const),
      bundle: pick,
      isAddOn: fc.constant(isAddOn),
      wish: wideWish(isAddOn, earliest),
    });
  return fc.oneof(
    { weight: 5, arbitrary: wished(false) },
    { weight: 4, arbitrary: wished(true) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Act>(
        { kind: 'PAY' },
        { kind: 'VOID' },
        { kind: 'WRITE_OFF' },
        { kind: 'SWITCH' },
        { kind: 'OVERDUE' },
      ),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('CREDIT' as const, 'CHARGE' as const), amountMinor }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('ADJUST' as const),
        nth: fc.integer({ min: 0, max: 5 }),
        percent: fc.integer({ min: 1, max: 100 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('REFUND' as const),
        nth: fc.integer({ min: 0, max: 5 }),
        percent: fc.integer({ min: 1, max: 100 }),
        isAdjusted: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('RUN' as const),
        monthsAhead: fc.option(fc.integer({ min: 0, max: 3 })),
      }),
    },
  );
};

const wideFrom = (earliest: number): fc.Arbitrary<History> =>
  fc.record({
    facts: fc
      .tuple(facts, fc.integer({ min: 0, max: 3 }))
      .map(([about, of]) => (of === 0 ? { ...about, hasParent: true } : about)),
    widePlans: fc.array(fc.constantFrom(...widePlans), { minLength: 2, maxLength: 2 }),
    moments: fc.array(
      fc.record({
        afterHours: fc.integer({ min: 0, max: 24 * 40 }),
        acts: fc.array(wideAct(earliest), { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 8 },
    ),
  });

/** All that a catalog can say and a customer can be told; in one of three, requests may be dated back. */
export const wideHistory: fc.Arbitrary<History> = fc.oneof(
  { weight: 2, arbitrary: wideFrom(0) },
  { weight: 1, arbitrary: wideFrom(-24 * 45) },
);

/** A parent pays what it is charged for the customer, which pays nothing then. */
const payAll = (customer: Customer): void => {
  if (customer.parent !== null) {
    customer.parent.pay(customer.now());
    return;
  }
  for (const [id, { status, chargedMinor, creditMinor, paidMinor }] of entriesOf(customer.state().invoices))
    if (status !== 'VOID' && chargedMinor + creditMinor > paidMinor)
      customer.pay(id, chargedMinor + creditMinor - paidMinor);
};

const refund = (customer: Customer, { nth, percent, isAdjusted }: Extract<Act, { readonly kind: 'REFUND' }>): void => {
  if (customer.parent === null) customer.refund(nth, percent, isAdjusted);
  else customer.parent.refund(nth, percent, customer.now());
};

const writeOffNewest = (customer: Customer): void => {
  const [id] = entriesOf(customer.state().invoices).findLast(([, { status }]) => status === 'COMMITTED') ?? [];
  if (id !== undefined) customer.tag('INVOICE', id, 'WRITTEN_OFF');
};

const runAhead = (customer: Customer, monthsAhead: number | null): void => {
  const { account } = customer.state();
  if (account === null) return;
  const today = localDateOf(customer.now(), account);
  customer.run(monthsAhead === null ? null : plusMonths(today, monthsAhead));
};

const perform = (customer: Customer, one: Act): void => {
  carryOut(customer, one);
  customer.parent?.comeToRest(customer.now());
};

const carryOut = (customer: Customer, one: Act): void => {
  switch (one.kind) {
    case 'WISH': {
      const bundleId = bundleIds[one.bundle];
      customer.request(bundleId, one.wish, one.isAddOn === true ? addOnOf(bundleId) : bundleId);
      return;
    }
    case 'PAY':
      payAll(customer);
      return;
    case 'VOID':
      customer.voidNewest();
      return;
    case 'CREDIT':
      customer.charge('CREDIT_ADJ', one.amountMinor);
      return;
    case 'CHARGE':
      customer.charge('EXTERNAL_CHARGE', one.amountMinor);
      return;
    case 'ADJUST':
      customer.adjust(one.nth, one.percent);
      return;
    case 'REFUND':
      refund(customer, one);
      return;
    case 'OVERDUE':
      customer.turnOverdue();
      return;
    case 'WRITE_OFF':
      writeOffNewest(customer);
      return;
    case 'SWITCH':
      customer.tag('ACCOUNT', accountId, 'AUTO_INVOICING_OFF');
      return;
    case 'RUN':
      runAhead(customer, one.monthsAhead);
  }
};

/**
 * Whether something falls due later on this day, as on the morning of a bill date. A run charges all that is due on its day,
 * also before the account's reference time (Kill Bill 2.12): one of the first request of a moment moves the day that all
 * subscriptions are charged through, and with it the end of a term that the second asks for (2.6).
 */
const isDueToday = (customer: Customer): boolean => {
  const { account, nextAt } = customer.state();
  return account !== null && nextAt !== null && localDateOf(nextAt, account) === localDateOf(customer.now(), account);
};

type Playing = {
  /** Looks at the customer after each thing that was asked for. */
  readonly after?: (customer: Customer) => void;
  readonly engine?: Engine;
  /** Requests of one moment that may come in any order: what would hang on it is decided before any of them is invoiced. */
  readonly isUnordered?: (acts: readonly Act[]) => boolean;
};

/** The customer at the end of a history. */
export const play = (
  { facts: about, moments, widePlans: first }: History,
  { after, engine, isUnordered = () => false }: Playing = {},
): Customer => {
  const customer = billedCustomer(first === undefined ? about : { ...about, catalog: wideCatalog }, engine);
  bundleIds.forEach((bundleId, index) =>
    customer.request(bundleId, { kind: 'SUBSCRIBE', plan: first?.[index] ?? plans[0] ?? '' }),
  );
  for (const { afterHours, acts } of moments) {
    customer.wait(afterHours);
    if (isUnordered(acts) && isDueToday(customer)) {
      customer.together(() => acts.forEach((one) => perform(customer, one)));
      after?.(customer);
      continue;
    }
    for (const one of acts) {
      perform(customer, one);
      after?.(customer);
    }
  }
  if (isTagged(customer.state(), accountId, 'AUTO_INVOICING_OFF'))
    customer.tag('ACCOUNT', accountId, 'AUTO_INVOICING_OFF');
  if (customer.isOverdue()) customer.turnOverdue();
  // Until everything that was asked for ahead has come about.
  customer.wait(24 * 130);
  customer.parent?.pay(customer.now());
  return customer;
};
