import { decimal } from '@billstream/kernel';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import { account, at, lines, phase, simulatedAccount, timeline, transition, trial } from '../testing/simulated-account';
import { entriesOf } from './book';

/** An account in UTC that pays every invoice at once, on a clock that starts at midnight. */
const payingAccount = (startsOn: string, billCycleDayLocal: number) => {
  let today = startsOn;
  const system = simulatedAccount(() => '0', `${startsOn}T00:00:00Z`);
  system.record(account({ referenceTime: at(`${startsOn}T00:00:00Z`), billCycleDayLocal }));
  const pay = (): void => {
    for (const [id, { chargedMinor, creditMinor, paidMinor }] of entriesOf(system.state().invoices))
      if (chargedMinor + creditMinor > paidMinor) system.pay(id, chargedMinor + creditMinor - paidMinor);
  };
  return {
    invoices: () => system.invoices().map((invoice) => [...lines(invoice)].sort()),
    nextAt: () => system.state().nextAt,
    invoice: (targetDate: string) => system.invoice(targetDate),
    subscribe: (transitions: readonly BillingTransition[], subscriptionId = 'subscription-1') => {
      const now = at(`${today}T00:00:00Z`);
      system.issue({ type: 'RecordBillingTimeline', timeline: timeline(transitions, { subscriptionId }), now });
      pay();
    },
    moveTo: (day: string) => {
      today = day;
      system.moveTo(`${day}T00:00:00Z`);
      pay();
    },
  };
};
const on = (kind: BillingTransition['kind'], day: string, charged: ResolvedPhase | null = null): BillingTransition =>
  transition(kind, `${day}T00:00:00Z`, charged);

const yearly = (price: string): Partial<ResolvedPhase> => ({
  recurring: { price: decimal(price), billingPeriod: 'ANNUAL' },
});

describe('published cases of the reference engine', () => {
  it('053: a monthly bundle is paused and resumed: a repair, then a prorated restart paid by credit', () => {
    const system = payingAccount('2012-02-01', 2);
    const shotgun = phase({ price: '249.95' });
    const begun = [on('START', '2012-02-01', trial()), on('PHASE', '2012-03-02', shotgun)];
    system.subscribe(begun);
    system.moveTo('2012-03-04');
    system.subscribe([...begun, on('BILLING_DISABLED', '2012-03-04')]);
    system.moveTo('2012-04-05');
    system.subscribe([...begun, on('BILLING_DISABLED', '2012-03-04'), on('BILLING_ENABLED', '2012-04-05', shotgun)]);
    expect(system.invoices()).toEqual([
      ['FIXED 2012-02-01→2012-03-02 0.00'],
      ['RECURRING 2012-03-02→2012-04-02 249.95'],
      ['CBA_ADJ 2012-03-04→2012-03-04 233.82', 'REPAIR_ADJ 2012-03-04→2012-04-02 -233.82'],
      ['CBA_ADJ 2012-04-05→2012-04-05 -224.96', 'RECURRING 2012-04-05→2012-05-02 224.96'],
    ]);
  });

  it('055: an annual plan is paused and resumed: the year starts anew in the month of the resumption', () => {
    const system = payingAccount('2012-04-01', 1);
    const shotgun = phase(yearly('2399.95'));
    const begun = [on('START', '2012-04-01', trial()), on('PHASE', '2012-05-01', shotgun)];
    system.subscribe(begun);
    system.moveTo('2012-05-12');
    system.subscribe([...begun, on('BILLING_DISABLED', '2012-05-12')]);
    system.moveTo('2012-06-04');
    system.subscribe([...begun, on('BILLING_DISABLED', '2012-05-12'), on('BILLING_ENABLED', '2012-06-04', shotgun)]);
    system.moveTo('2013-06-04');
    expect(system.invoices().slice(1)).toEqual([
      ['RECURRING 2012-05-01→2013-05-01 2399.95'],
      ['CBA_ADJ 2012-05-12→2012-05-12 2327.62', 'REPAIR_ADJ 2012-05-12→2013-05-01 -2327.62'],
      ['CBA_ADJ 2012-06-04→2012-06-04 -2327.62', 'RECURRING 2012-06-04→2013-06-01 2380.22'],
      ['RECURRING 2013-06-01→2014-06-01 2399.95'],
    ]);
    expect(system.invoice('2013-06-04')).toEqual([]);
  });

  it('106: a plan in arrear is cancelled on a billing day: nothing more is charged', () => {
    const system = payingAccount('2020-01-01', 1);
    const support = phase({ price: '100', recurringBillingMode: 'IN_ARREAR' });
    system.subscribe([on('START', '2020-01-01', support)]);
    system.moveTo('2020-03-01');
    system.subscribe([on('START', '2020-01-01', support), on('CANCEL', '2020-03-01')]);
    system.moveTo('2020-11-01');
    expect(system.invoices()).toEqual([
      ['RECURRING 2020-01-01→2020-02-01 100.00'],
      ['RECURRING 2020-02-01→2020-03-01 100.00'],
    ]);
    expect(system.nextAt()).toBeNull();
  });

  it('108: an add-on in arrear is charged for its first days at once when its plan changes', () => {
    const system = payingAccount('2023-08-11', 11);
    const first = phase({ price: '900', recurringBillingMode: 'IN_ARREAR', planName: 'addon' });
    const second = phase({ price: '900', recurringBillingMode: 'IN_ARREAR', planName: 'addon2' });
    system.subscribe([on('START', '2023-08-11', first)], 'subscription-2');
    expect(system.invoice('2023-08-11')).toEqual([]);
    system.moveTo('2023-08-15');
    system.subscribe([on('START', '2023-08-11', first), on('CHANGE', '2023-08-15', second)], 'subscription-2');
    expect(system.invoices()).toEqual([['RECURRING 2023-08-11→2023-08-15 116.13']]);
  });

  it('V4: a bill cycle day of 31 falls on the last day of shorter months and comes back', () => {
    const system = payingAccount('2018-01-31', 31);
    system.subscribe([on('START', '2018-01-31', phase())]);
    system.moveTo('2018-05-01');
    expect(system.invoices()).toEqual([
      ['RECURRING 2018-01-31→2018-02-28 20.00'],
      ['RECURRING 2018-02-28→2018-03-31 20.00'],
      ['RECURRING 2018-03-31→2018-04-30 20.00'],
      ['RECURRING 2018-04-30→2018-05-31 20.00'],
    ]);
  });
});
