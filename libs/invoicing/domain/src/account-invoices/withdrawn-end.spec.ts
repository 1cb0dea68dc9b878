import { account, at, lines, phase, simulatedAccount, timeline, transition } from '../testing/simulated-account';

const begun = transition('START', '2018-10-10', phase({ price: '31' }));
const ended = [begun, transition('CANCEL', '2018-10-20T18:00:00Z')];

/** An account whose subscription is to end this afternoon, and that something else makes an invoice for this morning. */
const invoicedThatMorning = () => {
  const system = simulatedAccount(() => '0', '2018-10-10');
  system.record(account({ billCycleDayLocal: 10 }));
  system.subscribe(begun);
  system.moveTo('2018-10-20');
  system.subscribe(...ended);
  const other = timeline([transition('START', '2018-10-20', phase())], { subscriptionId: 'subscription-2' });
  system.issue({ type: 'RecordBillingTimeline', timeline: other, now: at('2018-10-20') });
  return system;
};

describe('an end planned for later today that an invoice of today has gone by', () => {
  it('is charged for again at once when it is taken back', () => {
    const system = invoicedThatMorning();
    expect(system.invoices().flatMap(lines)).toContain('REPAIR_ADJ 2018-10-20→2018-11-10 -21.00');
    const before = system.invoices().length;
    system.subscribe(begun);
    expect(system.invoices().slice(before).flatMap(lines)).toContain('RECURRING 2018-10-20→2018-11-10 21.00');
    expect(system.invoice()).toEqual([]);
  });

  it('causes no run when it is told again as it was', () => {
    const system = invoicedThatMorning();
    const before = system.invoices().length;
    expect(system.subscribe(...ended)).toEqual([]);
    expect(system.invoices()).toHaveLength(before);
  });
});
