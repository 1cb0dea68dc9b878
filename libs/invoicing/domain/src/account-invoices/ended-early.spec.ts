import { account, at, lines, phase, simulatedAccount, timeline, transition } from '../testing/simulated-account';

const arrear = phase({ price: '31', recurringBillingMode: 'IN_ARREAR' });
const begun = transition('START', '2018-10-10', arrear);
const ended = [begun, transition('CANCEL', '2018-10-15')];

const subscribed = () => {
  const system = simulatedAccount(() => '0', '2018-10-10');
  system.record(account({ billCycleDayLocal: 6 }));
  system.subscribe(begun);
  return system;
};

describe('a price in arrear that ends before its first bill date', () => {
  it('is charged on its last day, and stays so on the days after it', () => {
    const system = subscribed();
    system.subscribe(...ended);
    system.moveTo('2018-10-20');
    expect(system.invoices().map(lines)).toEqual([['RECURRING 2018-10-10→2018-10-15 5.17']]);
    expect(system.state().nextAt).toBeNull();
    expect(system.invoice()).toEqual([]);
    system.moveTo('2018-11-07');
    expect(system.invoice()).toEqual([]);
    expect(system.invoices()).toHaveLength(1);
  });

  it('is charged on that bill date when an invoice of a later day was made before anybody knew', () => {
    const system = subscribed();
    system.moveTo('2018-10-20');
    // An invoice of a later day, before which no run looks any more.
    const other = timeline([transition('START', '2018-10-20', phase())], { subscriptionId: 'subscription-2' });
    system.issue({ type: 'RecordBillingTimeline', timeline: other, now: at('2018-10-20') });
    system.subscribe(...ended);
    expect(system.invoices()).toHaveLength(1);
    system.moveTo('2018-11-06');
    expect(system.invoices().slice(1).map(lines)).toEqual([
      ['RECURRING 2018-10-10→2018-10-15 5.17', 'RECURRING 2018-11-06→2018-12-06 20.00'],
    ]);
  });

  it('gives back the days that turn out to be after its end', () => {
    const system = subscribed();
    system.subscribe(...ended);
    system.moveTo('2018-10-20');
    system.subscribe(begun, transition('CANCEL', '2018-10-13'));
    expect(system.invoices().slice(1).map(lines)).toEqual([
      ['REPAIR_ADJ 2018-10-13→2018-10-15 -2.07', 'CBA_ADJ 2018-10-20→2018-10-20 2.07'],
    ]);
  });
});
