import { decimal, epochMs } from '@billstream/kernel';
import { account, lines, phase, simulatedAccount, transition } from '../testing/simulated-account';

const metered = phase({
  recurring: null,
  usages: [
    {
      ...{ name: 'hosts', usageType: 'CONSUMABLE', billingMode: 'IN_ARREAR', billingPeriod: 'MONTHLY' },
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [
        {
          blocks: [{ unit: 'host', size: decimal(1), max: null, price: decimal('1') }],
          limits: [],
          recurringPrice: null,
        },
      ],
    },
  ],
});
const begun = transition('START', '2018-10-06', metered);
const dayMs = 86_400_000;

/** One unit a day; charged ahead on 20 October for a month of which 14 days are over. */
const chargedAhead = () => {
  const system = simulatedAccount((_, { fromAt, toAt }) =>
    String(Math.max(0, epochMs(toAt) - epochMs(fromAt)) / dayMs),
  );
  system.record(account({ billCycleDayLocal: 6 }));
  system.subscribe(begun);
  system.moveTo('2018-10-20');
  system.invoice('2018-11-06');
  return system;
};
const all = ({ invoices }: ReturnType<typeof chargedAhead>): readonly string[] =>
  invoices().flatMap((one) => lines(one).filter((line) => line.startsWith('USAGE')));

describe('usage charged ahead of the end of its period', () => {
  it('is taken off the parts of it once, when a pause in the past comes to light', () => {
    const system = chargedAhead();
    expect(all(system)).toEqual(['USAGE 2018-10-06→2018-11-06 14.00']);
    system.moveTo('2018-10-25');
    system.subscribe(
      begun,
      transition('BILLING_DISABLED', '2018-10-10'),
      transition('BILLING_ENABLED', '2018-10-12', metered),
    );
    system.moveTo('2018-11-07');
    // 4 days before the pause and 25 after it; on 25 October 17 of them were over.
    expect(all(system)).toEqual([
      'USAGE 2018-10-06→2018-11-06 14.00',
      'USAGE 2018-10-12→2018-11-06 3.00',
      'USAGE 2018-10-12→2018-11-06 12.00',
    ]);
    system.invoice();
    expect(all(system)).toHaveLength(3);
  });

  it('counts with all that was charged before it, when the same period was charged ahead several times', () => {
    const system = chargedAhead();
    system.moveTo('2018-10-24');
    system.invoice();
    expect(all(system)).toEqual(['USAGE 2018-10-06→2018-11-06 14.00', 'USAGE 2018-10-06→2018-11-06 4.00']);
    system.moveTo('2018-10-25');
    system.subscribe(
      begun,
      transition('BILLING_DISABLED', '2018-10-21'),
      transition('BILLING_ENABLED', '2018-10-22', metered),
    );
    system.moveTo('2018-11-07');
    const charged = all(system).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    // 15 days before the pause and 15 after it, of which three were charged with the 18.
    expect(charged).toBe(30);
  });

  it('is taken off the parts of it once, when the bill cycle day was another', () => {
    const system = chargedAhead();
    system.moveTo('2018-10-25');
    system.subscribe(begun, transition('BCD_CHANGE', '2018-10-16', metered, { billCycleDayLocal: 16 }));
    system.moveTo('2018-11-17');
    const charged = all(system).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    expect(charged).toBe(41);
  });
});
