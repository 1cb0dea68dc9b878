import { decimal } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import fc from 'fast-check';
import { account, at, midnight, phase, simulatedAccount, transition } from '../testing/simulated-account';
import { settingsFrom } from './invoicing-settings';
import { type ChangedPeriod, usageChanges } from './usage-changes';

const block = (price: string, max: string | null, size: number) => ({
  blocks: [{ unit: 'call', size: decimal(size), max: max === null ? null : decimal(max), price: decimal(price) }],
  limits: [],
  recurringPrice: null,
});
/** Calls by the piece up to 100, by tens from there on. */
const plan = (tierBlockPolicy: 'ALL_TIERS' | 'TOP_TIER' = 'ALL_TIERS') =>
  phase({
    recurring: null,
    usages: [
      {
        ...{ name: 'calls', usageType: 'CONSUMABLE', billingMode: 'IN_ARREAR', billingPeriod: 'MONTHLY' },
        tierBlockPolicy,
        tiers: [block('0.5', '100', 1), block('0.33', null, 10)],
      },
    ],
  });
const rule = { unit: 'call', version: 1, countingMethod: 'SUM' as const };
const months = ['2018-10-06', '2018-11-06', '2018-12-06', '2019-01-06', '2019-02-06'];
const boundary = (index: number) => (index === 0 ? at('2018-10-06') : midnight(months[index] ?? ''));
const later = at('2019-02-11');

/** A customer whose months are charged up to February, by 100 calls each unless told otherwise. */
const charged = (charging = plan()) => {
  const used = new Map<string, string>();
  const system = simulatedAccount(
    (_, { fromAt }) => used.get(fromAt) ?? '100',
    '2018-10-06',
    () => rule,
  );
  system.record(account({ billCycleDayLocal: 6 }));
  system.subscribe(transition('START', '2018-10-06', charging));
  system.moveTo('2019-02-10');
  /** As metering would tell of a month if the change came about. */
  const changed = (month: number, quantity: string, planName = 'standard-monthly'): ChangedPeriod => {
    const named = { usageName: 'calls', fromAt: boundary(month), toAt: boundary(month + 1) };
    const counted: ClosedUsage = {
      ...{ unit: 'call', ...named, quantity: decimal(quantity), metered: decimal(quantity), free: decimal(0) },
      ...{ records: 1, syntheticBuckets: 0, rule, countedTo: '0' },
    };
    return { subscriptionId: 'subscription-1', ...named, planName, usages: [counted] };
  };
  return {
    system,
    changed,
    /** Makes the change happen: metering counts so from now on, and tells. */
    commit: (periods: readonly ChangedPeriod[], settings = settingsFrom({})) => {
      for (const { fromAt, usages } of periods) used.set(fromAt, usages[0]?.quantity ?? '0');
      for (const { subscriptionId, usageName, fromAt, toAt } of periods) {
        const period = { subscriptionId, usageName, fromAt, toAt };
        system.issue({ type: 'RecordLateUsage', period, now: later, settings });
      }
    },
    /** Minor units that invoices from the fifth on say of a month. */
    said: (month: number): number =>
      system
        .invoices()
        .slice(4)
        .flatMap(({ items }) => items)
        .filter(({ usagePeriod }) => usagePeriod?.fromAt === boundary(month))
        .reduce((sum, { amountMinor }) => sum + amountMinor, 0),
  };
};

const outcome = (of: readonly { readonly outcome: string; readonly amountMinor: number | null }[]) =>
  of.map((one) => [one.outcome, one.amountMinor]);

describe('a change of usage that nobody has made', () => {
  it('is priced as it will be charged, or given back, and decides nothing', () => {
    const { system, changed, commit, said } = charged();
    const before = system.events.length;
    const wanted = [changed(0, '130'), changed(2, '90')];
    const told = usageChanges(system.state(), wanted, { now: later });
    expect(told).toMatchObject([
      { outcome: 'AT_ONCE', amountMinor: 99, differenceMinor: 99, startDate: '2018-10-06', endDate: '2018-11-06' },
      { outcome: 'AT_ONCE', amountMinor: -500, startDate: '2018-12-06' },
    ]);
    expect(system.events).toHaveLength(before);
    commit(wanted);
    expect([said(0), said(2)]).toEqual([99, -500]);
  });

  it('comes with the next invoice, or is absorbed until it adds up, as the tenant has it', () => {
    const { system, changed, commit, said } = charged();
    const settings = settingsFrom({
      'billstream.invoice.lateUsage': 'NEXT_INVOICE',
      'billstream.invoice.lateUsage.absorbBelow': '10.00',
    });
    const wanted = [changed(0, '81'), changed(1, '40')];
    const told = usageChanges(system.state(), wanted, { now: later, settings });
    expect(told).toMatchObject([
      { outcome: 'ABSORBED', amountMinor: 0, differenceMinor: -950 },
      { outcome: 'NEXT_INVOICE', amountMinor: -3_000, differenceMinor: -3_000 },
    ]);
    commit(wanted, settings);
    expect(system.invoices()).toHaveLength(4);
    const dueAt = system.state().nextAt ?? later;
    system.issue({ type: 'InvoiceDue', dueAt, now: dueAt, settings });
    expect([said(0), said(1)]).toEqual([0, -3_000]);
  });

  it('is nothing where no invoice charges the period, and no money where the price is the same', () => {
    const { system, changed } = charged();
    const told = usageChanges(
      system.state(),
      [
        changed(0, '100'),
        { ...changed(1, '7'), usageName: 'other' },
        { ...changed(1, '7'), subscriptionId: 'nobody' },
        { ...changed(3, '7'), toAt: later },
      ],
      { now: later },
    );
    expect(outcome(told)).toEqual([['UNCHANGED', 0], ...[1, 2, 3].map(() => ['NOT_CHARGED', 0])]);
  });

  it('waits where the account, or the bundle, is not invoiced by itself', () => {
    const { system, changed } = charged();
    const tag = (objectType: 'ACCOUNT' | 'BUNDLE', objectId: string, isSet: boolean) =>
      system.issue({
        type: 'RecordControlTag',
        change: { accountId: 'account-1', objectType, objectId, tag: 'AUTO_INVOICING_OFF', isSet },
        now: later,
      });
    tag('ACCOUNT', 'account-1', true);
    expect(outcome(usageChanges(system.state(), [changed(0, '90')], { now: later }))).toEqual([['ON_HOLD', -500]]);
    tag('ACCOUNT', 'account-1', false);
    tag('BUNDLE', 'bundle-1', true);
    expect(outcome(usageChanges(system.state(), [changed(0, '90')], { now: later }))).toEqual([['ON_HOLD', null]]);
  });

  it('that has no price is told of before it stops the account', () => {
    const { system, changed, commit } = charged();
    const wanted = [changed(0, '1000000000000000000000'), changed(1, '90')];
    expect(outcome(usageChanges(system.state(), wanted, { now: later }))).toEqual([
      ['PARKS', null],
      ['PARKS', null],
    ]);
    commit(wanted);
    expect(system.state().parked).toBe('usage-beyond-all-tiers');
  });

  it('is not guessed where it was counted for another plan, or not in all units', () => {
    const { system, changed } = charged();
    const told = usageChanges(system.state(), [changed(0, '90', 'gold'), { ...changed(1, '90'), usages: [] }], {
      now: later,
    });
    expect(outcome(told)).toEqual([
      ['UNKNOWN', null],
      ['UNKNOWN', null],
    ]);
  });

  it('of whatever months to whatever quantities is charged to the cent as it was told', () => {
    const quantity = fc.integer({ min: 0, max: 400 }).map(String);
    const change = fc.record({ month: fc.integer({ min: 0, max: 3 }), quantity });
    const policies = fc.constantFrom<Readonly<Record<string, string>>>(
      {},
      { 'billstream.invoice.lateUsage.absorbBelow': '7.50' },
    );
    fc.assert(
      fc.property(
        fc.constantFrom('ALL_TIERS' as const, 'TOP_TIER' as const),
        fc.uniqueArray(change, { minLength: 1, maxLength: 4, selector: ({ month }) => month }),
        policies,
        (tiers, changes, properties) => {
          const { system, changed, commit, said } = charged(plan(tiers));
          const settings = settingsFrom(properties);
          const wanted = changes.map((one) => changed(one.month, one.quantity));
          const told = usageChanges(system.state(), wanted, { now: later, settings });
          commit(wanted, settings);
          expect(changes.map(({ month }) => said(month))).toEqual(told.map(({ amountMinor }) => amountMinor));
        },
      ),
      { numRuns: 60 },
    );
  });
});
