import { entriesOf } from '@billstream/invoicing-domain';
import { localDateOf, parseInstant, plusMonths } from '@billstream/kernel';
import fc from 'fast-check';
import { type Customer, type CustomerFacts, type Engine, type Wish, billedCustomer } from './billed-customer';

export const bundleIds = ['bundle-1', 'bundle-2'] as const;
const plans = ['standard-monthly', 'standard-pro'];

export type Act =
  | { readonly kind: 'WISH'; readonly bundle: 0 | 1; readonly wish: Wish }
  | { readonly kind: 'PAY' | 'VOID' }
  | { readonly kind: 'CREDIT'; readonly amountMinor: number }
  | { readonly kind: 'RUN'; readonly monthsAhead: number | null };
export type Moment = { readonly afterHours: number; readonly acts: readonly Act[] };
/** A customer with two subscriptions, and what is asked for when. */
export type History = { readonly facts: CustomerFacts; readonly moments: readonly Moment[] };

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
  { weight: 2, arbitrary: fc.constantFrom<Act>({ kind: 'PAY' }, { kind: 'VOID' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('CREDIT' as const), amountMinor: fc.integer({ min: 1, max: 9_000 }) }),
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

const perform = (customer: Customer, one: Act): void => {
  switch (one.kind) {
    case 'WISH':
      customer.request(bundleIds[one.bundle], one.wish);
      return;
    case 'PAY':
      for (const [id, { status, chargedMinor, creditMinor, paidMinor }] of entriesOf(customer.state().invoices))
        if (status !== 'VOID' && chargedMinor + creditMinor > paidMinor)
          customer.pay(id, chargedMinor + creditMinor - paidMinor);
      return;
    case 'VOID':
      customer.voidNewest();
      return;
    case 'CREDIT':
      customer.credit(one.amountMinor);
      return;
    case 'RUN': {
      const { account } = customer.state();
      if (account === null) return;
      const today = localDateOf(customer.now(), account);
      customer.run(one.monthsAhead === null ? null : plusMonths(today, one.monthsAhead));
    }
  }
};

type Playing = {
  /** Looks at the customer after each thing that was asked for. */
  readonly after?: (customer: Customer) => void;
  readonly engine?: Engine;
};

/** The customer at the end of a history. */
export const play = ({ facts: about, moments }: History, { after, engine }: Playing = {}): Customer => {
  const customer = billedCustomer(about, engine);
  for (const bundleId of bundleIds) customer.request(bundleId, { kind: 'SUBSCRIBE', plan: plans[0] ?? '' });
  for (const { afterHours, acts } of moments) {
    customer.wait(afterHours);
    for (const one of acts) {
      perform(customer, one);
      after?.(customer);
    }
  }
  // Until everything that was asked for ahead has come about.
  customer.wait(24 * 130);
  return customer;
};
