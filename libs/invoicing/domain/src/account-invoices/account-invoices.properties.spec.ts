import { type LocalDate, daysBetween, plusDays } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import fc from 'fast-check';
import { account, currency, day, phase, simulatedAccount, transition } from '../testing/simulated-account';
import { accountInvoices } from './account-invoices.decider';
import { standing } from '../repair/reconcile';
import { accountInvoicesSchema } from './account-invoices.schema';
import { entriesOf } from './book';
import { entriesIn } from './sheets';

/** A plan of 31 a month in a month of 31 days costs 1 a day: what was used is easy to know. */
const plans = ['31', '62', '10', '0'].map((price) =>
  phase({ planName: `plan-${price}`, phaseName: `plan-${price}-evergreen`, price }),
);

type Act =
  | { readonly kind: 'CHANGE'; readonly afterDays: number; readonly plan: number }
  | { readonly kind: 'CANCEL' | 'PAY' | 'INVOICE' | 'WAIT'; readonly afterDays: number }
  | { readonly kind: 'PAUSE'; readonly afterDays: number; readonly days: number };

const afterDays = fc.integer({ min: 0, max: 40 });
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('CHANGE' as const), afterDays, plan: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constantFrom('PAY' as const, 'INVOICE' as const, 'WAIT' as const), afterDays }),
  fc.record({ kind: fc.constant('PAUSE' as const), afterDays, days: fc.integer({ min: 0, max: 20 }) }),
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('CANCEL' as const), afterDays }) },
);

const run = (acts: readonly Act[], billCycleDayLocal: number) => {
  const system = simulatedAccount();
  system.record(account({ billCycleDayLocal }));
  let date = day('2018-10-06');
  let transitions: readonly BillingTransition[] = [transition('START', date, plans[0] ?? null)];
  system.subscribe(...transitions);
  const add = (...more: readonly BillingTransition[]): void => {
    transitions = [...transitions, ...more];
    system.subscribe(...transitions);
  };
  let over = false;
  for (const one of acts) {
    date = plusDays(date, one.afterDays);
    system.moveTo(date);
    perform(one, date);
    invariants();
  }
  const today = plusDays(date, 45);
  system.moveTo(today);
  return { system, transitions, today };

  function perform(one: Act, on: LocalDate): void {
    if (one.kind === 'PAY') for (const [id, totals] of unpaid()) system.pay(id, totals);
    if (one.kind === 'INVOICE') system.invoice();
    if (over) return;
    if (one.kind === 'CHANGE') add(transition('CHANGE', on, plans[one.plan] ?? null));
    if (one.kind === 'CANCEL') {
      over = true;
      add(transition('CANCEL', on));
    }
    if (one.kind === 'PAUSE') {
      const current = transitions.at(-1)?.phase ?? null;
      add(transition('BILLING_DISABLED', on));
      date = plusDays(on, one.days);
      system.moveTo(date);
      add(transition('BILLING_ENABLED', date, current));
    }
  }
  function unpaid(): readonly (readonly [string, number])[] {
    return entriesOf(system.state().invoices)
      .map(([id, { chargedMinor, creditMinor, paidMinor }]) => [id, chargedMinor + creditMinor - paidMinor] as const)
      .filter(([, balance]) => balance > 0);
  }
  function invariants(): void {
    expect(system.state().creditMinor).toBeGreaterThanOrEqual(0);
    const credit = system.events.reduce((total, event) => {
      if (event.type === 'CreditApplied')
        return event.data.items.reduce((sum, { amountMinor }) => sum + amountMinor, total);
      if (event.type !== 'InvoiceCommitted') return total;
      return event.data.items.reduce(
        (sum, { type, amountMinor }) => (type === 'CBA_ADJ' ? sum + amountMinor : sum),
        total,
      );
    }, 0);
    expect(system.state().creditMinor).toBe(credit);
  }
};

const acts = fc.array(act, { maxLength: 8 });
const billCycleDay = fc.integer({ min: 1, max: 31 });
const options = { numRuns: 25 };

describe('over any sequence of changes, pauses, payments and cancellations', () => {
  it('each day is charged by the plan it was on and no other, up to where the subscription is charged', () => {
    fc.assert(
      fc.property(acts, billCycleDay, (sequence, bcd) => {
        const { system, transitions, today } = run(sequence, bcd);
        const recurring = entriesIn(system.state().subscriptions['subscription-1']?.recurring ?? []);
        const parts = standing(
          recurring.filter(({ amountMinor }) => amountMinor !== 0),
          { currency: currency('USD') },
        );
        const planOf = new Map(recurring.map(({ itemId, planName }) => [itemId, planName]));
        const charged = new Map<LocalDate, string>();
        for (const { start, end, itemId } of parts)
          for (let date = start; date < end; date = plusDays(date, 1)) {
            expect(charged.has(date)).toBe(false);
            charged.set(date, planOf.get(itemId) ?? '');
          }
        const usedOn = (date: LocalDate) =>
          transitions.filter(({ effectiveAt }) => effectiveAt.slice(0, 10) <= date).at(-1)?.phase;
        for (const [date, plan] of charged) expect(usedOn(date)?.planName).toBe(plan);
        for (let date = day('2018-10-06'); date <= today; date = plusDays(date, 1)) {
          const used = usedOn(date);
          expect(charged.has(date)).toBe(used !== null && used?.planName !== 'plan-0');
        }
      }),
      options,
    );
  });

  it('what the items of an item’s days net to is its price for the days used, within a minor unit an item', () => {
    fc.assert(
      fc.property(acts, billCycleDay, (sequence, bcd) => {
        const { system } = run(sequence, bcd);
        for (const item of entriesIn(system.state().subscriptions['subscription-1']?.recurring ?? [])) {
          const used = item.repaired.reduce(
            (days, { start, end }) => days - daysBetween(start, end),
            daysBetween(item.start, item.end),
          );
          const owed = (item.amountMinor * used) / daysBetween(item.start, item.end);
          expect(Math.abs(item.amountMinor - item.takenBackMinor - owed)).toBeLessThanOrEqual(1 + item.repaired.length);
        }
      }),
      options,
    );
  });

  it('an invoice run that is repeated changes nothing', () => {
    fc.assert(
      fc.property(acts, billCycleDay, (sequence, bcd) => {
        const { system } = run(sequence, bcd);
        expect(system.invoice()).toEqual([]);
      }),
      options,
    );
  });

  it('replaying the log gives the same state, and the same commands give the same invoices', () => {
    fc.assert(
      fc.property(acts, billCycleDay, (sequence, bcd) => {
        const { system } = run(sequence, bcd);
        const stored = system.events.map((event) => accountInvoicesSchema.encode(event));
        const replayed = stored
          .map(({ type, data }) =>
            accountInvoicesSchema.decode({ type, data: JSON.parse(JSON.stringify(data)) as object }),
          )
          .reduce(
            (state, event) => (event === null ? state : accountInvoices.evolve(state, event)),
            accountInvoices.initial,
          );
        expect(replayed).toEqual(system.state());
        expect(run(sequence, bcd).system.invoices()).toEqual(system.invoices());
      }),
      { numRuns: 15 },
    );
  });
});
