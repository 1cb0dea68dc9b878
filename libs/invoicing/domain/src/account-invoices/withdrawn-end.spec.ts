import { account, at, lines, phase, simulatedAccount, timeline, transition } from '../testing/simulated-account';

const begun = transition('START', '2018-10-10', phase({ price: '31' }));
const endingAt = (instant: string) => [begun, transition('CANCEL', instant)];

/** An account whose subscription is to end at an instant to come, and that something else makes an invoice for now. */
const invoicedBefore = (end: string) => {
  const system = simulatedAccount(() => '0', '2018-10-10');
  system.record(account({ billCycleDayLocal: 10 }));
  system.subscribe(begun);
  system.moveTo('2018-10-20');
  system.subscribe(...endingAt(end));
  const other = timeline([transition('START', '2018-10-20', phase())], { subscriptionId: 'subscription-2' });
  system.issue({ type: 'RecordBillingTimeline', timeline: other, now: at('2018-10-20') });
  return system;
};

describe('an end to come that an invoice has gone by', () => {
  it.each([
    [
      'later today',
      '2018-10-20T18:00:00Z',
      'REPAIR_ADJ 2018-10-20→2018-11-10 -21.00',
      'RECURRING 2018-10-20→2018-11-10 21.00',
    ],
    ['in two weeks', '2018-11-03', 'REPAIR_ADJ 2018-11-03→2018-11-10 -7.00', 'RECURRING 2018-11-03→2018-11-10 7.00'],
  ])('%s is charged for again at once when it is taken back', (_, end, takenBack, owedAgain) => {
    const system = invoicedBefore(end);
    expect(system.invoices().flatMap(lines)).toContain(takenBack);
    const before = system.invoices().length;
    system.subscribe(begun);
    expect(system.invoices().slice(before).flatMap(lines)).toContain(owedAgain);
    expect(system.invoice()).toEqual([]);
  });

  it('causes no run when it is told again as it was', () => {
    const system = invoicedBefore('2018-11-03');
    const before = system.invoices().length;
    expect(system.subscribe(...endingAt('2018-11-03'))).toEqual([]);
    expect(system.invoices()).toHaveLength(before);
  });
});
