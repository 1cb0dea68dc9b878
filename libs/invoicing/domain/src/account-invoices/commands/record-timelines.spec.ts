import { at, lines, phase, simulatedAccount, timeline, transition } from '../../testing/simulated-account';

const one = timeline([transition('START', '2018-10-06', phase())]);
const two = timeline([transition('START', '2018-10-06', phase())], { subscriptionId: 'subscription-2' });
const now = at('2018-10-06');

describe('timelines that change together', () => {
  it('come to one invoice, with the last of them', () => {
    const system = simulatedAccount();
    system.record();
    system.issue({ type: 'RecordBillingTimeline', timeline: one, isFollowed: true, now });
    expect(system.invoices()).toEqual([]);
    system.issue({ type: 'RecordBillingTimeline', timeline: two, now });
    expect(system.invoices().map(lines)).toEqual([
      ['RECURRING 2018-10-06→2018-11-06 20.00', 'RECURRING 2018-10-06→2018-11-06 20.00'],
    ]);
  });

  it('come to one invoice at the end of a change of several bundles, once', () => {
    const system = simulatedAccount();
    system.record();
    system.issue({ type: 'RecordBillingTimeline', timeline: one, isFollowed: true, now });
    system.issue({ type: 'RecordBillingTimeline', timeline: two, isFollowed: true, now });
    expect(system.issue({ type: 'EndBillingChange', now }).map(({ type }) => type)).toContain('InvoiceCommitted');
    expect(system.issue({ type: 'EndBillingChange', now })).toEqual([]);
    expect(system.invoices()).toHaveLength(1);
  });

  it('are scheduled when all of them begin later', () => {
    const system = simulatedAccount();
    system.record();
    const later = timeline([transition('START', '2018-12-01', phase())]);
    system.issue({ type: 'RecordBillingTimeline', timeline: later, isFollowed: true, now });
    system.issue({ type: 'EndBillingChange', now });
    expect(system.state().nextAt).toBe(at('2018-12-01'));
    expect(system.invoices()).toEqual([]);
  });
});

describe('a start in the past', () => {
  it('is invoiced up to its own day first; the periods since follow, each on an invoice of its own', () => {
    const system = simulatedAccount(() => '0', '2018-12-20');
    system.record();
    system.subscribe(transition('START', '2018-10-06', phase()));
    expect(system.invoices().map(lines)).toEqual([['RECURRING 2018-10-06→2018-11-06 20.00']]);
    expect(system.state().nextAt).toBe(at('2018-11-06'));
    system.moveTo('2018-12-20');
    expect(system.invoices().map(lines)).toEqual([
      ['RECURRING 2018-10-06→2018-11-06 20.00'],
      ['RECURRING 2018-11-06→2018-12-06 20.00'],
      ['RECURRING 2018-12-06→2019-01-06 20.00'],
    ]);
    expect(system.invoices().map(({ invoiceDate }) => invoiceDate)).toEqual(['2018-12-20', '2018-12-20', '2018-12-20']);
  });
});
