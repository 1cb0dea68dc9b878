import { decimal, epochMs } from '@billstream/kernel';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import { account, at, lines, phase, simulatedAccount, transition } from '../testing/simulated-account';

/** A phase of one name in whichever catalog version; it costs nothing but a price for each hour. */
const hours = (price: string, version = '2018-01-01'): ResolvedPhase =>
  phase({
    recurring: null,
    catalogEffectiveDate: at(version),
    usages: [
      {
        name: 'hour',
        usageType: 'CONSUMABLE',
        billingMode: 'IN_ARREAR',
        billingPeriod: 'MONTHLY',
        tierBlockPolicy: 'ALL_TIERS',
        tiers: [
          {
            blocks: [{ unit: 'hour', size: decimal(1), max: null, price: decimal(price) }],
            limits: [],
            recurringPrice: null,
          },
        ],
      },
    ],
  });

const begun = transition('START', '2018-10-06', hours('1'));
const version = (when: string, charged: ResolvedPhase): BillingTransition =>
  transition('CHANGE', when, charged, { isNewVersion: true });
const changed = (when: string, charged = hours('1.2', '2018-10-01')) => transition('CHANGE', when, charged);

/** Whose clock has come to a day, with the invoices until then. One hour is used in each. */
const charged = (until: string, ...transitions: readonly BillingTransition[]) => {
  const system = simulatedAccount((_, { fromAt, toAt }) =>
    String(Math.max(0, (epochMs(toAt) - epochMs(fromAt)) / 3_600_000)),
  );
  system.record(account({ billCycleDayLocal: 6 }));
  system.subscribe(...transitions);
  system.moveTo(until);
  return { system, before: system.invoices().length };
};

const linesSince = ({ system, before }: ReturnType<typeof charged>) => system.invoices().slice(before).flatMap(lines);

describe('a change that is dated back into what was charged', () => {
  it('leaves the hours that were charged at their old price, and charges the new one from the bill date on', () => {
    const known = charged('2018-11-06T10:00:00.000Z', begun);
    expect(known.system.invoices().map(lines)).toEqual([['USAGE 2018-10-06→2018-11-06 734.00']]);
    known.system.subscribe(begun, changed('2018-11-05T17:00:00.000Z'));
    known.system.moveTo('2018-12-07');
    expect(linesSince(known)).toEqual(['USAGE 2018-11-06→2018-12-06 864.00']);
  });

  it('charges no hour again that two periods hold between them, where neither holds all of the new one', () => {
    const known = charged('2018-11-10', begun, version('2018-10-20', hours('1.2', '2018-10-01')));
    expect(known.system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-10-20 336.00', 'USAGE 2018-10-20→2018-11-06 477.60'],
    ]);
    known.system.subscribe(begun, changed('2018-10-16'));
    known.system.invoice();
    known.system.moveTo('2018-12-07');
    expect(linesSince(known)).toEqual(['USAGE 2018-11-06→2018-12-06 864.00']);
  });

  it('charges what no period holds, up to where the first one begins', () => {
    const paused = [
      begun,
      transition('BILLING_DISABLED', '2018-10-10'),
      transition('BILLING_ENABLED', '2018-10-20', hours('1')),
    ];
    const known = charged('2018-11-10', ...paused);
    expect(known.system.invoices().map(lines)).toEqual([
      ['USAGE 2018-10-06→2018-10-10 96.00'],
      ['USAGE 2018-10-20→2018-11-06 398.00'],
    ]);
    known.system.subscribe(begun, changed('2018-10-16', hours('2', '2018-10-01')));
    known.system.moveTo('2018-12-07');
    expect(linesSince(known)).toEqual([
      'USAGE 2018-10-10→2018-10-16 144.00',
      // Ninety-six hours of two dollars; what was charged at one dollar is counted again at two (Kill Bill 3.4).
      'USAGE 2018-10-20→2018-11-06 398.00',
      'USAGE 2018-10-16→2018-10-20 192.00',
      'USAGE 2018-11-06→2018-12-06 1440.00',
    ]);
  });

  it('counts a period again that was charged ahead, once', () => {
    const known = charged('2018-10-08', begun, version('2018-10-20', hours('1.2', '2018-10-01')));
    known.system.invoice('2018-11-06');
    expect(linesSince(known)).toEqual(['USAGE 2018-10-06→2018-10-20 48.00', 'USAGE 2018-10-20→2018-11-06 0.00']);
    const later = { system: known.system, before: known.system.invoices().length };
    known.system.moveTo('2018-10-16');
    known.system.subscribe(begun, changed('2018-10-16'));
    known.system.moveTo('2018-11-10');
    expect(linesSince(later)).toEqual([
      'USAGE 2018-10-06→2018-10-16 192.00',
      'USAGE 2018-10-16→2018-10-20 0.00',
      'USAGE 2018-10-16→2018-10-20 115.20',
      'USAGE 2018-10-20→2018-11-06 477.60',
    ]);
  });
});
