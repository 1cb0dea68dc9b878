import { decimal } from '@billstream/kernel';
import { account, at, lines, midnight, phase, simulatedAccount, transition } from '../testing/simulated-account';
import { type LateUsagePolicy, settingsFrom } from './invoicing-settings';

const plan = phase({
  recurring: null,
  usages: [
    {
      name: 'calls',
      usageType: 'CONSUMABLE',
      billingMode: 'IN_ARREAR',
      billingPeriod: 'MONTHLY',
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [
        {
          blocks: [{ unit: 'call', size: decimal(1), max: null, price: decimal('0.5') }],
          limits: [],
          recurringPrice: null,
        },
      ],
    },
  ],
});
const october = {
  subscriptionId: 'subscription-1',
  usageName: 'calls',
  fromAt: at('2018-10-06'),
  toAt: midnight('2018-11-06'),
};

/** A customer whose months are charged up to February, by 100 calls each. */
const charged = (properties: Readonly<Record<string, string>> = {}) => {
  let quantity = '100';
  const rule = { unit: 'call', version: 1, countingMethod: 'SUM' as const };
  const system = simulatedAccount(
    () => quantity,
    '2018-10-06',
    () => rule,
  );
  system.record(account({ billCycleDayLocal: 6 }));
  system.subscribe(transition('START', '2018-10-06', plan));
  system.moveTo('2019-02-10');
  const settings = settingsFrom(properties);
  return {
    system,
    /** Metering says that October amounts to another quantity now. */
    late: (amount: string) => {
      quantity = amount;
      system.issue({ type: 'RecordLateUsage', period: october, now: at('2019-02-11'), settings });
    },
    others: () => system.invoices().slice(4).map(lines),
  };
};

const policy = (text: Record<string, string>): LateUsagePolicy => settingsFrom(text).lateUsage;

describe('usage that changes after its period was charged', () => {
  it('is charged for that period at once, however long ago it was', () => {
    const { late, others } = charged();
    late('130');
    expect(others()).toEqual([['USAGE 2018-10-06→2018-11-06 15.00']]);
    late('130');
    expect(others()).toHaveLength(1);
  });
  it('is given back as credit when it becomes less, and charged again when it grows', () => {
    const { system, late, others } = charged();
    late('90');
    expect(others()).toEqual([['USAGE 2018-10-06→2018-11-06 -5.00', expect.stringContaining('CBA_ADJ')]]);
    expect(system.state().parked).toBeNull();
    late('100');
    expect(others()[1]).toContain('USAGE 2018-10-06→2018-11-06 5.00');
  });
  it('waits for the next invoice where the tenant has it so', () => {
    const { system, late, others } = charged({ 'billstream.invoice.lateUsage': 'NEXT_INVOICE' });
    late('130');
    expect(others()).toEqual([]);
    system.moveTo('2019-03-07');
    expect(others()[0]).toContain('USAGE 2018-10-06→2018-11-06 15.00');
  });
  it('below the amount that the tenant absorbs is left alone until it adds up', () => {
    const { late, others } = charged({ 'billstream.invoice.lateUsage.absorbBelow': '10.00' });
    late('110');
    late('81');
    expect(others()).toEqual([]);
    late('120');
    expect(others()).toEqual([['USAGE 2018-10-06→2018-11-06 10.00']]);
  });
  it('of a period that nobody was charged for changes nothing', () => {
    const { system, others } = charged();
    const before = system.events.length;
    for (const period of [
      { ...october, usageName: 'other' },
      { ...october, subscriptionId: 'nobody' },
      { ...october, fromAt: midnight('2019-02-06'), toAt: midnight('2019-03-06') },
    ])
      system.issue({ type: 'RecordLateUsage', period, now: at('2019-02-11') });
    expect([system.events.length, others()]).toEqual([before, []]);
  });
  it('is a policy that text means, or the default', () => {
    expect(policy({})).toEqual({ mode: 'CORRECT_PERIOD', absorbBelow: null });
    expect(policy({ 'billstream.invoice.lateUsage': ' next_invoice ' }).mode).toBe('NEXT_INVOICE');
    expect(policy({ 'billstream.invoice.lateUsage.absorbBelow': '-1' }).absorbBelow).toBeNull();
    expect(policy({ 'billstream.invoice.lateUsage.absorbBelow': '0.5' }).absorbBelow).toBe('0.5');
  });
});
