import { at, lines, phase, simulatedAccount, timeline, transition } from '../testing/simulated-account';
import { type Billing, previewInvoice } from './preview';

const now = at('2018-10-06');

describe('a preview of the upcoming invoice of somebody', () => {
  const aligned = (name: string, start: string, price: string) =>
    timeline([transition('START', start, phase({ planName: name, price, billingAlignment: 'SUBSCRIPTION' }))], {
      subscriptionId: name,
      bundleId: `bundle of ${name}`,
    });

  const shared = () => {
    const system = simulatedAccount();
    system.record();
    for (const one of [aligned('early', '2018-10-06', '20'), aligned('late', '2018-09-10', '30')])
      system.issue({ type: 'RecordBillingTimeline', timeline: one, now });
    const alsoLate = aligned('also late', '2018-09-10', '40');
    system.issue({ type: 'RecordBillingTimeline', timeline: alsoLate, now });
    system.invoice();
    return system;
  };

  const upcoming = (billing?: Billing) => {
    const request = { targetDate: null, upcoming: true, now, ...(billing === undefined ? {} : { billing }) };
    const seen = previewInvoice(shared().state(), request);
    return 'invoice' in seen ? [seen.invoice?.targetDate, ...lines(seen.invoice ?? undefined)] : seen;
  };

  it('is the first that bills it, with what others owe that day, after others were billed before', () => {
    const late = ['2018-10-10', 'RECURRING 2018-10-10→2018-11-10 30.00', 'RECURRING 2018-10-10→2018-11-10 40.00'];
    const early = ['2018-11-06', 'RECURRING 2018-11-06→2018-12-06 20.00'];
    expect(upcoming()).toEqual(late);
    expect(upcoming({ subscriptionId: 'late' })).toEqual(late);
    expect(upcoming({ bundleId: 'bundle of also late' })).toEqual(late);
    expect(upcoming({ subscriptionId: 'early' })).toEqual(early);
    expect(upcoming({ bundleId: 'bundle of early' })).toEqual(early);
  });

  it('is none for what is not billed here', () => {
    expect(upcoming({ subscriptionId: 'unknown' })).toEqual([undefined]);
  });
});
