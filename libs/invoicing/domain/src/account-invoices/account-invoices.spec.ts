import { decimal } from '@billstream/kernel';
import {
  account,
  at,
  currency,
  day,
  lines,
  midnight,
  phase,
  simulatedAccount,
  timeline,
  transition,
  trial,
} from '../testing/simulated-account';
import { accountInvoices } from './account-invoices.decider';
import { previewInvoice } from './preview';
import { entryOf, valuesIn } from './book';

const started = () => {
  const system = simulatedAccount();
  system.record();
  system.subscribe(transition('START', '2018-10-06', phase()));
  return system;
};

describe('a subscription that starts', () => {
  it('is invoiced at once, fixes the bill cycle day and schedules the next bill date', () => {
    const system = started();
    expect(lines(system.invoices()[0])).toEqual(['RECURRING 2018-10-06→2018-11-06 20.00']);
    expect(system.events.map(({ type }) => type)).toEqual([
      'AccountRecorded',
      'BillingTimelineRecorded',
      'BillCycleDayChosen',
      'InvoiceCommitted',
      'ChargedThroughChanged',
      'BalanceChanged',
      'NextInvoiceScheduled',
    ]);
    expect(system.state().account?.billCycleDayLocal).toBe(6);
    expect(system.state().nextAt).toBe(at('2018-11-06'));
  });

  it('is invoiced when its account becomes known after it', () => {
    const system = simulatedAccount();
    system.subscribe(transition('START', '2018-10-06', phase()));
    expect(system.invoices()).toEqual([]);
    system.record();
    expect(lines(system.invoices()[0])).toEqual(['RECURRING 2018-10-06→2018-11-06 20.00']);
  });

  it('has a trial on an invoice of zero, then its first price on the day the trial ends', () => {
    const system = simulatedAccount();
    system.record();
    system.subscribe(transition('START', '2018-10-06', trial()), transition('PHASE', '2018-11-05', phase()));
    expect(lines(system.invoices()[0])).toEqual(['FIXED 2018-10-06→2018-11-05 0.00']);
    expect(system.state().account?.billCycleDayLocal).toBe(5);
    system.moveTo('2018-12-05');
    expect(system.invoices().slice(1).map(lines)).toEqual([
      ['RECURRING 2018-11-05→2018-12-05 20.00'],
      ['RECURRING 2018-12-05→2019-01-05 20.00'],
    ]);
  });

  it('is prorated to the day that the account has', () => {
    const system = simulatedAccount();
    system.record(account({ billCycleDayLocal: 1 }));
    system.subscribe(transition('START', '2018-10-06', phase()));
    expect(lines(system.invoices()[0])).toEqual(['RECURRING 2018-10-06→2018-11-01 16.77']);
    system.moveTo('2018-11-01');
    expect(lines(system.invoices()[1])).toEqual(['RECURRING 2018-11-01→2018-12-01 20.00']);
  });
});

describe('a subscription that ends or changes in the middle of what was charged', () => {
  const cancelled = [transition('START', '2018-10-06', phase()), transition('CANCEL', '2018-10-20')];

  it('lowers the unpaid invoice by the credit of the repair', () => {
    const system = started();
    system.moveTo('2018-10-20');
    system.subscribe(...cancelled);
    expect(lines(system.invoices()[1])).toEqual([
      'REPAIR_ADJ 2018-10-20→2018-11-06 -10.97',
      'CBA_ADJ 2018-10-20→2018-10-20 10.97',
    ]);
    const balance = system.events.filter(({ type }) => type === 'BalanceChanged').at(-1);
    expect(balance?.data).toMatchObject({ accountBalanceMinor: 903, accountCreditMinor: 0 });
    expect(
      valuesIn(system.state().invoices).map(({ chargedMinor, creditMinor }) => [chargedMinor, creditMinor]),
    ).toEqual([
      [2000, -1097],
      [-1097, 1097],
    ]);
    expect(system.state().nextAt).toBeNull();
  });

  it('leaves the repair of a paid invoice as credit, which the next invoice uses', () => {
    const system = started();
    system.pay(system.invoices()[0]?.invoiceId ?? '', 2000);
    system.moveTo('2018-10-20');
    system.subscribe(...cancelled);
    expect(system.state().creditMinor).toBe(1097);
    system.subscribe(...cancelled, transition('START', '2018-10-20', phase({ planName: 'other' })));
    expect(lines(system.invoices()[2])).toContain('CBA_ADJ 2018-10-20→2018-10-20 -10.97');
    expect(system.state().creditMinor).toBe(0);
  });

  it('charges the new plan for the rest of the period on the invoice that repairs the old one', () => {
    const system = started();
    system.moveTo('2018-10-20');
    system.subscribe(
      transition('START', '2018-10-06', phase()),
      transition(
        'CHANGE',
        '2018-10-20',
        phase({ planName: 'pro-monthly', phaseName: 'pro-monthly-evergreen', price: '50' }),
      ),
    );
    const [, second] = system.invoices();
    expect(lines(second)).toEqual(['RECURRING 2018-10-20→2018-11-06 27.42', 'REPAIR_ADJ 2018-10-20→2018-11-06 -10.97']);
    expect(second?.amountMinor).toBe(1645);
    expect(second?.items[1]?.linkedItemId).toBe(system.invoices()[0]?.items[0]?.itemId);
  });

  it('is repaired only when the end comes, not when it is planned', () => {
    const system = started();
    system.moveTo('2018-10-10');
    system.subscribe(...cancelled);
    expect(system.invoices()).toHaveLength(1);
    expect(system.state().nextAt).toBe(at('2018-10-20'));
    system.moveTo('2018-10-21');
    expect(lines(system.invoices()[1])[0]).toBe('REPAIR_ADJ 2018-10-20→2018-11-06 -10.97');
  });
});

describe('a plan with usage', () => {
  const tier = (price: string, size = '1') => ({
    blocks: [{ unit: 'host', size: decimal(size), max: null, price: decimal(price) }],
    limits: [],
    recurringPrice: null,
  });
  const metered = (facts: Parameters<typeof phase>[0] & { readonly unitPrice?: string } = {}) =>
    phase({
      usages: [
        {
          name: 'host',
          usageType: 'CONSUMABLE',
          billingMode: 'IN_ARREAR',
          billingPeriod: 'MONTHLY',
          tierBlockPolicy: 'ALL_TIERS',
          tiers: [tier(facts.unitPrice ?? '0.01')],
        },
      ],
      ...facts,
    });

  it('asks for the usage of a period when it is over, and invoices it with the next term once it is known', () => {
    const system = simulatedAccount(() => '744');
    system.record();
    system.subscribe(transition('START', '2018-10-06', metered()));
    system.moveTo('2018-11-06');
    const request = system.events.find((event) => event.type === 'UsageRequested');
    expect(request?.data).toMatchObject({
      accountExternalKey: 'jane',
      subscriptionId: 'subscription-1',
      planName: 'standard-monthly',
      periods: [{ unit: 'host', usageName: 'host', fromAt: at('2018-10-06'), toAt: midnight('2018-11-06') }],
    });
    const [, second] = system.invoices();
    expect(lines(second)).toEqual(['RECURRING 2018-11-06→2018-12-06 20.00', 'USAGE 2018-10-06→2018-11-06 7.44']);
    expect(JSON.parse(second?.items[1]?.itemDetails ?? '')).toMatchObject({
      tierDetails: [{ tier: 1, tierUnit: 'host', tierPrice: 0.01, tierBlockSize: 1, quantity: 744, amount: 7.44 }],
      amount: 7.44,
      usage: [{ unit: 'host', metered: 744, quantity: 744, records: 1 }],
    });
  });

  it('makes nothing while usage is unknown, and one invoice for all runs that waited', () => {
    const system = simulatedAccount();
    system.record();
    system.subscribe(transition('START', '2018-10-06', metered()));
    const due = { type: 'InvoiceDue', dueAt: at('2018-11-06'), now: at('2018-11-06') } as const;
    const { decide, evolve } = accountInvoices;
    const first = decide(due, system.state());
    const events = 'events' in first ? first.events : [];
    expect(events.map(({ type }) => type)).toEqual(['UsageRequested']);
    const waiting = events.reduce(evolve, system.state());
    expect(decide(due, waiting)).toEqual({ events: [] });
    expect(decide({ ...due, dueAt: at('2018-11-07'), now: at('2018-11-07') }, waiting)).toMatchObject({
      events: [{ type: 'InvoiceAwaited' }],
    });
  });

  it('splits the period at the instant of a plan change and prices each side by its plan', () => {
    const system = simulatedAccount(() => '100');
    system.record();
    system.subscribe(transition('START', '2018-10-06', metered()));
    system.moveTo('2018-10-20T15:30:00Z');
    system.subscribe(
      transition('START', '2018-10-06', metered()),
      transition(
        'CHANGE',
        '2018-10-20T15:30:00Z',
        metered({ planName: 'pro', phaseName: 'pro-evergreen', unitPrice: '0.017' }),
      ),
    );
    system.moveTo('2018-11-06');
    const usage = system
      .invoices()
      .flatMap(lines)
      .filter((line) => line.startsWith('USAGE'));
    expect(usage).toEqual(['USAGE 2018-10-06→2018-10-20 1.00', 'USAGE 2018-10-20→2018-11-06 1.70']);
  });

  it('charges what was reported late when somebody asks for an invoice, once', () => {
    let quantity = '100';
    const system = simulatedAccount(() => quantity);
    system.record();
    system.subscribe(transition('START', '2018-10-06', metered()));
    system.moveTo('2018-11-10');
    quantity = '150';
    system.invoice();
    expect(system.invoices().slice(2).map(lines)).toEqual([['USAGE 2018-10-06→2018-11-06 0.50']]);
    system.invoice();
    expect(system.invoices()).toHaveLength(3);
  });

  it('charges the last part at once when the subscription is cancelled', () => {
    const system = simulatedAccount(() => '100');
    system.record();
    system.subscribe(transition('START', '2018-10-06', metered()));
    system.moveTo('2018-10-20T12:00:00Z');
    system.subscribe(transition('START', '2018-10-06', metered()), transition('CANCEL', '2018-10-20T12:00:00Z'));
    expect(lines(system.invoices()[1])).toContain('USAGE 2018-10-06→2018-10-20 1.00');
    expect(system.state().nextAt).toBeNull();
  });
});

describe('payments', () => {
  it('count once however often they are told, and turn an excess into credit', () => {
    const system = started();
    const invoiceId = system.invoices()[0]?.invoiceId ?? '';
    system.pay(invoiceId, 2500);
    expect(system.state().creditMinor).toBe(500);
    const payment = system.events.find((event) => event.type === 'PaymentRecorded');
    if (payment?.type !== 'PaymentRecorded') throw new Error('no payment');
    expect(system.issue({ type: 'RecordPayment', payment: payment.data, now: at('2018-10-07') })).toEqual([]);
  });

  it('of another status than success change no balance', () => {
    const system = started();
    const invoiceId = system.invoices()[0]?.invoiceId ?? '';
    system.issue({
      type: 'RecordPayment',
      payment: {
        accountId: 'account-1',
        invoiceId,
        paymentId: 'p',
        transactionId: 't',
        transactionType: 'PURCHASE',
        status: 'PAYMENT_FAILURE',
        amountMinor: 2000,
        currency: currency('USD'),
        effectiveAt: at('2018-10-06'),
      },
      now: at('2018-10-06'),
    });
    expect(entryOf(system.state().invoices, invoiceId)?.paidMinor).toBe(0);
  });
});

describe('asking for an invoice', () => {
  it('is refused for a day more than 36 months ahead and for an unknown account', () => {
    expect(() => started().invoice('2021-10-07')).toThrow('target-date-too-far');
    expect(() => simulatedAccount().invoice()).toThrow('account-unknown');
  });

  it('charges ahead up to the day asked for, after which the days in between charge nothing', () => {
    const system = started();
    system.invoice('2018-12-10');
    expect(lines(system.invoices()[1])).toEqual([
      'RECURRING 2018-11-06→2018-12-06 20.00',
      'RECURRING 2018-12-06→2019-01-06 20.00',
    ]);
    expect(system.state().nextAt).toBe(at('2019-01-06'));
  });

  it('shows beforehand what it would give, and decides nothing', () => {
    const system = started();
    const preview = previewInvoice(system.state(), {
      targetDate: day('2018-11-06'),
      upcoming: false,
      now: at('2018-10-10'),
    });
    expect('invoice' in preview && preview.invoice ? lines(preview.invoice) : []).toEqual([
      'RECURRING 2018-11-06→2018-12-06 20.00',
    ]);
    expect(previewInvoice(system.state(), { targetDate: null, upcoming: false, now: at('2018-10-10') })).toEqual({
      invoice: null,
    });
    expect(previewInvoice(system.state(), { targetDate: null, upcoming: true, now: at('2018-10-10') })).toMatchObject({
      invoice: { targetDate: '2018-11-06' },
    });
  });
});

describe('a clock that was put back by a moment', () => {
  it('leaves nothing out that begins before the last run', () => {
    const system = started();
    system.issue({ type: 'Invoice', targetDate: null, now: at('2018-10-06T00:00:03Z') });
    const second = timeline([transition('START', '2018-10-06T00:00:02Z', phase())], { subscriptionId: 'second' });
    system.issue({ type: 'RecordBillingTimeline', timeline: second, now: at('2018-10-06T00:00:01Z') });
    expect(system.invoices().map(lines)).toEqual([
      ['RECURRING 2018-10-06→2018-11-06 20.00'],
      ['RECURRING 2018-10-06→2018-11-06 20.00'],
    ]);
  });
});

describe('a timeline', () => {
  it('that was recorded before changes nothing', () => {
    const system = started();
    const told = timeline([transition('START', '2018-10-06', phase())]);
    expect(system.issue({ type: 'RecordBillingTimeline', timeline: told, now: at('2018-10-06') })).toEqual([]);
  });

  it('with a bill cycle day of its own re-aligns from there on', () => {
    const system = started();
    system.moveTo('2018-10-10');
    system.subscribe(
      transition('START', '2018-10-06', phase()),
      transition('BCD_CHANGE', '2018-10-15', phase(), { billCycleDayLocal: 15 }),
    );
    system.moveTo('2018-11-30');
    expect(system.invoices().slice(1).map(lines)).toEqual([
      ['RECURRING 2018-11-06→2018-11-15 5.81'],
      ['RECURRING 2018-11-15→2018-12-15 20.00'],
    ]);
  });
});
