import { decimal } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { at, day, lines, midnight, phase, simulatedAccount, timeline, transition } from '../testing/simulated-account';
import { type Billing, type CountedUsage, type PreviewRequest, previewInvoice } from './preview';
import { type UsageRequest, usageToPreview } from './preview-usage';

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

  it('does not make the invoices of every day before it', () => {
    const system = simulatedAccount();
    system.record();
    const every = (planName: string, price: string, billingPeriod: 'DAILY' | 'ANNUAL'): ResolvedPhase => ({
      ...phase({ planName }),
      recurring: { price: decimal(price), billingPeriod },
    });
    const daily = timeline([transition('START', '2018-10-06', every('daily', '1', 'DAILY'))], {
      subscriptionId: 'daily',
      bundleId: 'daily',
    });
    const yearly = timeline([transition('START', '2018-10-06', every('yearly', '500', 'ANNUAL'))], {
      subscriptionId: 'yearly',
      bundleId: 'yearly',
    });
    for (const one of [daily, yearly]) system.issue({ type: 'RecordBillingTimeline', timeline: one, now });
    system.invoice();
    const before = process.cpuUsage();
    const seen = previewInvoice(system.state(), {
      ...{ targetDate: null, upcoming: true, now, billing: { subscriptionId: 'yearly' } },
    });
    const { user } = process.cpuUsage(before);
    const invoice = 'invoice' in seen ? seen.invoice : null;
    expect(invoice?.targetDate).toBe('2019-10-06');
    expect([...lines(invoice ?? undefined)].sort()).toEqual([
      'RECURRING 2019-10-06→2019-10-07 1.00',
      'RECURRING 2019-10-06→2020-10-06 500.00',
    ]);
    // Three runs of the account; one for each day before it took three times as long.
    expect(user / 1_000).toBeLessThan(150);
  });

  it('is none for what is not billed here', () => {
    expect(upcoming({ subscriptionId: 'unknown' })).toEqual([undefined]);
  });
});

describe('a preview that needs usage', () => {
  const hosts = {
    name: 'hosts',
    usageType: 'CONSUMABLE' as const,
    billingMode: 'IN_ARREAR' as const,
    billingPeriod: 'MONTHLY' as const,
    tierBlockPolicy: 'ALL_TIERS' as const,
    tiers: [
      {
        limits: [],
        blocks: [{ unit: 'host', size: decimal(1), max: null, price: decimal('0.50') }],
        fixedPrice: null,
        recurringPrice: null,
      },
    ],
  };
  const metered = () => {
    const system = simulatedAccount();
    system.record();
    system.subscribe(transition('START', '2018-10-06', phase({ usages: [hosts] })));
    return system.state();
  };

  /** As metering counts what is asked for. */
  const counted = (requests: readonly UsageRequest[], quantity: string): readonly CountedUsage[] =>
    requests.map(({ subscriptionId, periods }) => ({
      subscriptionId,
      usages: periods.map((period) => ({
        ...period,
        ...{ quantity: decimal(quantity), metered: decimal(quantity), free: decimal(0), records: 1 },
        ...{ syntheticBuckets: 0, rule: null, countedTo: '0' },
      })),
    }));

  const wholePreview = (request: Omit<PreviewRequest, 'now'>, quantity: string): readonly string[] => {
    const requests = usageToPreview(metered(), { ...request, now });
    const seen = previewInvoice(metered(), { ...request, now, counted: counted(requests, quantity) });
    return 'invoice' in seen ? lines(seen.invoice ?? undefined) : [];
  };

  it('names the usage that the run would ask for, of the period that is under way too', () => {
    const [request, ...others] = usageToPreview(metered(), { targetDate: day('2018-11-06'), upcoming: false, now });
    expect([request?.subscriptionId, request?.periods, others]).toEqual([
      'subscription-1',
      [{ unit: 'host', usageName: 'hosts', fromAt: at('2018-10-06'), toAt: midnight('2018-11-06') }],
      [],
    ]);
  });

  it.each([
    ['of a day', { targetDate: day('2018-11-06'), upcoming: false }],
    ['of the upcoming invoice', { targetDate: null, upcoming: true }],
    [
      'of the upcoming invoice of a subscription',
      { targetDate: null, upcoming: true, billing: { subscriptionId: 'subscription-1' } },
    ],
  ])('%s holds what was counted for it', (_, request) => {
    expect(wholePreview(request, '10')).toEqual([
      'RECURRING 2018-11-06→2018-12-06 20.00',
      'USAGE 2018-10-06→2018-11-06 5.00',
    ]);
  });

  it('needs none for a day at which no period has ended', () => {
    expect(usageToPreview(metered(), { targetDate: day('2018-11-05'), upcoming: false, now })).toEqual([]);
  });
});

describe('a preview for an account whose runs add to one draft', () => {
  it('names that draft and all that runs would add to it up to the day', () => {
    const system = simulatedAccount();
    system.record();
    for (const tag of ['AUTO_INVOICING_DRAFT', 'AUTO_INVOICING_REUSE_DRAFT'] as const)
      system.issue({
        type: 'RecordControlTag',
        change: { accountId: 'account-1', objectId: 'account-1', objectType: 'ACCOUNT', tag, isSet: true },
        now: at('2018-10-06'),
      });
    system.subscribe(transition('START', '2018-10-06', phase()));
    const [draftId] = system.events.flatMap((event) => (event.type === 'InvoiceDrafted' ? [event.data.invoiceId] : []));
    const request = { targetDate: day('2018-12-06'), upcoming: false, now: at('2018-10-06') };
    const preview = previewInvoice(system.state(), request);
    if ('rejected' in preview || preview.invoice === null) throw new Error('no preview');
    expect(preview.draftId).toBe(draftId);
    expect(lines(preview.invoice)).toEqual([
      'RECURRING 2018-11-06→2018-12-06 20.00',
      'RECURRING 2018-12-06→2019-01-06 20.00',
    ]);
  });
});
