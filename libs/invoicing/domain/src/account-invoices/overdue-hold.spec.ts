import { at, lines, phase, simulatedAccount, timeline, transition } from '../testing/simulated-account';
import { valuesIn } from './book';

const start = transition('START', '2018-10-06', phase());
const blocked = transition('BILLING_DISABLED', '2018-10-16');
const unblocked = transition('BILLING_ENABLED', '2018-10-26', phase());

const overdue = () => {
  const system = simulatedAccount();
  system.record();
  system.subscribe(start);
  system.moveTo('2018-10-16');
  system.issue({ type: 'RecordOverdue', blocksBilling: true, now: at('2018-10-16') });
  system.subscribe(start, blocked);
  return system;
};
const cleared = () => {
  const system = overdue();
  system.moveTo('2018-10-26');
  system.issue({ type: 'RecordOverdue', blocksBilling: false, now: at('2018-10-26') });
  return system;
};

describe('an account that is overdue and blocked', () => {
  it('gets no credit for days of which nobody knows yet how many they are', () => {
    const system = overdue();
    expect(system.invoices()).toHaveLength(1);
    expect(system.state().nextAt).toBeNull();
  });

  it('is invoiced all the same when somebody asks for it', () => {
    const system = overdue();
    system.invoice();
    expect(system.invoices()).toHaveLength(2);
  });

  it('waits for all timelines to say that they are unblocked', () => {
    const system = cleared();
    const told = timeline([start, blocked, unblocked]);
    system.issue({ type: 'RecordBillingTimeline', timeline: told, isFollowed: true, now: at('2018-10-26') });
    expect(system.invoices()).toHaveLength(1);
    system.issue({ type: 'RecordUnblocked', now: at('2018-10-26') });
    expect(lines(system.invoices()[1])).toEqual([
      'REPAIR_ADJ 2018-10-16→2018-10-26 -6.45',
      'CBA_ADJ 2018-10-26→2018-10-26 6.45',
    ]);
    expect(system.state().nextAt).toBe(at('2018-11-06'));
  });

  it('goes on after a day when nobody says that they are', () => {
    const system = cleared();
    expect(system.state().nextAt).toBe(at('2018-10-27'));
    system.moveTo('2018-10-27');
    expect(system.state().hold).toBe('none');
    expect(lines(system.invoices()[1])[0]).toBe('REPAIR_ADJ 2018-10-16→2018-11-06 -13.55');
    const told = timeline([start, blocked, unblocked]);
    system.issue({ type: 'RecordBillingTimeline', timeline: told, now: at('2018-10-28') });
    expect(system.state().nextAt).toBe(at('2018-11-06'));
    const charged = valuesIn(system.state().invoices).reduce((sum, { chargedMinor }) => sum + chargedMinor, 0);
    expect(charged).toBe(2000 - 645);
  });

  it('goes on where nothing of it was blocked at all', () => {
    const system = simulatedAccount();
    system.record();
    system.subscribe(start);
    system.issue({ type: 'RecordOverdue', blocksBilling: true, now: at('2018-10-16') });
    system.issue({ type: 'RecordOverdue', blocksBilling: false, now: at('2018-10-17') });
    system.issue({ type: 'RecordUnblocked', now: at('2018-10-17') });
    system.moveTo('2018-11-06');
    expect(lines(system.invoices()[1])).toEqual(['RECURRING 2018-11-06→2018-12-06 20.00']);
  });

  it('stays so through the end of another change', () => {
    const system = overdue();
    expect(system.issue({ type: 'RecordUnblocked', now: at('2018-10-17') })).toEqual([]);
  });

  it('is held once, however often it is told', () => {
    const system = overdue();
    expect(system.issue({ type: 'RecordOverdue', blocksBilling: true, now: at('2018-10-17') })).toEqual([]);
  });

  it('is not held by a state that blocks changes alone', () => {
    const system = simulatedAccount();
    system.record();
    expect(system.issue({ type: 'RecordOverdue', blocksBilling: false, now: at('2018-10-17') })).toEqual([]);
  });
});
