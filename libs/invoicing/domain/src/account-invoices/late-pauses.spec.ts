import { account, at, lines, phase, simulatedAccount, transition } from '../testing/simulated-account';

const begun = transition('START', '2018-10-06', phase());
const paused = [
  begun,
  transition('BILLING_DISABLED', '2018-10-16'),
  transition('BILLING_ENABLED', '2018-10-26', phase()),
];

describe('a pause that was planned and comes due', () => {
  const planned = (billCycleDayLocal: number) => {
    const system = simulatedAccount();
    system.record(account({ billCycleDayLocal }));
    system.subscribe(begun);
    system.subscribe(...paused);
    return system;
  };

  it('late, is invoiced up to the day that is done: where it is over by then, its days alone are taken back', () => {
    const system = planned(6);
    system.issue({ type: 'InvoiceDue', dueAt: at('2018-10-16'), now: at('2018-10-28') });
    expect(system.invoices().slice(1).map(lines)).toEqual([
      ['REPAIR_ADJ 2018-10-16→2018-10-26 -6.45', 'CBA_ADJ 2018-10-28→2018-10-28 6.45'],
    ]);
    expect(system.state().nextAt).toBe(at('2018-11-06'));
  });

  it('in time, is invoiced by itself', () => {
    const system = planned(6);
    system.moveTo('2018-10-28');
    expect(system.invoices()).toHaveLength(3);
  });

  it('after a bill date that is late as well, leaves that date its own invoice', () => {
    const system = planned(10);
    system.issue({ type: 'InvoiceDue', dueAt: at('2018-10-10'), now: at('2018-10-28') });
    expect(system.invoices().slice(1).map(lines)).toEqual([['RECURRING 2018-10-10→2018-10-16 3.87']]);
    expect(system.state().nextAt).toBe(at('2018-10-16'));
  });
});
