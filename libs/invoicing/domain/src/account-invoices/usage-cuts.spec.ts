import { decimal, epochMs } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import {
  account,
  at,
  day,
  lines,
  midnight,
  phase,
  simulatedAccount,
  timeline,
  transition,
} from '../testing/simulated-account';
import { defaultSettings } from './invoicing-settings';
import { worksOf } from './run-work';
import { usageItems } from './usage-items';

const metered = (unitPrice: string, facts: Parameters<typeof phase>[0] = {}) =>
  phase({
    usages: [
      {
        name: 'kilowatt-hour',
        usageType: 'CONSUMABLE',
        billingMode: 'IN_ARREAR',
        billingPeriod: 'MONTHLY',
        tierBlockPolicy: 'ALL_TIERS',
        tiers: [
          {
            blocks: [{ unit: 'kilowatt-hour', size: decimal(1), max: null, price: decimal(unitPrice) }],
            limits: [],
            recurringPrice: null,
          },
        ],
      },
    ],
    ...facts,
  });

const newer = (unitPrice: string, facts: Parameters<typeof phase>[0] = {}) =>
  metered(unitPrice, { catalogEffectiveDate: at('2018-10-01'), ...facts });

const version = (when: string, charged: BillingTransition['phase']) =>
  transition('CHANGE', when, charged, { isNewVersion: true });

const recorded = () => {
  const system = simulatedAccount(() => '100');
  system.record(account({ billCycleDayLocal: 6 }));
  return system;
};

describe('usage when the prices of a plan are agreed anew', () => {
  it('costs up to that day what it cost then, plan and catalog version being the same', () => {
    const system = recorded();
    system.subscribe(
      transition('START', '2018-10-06', metered('1.5', { recurring: null })),
      transition('CHANGE', '2018-11-06', metered('2.5', { recurring: null })),
    );
    system.moveTo('2018-12-06');
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-11-06 150.00'],
      ['USAGE 2018-11-06→2018-12-06 250.00'],
    ]);
  });

  it('is one period across a change that leaves the prices as they are', () => {
    const system = recorded();
    system.subscribe(
      transition('START', '2018-10-06', metered('1.5', { recurring: null })),
      transition('CHANGE', '2018-10-20', metered('1.50', { recurring: null })),
    );
    system.moveTo('2018-11-06');
    expect(system.invoices().map(lines)).toEqual([['USAGE 2018-10-06→2018-11-06 150.00']]);
  });
});

describe('usage when a newer catalog version comes into force', () => {
  it('is cut on that day, and both parts come to the invoice of the next bill date', () => {
    const system = recorded();
    system.subscribe(
      transition('START', '2018-10-06', metered('1.5', { recurring: null })),
      version('2018-10-20', newer('2.5', { recurring: null })),
    );
    expect(system.state().nextAt).toBe(at('2018-11-06'));
    system.moveTo('2018-11-06');
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-10-20 150.00', 'USAGE 2018-10-20→2018-11-06 250.00'],
    ]);
    expect(system.state().nextAt).toBe(at('2018-12-06'));
  });

  it('is charged when a bill cycle day of its own cuts the newer part, also where that cost nothing', () => {
    const system = simulatedAccount(() => '0');
    system.record(account({ billCycleDayLocal: 6 }));
    const plan = newer('2.5', { recurring: null });
    system.subscribe(
      transition('START', '2018-10-06', metered('1.5', { recurring: null })),
      version('2018-10-20', plan),
      transition('BCD_CHANGE', '2018-10-21', plan, { billCycleDayLocal: 21 }),
    );
    system.moveTo('2018-10-22');
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-10-20 0.00', 'USAGE 2018-10-20→2018-10-21 0.00'],
    ]);
    expect(system.state().nextAt).toBe(at('2018-11-21'));
  });

  it('is charged at once when the version takes the usage away, or somebody changed the plan', () => {
    const dropped = recorded();
    const before = transition('START', '2018-10-06', metered('1.5', { recurring: null }));
    dropped.subscribe(before, version('2018-10-20', newer('2.5', { recurring: null, usages: [] })));
    expect(dropped.state().nextAt).toBe(at('2018-10-20'));
    const changed = recorded();
    changed.subscribe(before, transition('CHANGE', '2018-10-20', newer('2.5', { recurring: null })));
    expect(changed.state().nextAt).toBe(at('2018-10-20'));
  });

  it('comes with the recurring price, which is charged anew from the version on', () => {
    const system = recorded();
    system.subscribe(
      transition('START', '2018-10-06', metered('1.5', { price: '31' })),
      version('2018-10-20', newer('2.5', { price: '62' })),
    );
    expect(system.state().nextAt).toBe(at('2018-10-20'));
  });
});

describe('a pause that is lifted from a day in the past on', () => {
  it.each([
    ['on the day of the start', '2018-10-06'],
    ['before the start', null],
  ])('is invoiced at once up to today, with all that changed meanwhile, when it was set %s', (_, disabledOn) => {
    const system = recorded();
    const begun = transition('START', '2018-10-06', metered('1', { recurring: null }));
    const upgraded = transition(
      'CHANGE',
      '2018-10-20',
      metered('3', { recurring: null, planName: 'pro', phaseName: 'pro-evergreen' }),
    );
    const paused = disabledOn === null ? [] : [transition('BILLING_DISABLED', disabledOn)];
    system.subscribe(begun);
    system.moveTo('2018-10-20');
    system.subscribe(...paused);
    system.moveTo('2018-11-06');
    expect(system.invoices()).toEqual([]);
    system.subscribe(begun, upgraded);
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-10-20 100.00', 'USAGE 2018-10-20→2018-11-06 300.00'],
    ]);
  });
});

describe('a period that a short look-back bills again', () => {
  it('names only the reports that no invoice has counted', () => {
    const system = recorded();
    system.subscribe(transition('START', '2018-10-06', metered('1', { recurring: null })));
    system.moveTo('2018-11-06');
    system.moveTo('2018-12-06');
    const settings = { ...defaultSettings, lookBack: { months: 1, days: 0 } };
    const run = { at: at('2019-01-06'), targetDate: day('2019-01-06') };
    const from = (date: string) => (date === '2018-10-06' ? at(date) : midnight(date));
    const closed = (fromAt: string, toAt: string, trackingIds: readonly string[]) => ({
      ...{ unit: 'kilowatt-hour', usageName: 'kilowatt-hour', fromAt: from(fromAt), toAt: midnight(toAt), trackingIds },
      ...{ quantity: decimal(100), metered: decimal(100), free: decimal(0), records: 1, syntheticBuckets: 0 },
      ...{ rule: null, countedTo: '0' },
    });
    const items = worksOf(system.state(), run, { settings, now: run.at }).map((work) => {
      const usage = work.ledger.usage.map((sheet) =>
        sheet.map((one) => ({ ...one, trackingIds: [`counted ${one.fromAt}`] })),
      );
      const counted = [
        closed('2018-10-06', '2018-11-06', [`counted ${at('2018-10-06')}`]),
        closed('2018-11-06', '2018-12-06', [`counted ${midnight('2018-11-06')}`]),
        closed('2018-12-06', '2019-01-06', ['new']),
      ];
      return usageItems({ ...work, ledger: { ...work.ledger, usage, closed: counted } });
    });
    expect(items).toMatchObject([
      {
        items: [
          { startDate: '2018-10-06', amountMinor: 10_000 },
          { startDate: '2018-12-06', amountMinor: 10_000, trackingIds: ['new'] },
        ],
      },
    ]);
    expect(JSON.stringify(items)).not.toContain('"trackingIds":["counted');
  });
});

describe('a period that was charged ahead and then ended early', () => {
  /** A kilowatt-hour a day. */
  const metering = () => {
    const system = simulatedAccount((_, { fromAt, toAt }) => String((epochMs(toAt) - epochMs(fromAt)) / 86_400_000));
    system.record(account({ billCycleDayLocal: 6 }));
    return system;
  };
  const begun = transition('START', '2018-10-06', metered('1', { recurring: null }));

  it('is charged at its end for what was used since', () => {
    const system = metering();
    system.subscribe(begun);
    system.invoice('2018-11-06');
    system.subscribe(begun, transition('BILLING_DISABLED', '2018-10-20'));
    system.moveTo('2019-01-06');
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-11-06 0.00'],
      ['USAGE 2018-10-06→2018-10-20 14.00'],
    ]);
  });

  it('takes nothing off what is used after a pause that came later', () => {
    const system = metering();
    system.subscribe(begun);
    system.moveTo('2018-10-16');
    system.invoice('2018-11-06');
    const paused = transition('BILLING_DISABLED', '2018-10-20');
    const resumed = transition('BILLING_ENABLED', '2018-10-25', metered('1', { recurring: null }));
    system.subscribe(begun, paused, resumed);
    system.moveTo('2018-11-06');
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-11-06 10.00'],
      ['USAGE 2018-10-06→2018-10-20 4.00'],
      ['USAGE 2018-10-25→2018-11-06 0.00'],
      ['USAGE 2018-10-25→2018-11-06 12.00'],
    ]);
  });

  it('is one period up to its end, also where another bill cycle day would have cut it since', () => {
    const system = metering();
    system.subscribe(begun);
    system.moveTo('2018-10-10');
    system.invoice('2018-11-06');
    system.moveTo('2018-10-15');
    const moved = transition('BCD_CHANGE', '2018-10-15', metered('1', { recurring: null }), { billCycleDayLocal: 20 });
    system.subscribe(begun, moved);
    system.moveTo('2018-10-25');
    system.invoice();
    system.moveTo('2018-10-28');
    system.subscribe(begun, moved, transition('BILLING_DISABLED', '2018-10-28'));
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-11-06 4.00'],
      ['USAGE 2018-10-06→2018-11-06 15.00'],
      ['USAGE 2018-10-06→2018-10-28 3.00'],
    ]);
    expect(system.state().nextAt).toBeNull();
  });

  it('is counted again when an end that was planned has come, and not on a bill date before', () => {
    const system = metering();
    system.subscribe(begun);
    system.invoice('2018-11-06');
    const moved = transition('BCD_CHANGE', '2018-10-15', metered('1', { recurring: null }), { billCycleDayLocal: 20 });
    const ended = transition('CANCEL', '2018-10-28');
    system.subscribe(begun, moved, ended);
    system.moveTo('2018-10-16');
    expect(system.state().nextAt).toBe(at('2018-10-28'));
    system.moveTo('2018-10-28');
    expect(system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-11-06 0.00'],
      ['USAGE 2018-10-06→2018-10-28 9.00'],
      ['USAGE 2018-10-06→2018-10-28 13.00'],
    ]);
  });

  it('stands as it ended when it turns out to go on after all, and the rest is charged apart', () => {
    const system = metering();
    system.subscribe(begun);
    system.moveTo('2018-10-10');
    system.invoice('2018-11-06');
    system.subscribe(begun, transition('BILLING_DISABLED', '2018-10-20'));
    system.moveTo('2018-10-15');
    system.subscribe(begun);
    system.moveTo('2018-11-06');
    const charged = system.invoices().flatMap(({ items }) => items.map(({ amountMinor }) => amountMinor));
    expect(charged.reduce((sum, amount) => sum + amount, 0)).toBe(3_100);
  });
});

describe('the day on which a period of usage ends', () => {
  const monthly = metered('1', { recurring: null });
  const used = (timeZone: string, referenceTime: string, usageZone: 'FIXED' | 'VARIABLE') => {
    const system = simulatedAccount(() => '1', referenceTime);
    system.record(account({ billCycleDayLocal: 1, timeZone, referenceTime: at(referenceTime) }));
    const settings = { ...defaultSettings, usageZone };
    const started = timeline([transition('START', referenceTime, monthly)]);
    system.issue({ type: 'RecordBillingTimeline', timeline: started, now: at(referenceTime), settings });
    const dueAt = system.state().nextAt ?? at(referenceTime);
    system.issue({ type: 'InvoiceDue', dueAt, now: dueAt, settings });
    const [endsAt] = system.events.flatMap((event) =>
      event.type === 'UsageRequested' ? event.data.periods.map(({ toAt }) => toAt) : [],
    );
    return { dueAt, endsAt, lines: system.invoices().map(lines) };
  };

  it('begins at midnight of the account, while the invoice comes at its reference time', () => {
    expect(used('UTC', '2018-10-06T10:00:00Z', 'FIXED')).toEqual({
      dueAt: at('2018-11-01T10:00:00Z'),
      endsAt: midnight('2018-11-01'),
      lines: [['USAGE 2018-10-06→2018-11-01 1.00']],
    });
  });

  it('is that of the frozen offset, or of the real zone where the tenant has it so', () => {
    const winter = '2023-03-01T09:00:00Z';
    const fixed = used('America/New_York', winter, 'FIXED');
    const real = used('America/New_York', winter, 'VARIABLE');
    expect([fixed.endsAt, real.endsAt]).toEqual([at('2023-04-01T05:00:00Z'), at('2023-04-01T04:00:00Z')]);
    expect([fixed.dueAt, real.dueAt]).toEqual([at('2023-04-01T09:00:00Z'), at('2023-04-01T09:00:00Z')]);
    expect(real.lines).toEqual([['USAGE 2023-03-01→2023-04-01 1.00']]);
  });
});
