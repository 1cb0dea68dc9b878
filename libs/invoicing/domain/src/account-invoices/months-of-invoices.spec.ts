import { decimal } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import { account, at, phase, simulatedAccount, transition } from '../testing/simulated-account';
import type { AccountInvoices } from './account-invoices.state';
import { entriesOf, valuesIn } from './book';
import { entriesIn } from './sheets';

/** More invoices than a page, a group and a sheet of the state hold: months of a daily plan with daily usage. */
const days = 150;
const usage = {
  ...({ name: 'calls', usageType: 'CONSUMABLE', billingMode: 'IN_ARREAR', billingPeriod: 'DAILY' } as const),
  tierBlockPolicy: 'ALL_TIERS' as const,
  tiers: [
    {
      blocks: [{ unit: 'calls', size: decimal(1), max: null, price: decimal('0.01') }],
      limits: [],
      recurringPrice: null,
    },
  ],
};
const daily = phase({ recurring: { price: decimal(20), billingPeriod: 'DAILY' }, usages: [usage] });
const started = transition('START', '2018-10-06', daily);

const months = (...more: readonly BillingTransition[]) => {
  const system = simulatedAccount(() => '5');
  system.record(account({ billCycleDayLocal: 6 }));
  system.subscribe(started, ...more);
  system.moveTo('2019-03-04');
  return system;
};

const recurringOf = ({ subscriptions }: AccountInvoices) => entriesIn(subscriptions['subscription-1']?.recurring ?? []);
const usageOf = ({ subscriptions }: AccountInvoices) => entriesIn(subscriptions['subscription-1']?.usage ?? []);
const chargedIn = ({ invoices }: AccountInvoices): number =>
  valuesIn(invoices).reduce((sum, { status, chargedMinor }) => (status === 'VOID' ? sum : sum + chargedMinor), 0);
const owedIn = ({ owedMinor, creditMinor }: AccountInvoices): number => owedMinor - creditMinor;

describe('an account with months of daily invoices', () => {
  const recurringMinor = days * 2_000;
  const usedMinor = (days - 1) * 5;

  it('charges each day once, on an invoice of its own', () => {
    const state = months().state();
    expect(state.invoices.size).toBe(days);
    expect(chargedIn(state)).toBe(recurringMinor + usedMinor);
    expect(recurringOf(state)).toHaveLength(days);
    expect(usageOf(state)).toHaveLength(days - 1);
  });

  it('goes on from a snapshot as if there had been none', () => {
    const system = months();
    const again: unknown = JSON.parse(JSON.stringify(system.state()));
    expect(again).toEqual(system.state());
  });

  it('takes back every day from an old one on when a cancellation is dated back, and charges them again without it', () => {
    const system = months();
    const before = owedIn(system.state());
    system.subscribe(started, transition('CANCEL', '2018-10-16'));
    const repaired = recurringOf(system.state()).filter((item) => item.repaired.length > 0);
    expect(repaired).toHaveLength(days - 10);
    expect(owedIn(system.state())).toBe(before - (days - 10) * 2_000);
    system.subscribe(started);
    system.invoice();
    expect(owedIn(system.state())).toBe(before);
    const { size } = system.state().invoices;
    system.invoice();
    expect(system.state().invoices.size).toBe(size);
  });

  it('never takes back more of an old item than an adjustment left of it', () => {
    const system = months();
    const [, second, third] = entriesOf(system.state().invoices);
    const words = { effectiveDate: null, description: null, itemDetails: null, now: at('2019-03-04') };
    for (const [invoice, amountMinor] of [
      [second, 500],
      [third, null],
    ] as const) {
      const [invoiceId = '', totals] = invoice ?? [];
      const itemId = totals?.items.find(({ type }) => type === 'RECURRING')?.itemId ?? '';
      system.issue({ type: 'AdjustItem', invoiceId, itemId, amountMinor, ...words });
    }
    expect(
      recurringOf(system.state())
        .slice(0, 4)
        .map((item) => item.takenBackMinor),
    ).toEqual([0, 500, 2_000, 0]);
    system.subscribe(started, transition('CANCEL', '2018-10-07'));
    expect(chargedIn(system.state())).toBe(2_000 + usedMinor);
  });

  it('charges the days of an old invoice again after it was voided, and nothing twice', () => {
    const system = months();
    const before = chargedIn(system.state());
    for (const place of [3, 70, 120]) {
      const invoiceId = entriesOf(system.state().invoices)[place]?.[0] ?? '';
      system.issue({ type: 'VoidInvoice', invoiceId, now: at('2019-03-04') });
      expect(recurringOf(system.state()).filter((item) => item.invoiceId === invoiceId)).toEqual([]);
      expect(usageOf(system.state()).filter((one) => one.invoiceId === invoiceId)).toEqual([]);
    }
    expect(recurringOf(system.state())).toHaveLength(days - 3);
    system.invoice();
    expect(chargedIn(system.state())).toBe(before);
    expect(recurringOf(system.state())).toHaveLength(days);
    const { size } = system.state().invoices;
    system.invoice();
    expect(system.state().invoices.size).toBe(size);
  });
});
