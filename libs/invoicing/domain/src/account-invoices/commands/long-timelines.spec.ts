import { epochMs, instantOfMs } from '@billstream/kernel';
import type { BillingTransition } from '@billstream/subscriptions-contracts';
import { accountInvoicesSchema } from '../account-invoices.schema';
import { at, phase, simulatedAccount, transition } from '../../testing/simulated-account';

describe('a timeline of hundreds of quantities', () => {
  const usages = Array.from({ length: 10 }, (_, n) => ({
    ...({ name: `usage-${n}`, usageType: 'CONSUMABLE', billingMode: 'IN_ARREAR', billingPeriod: 'MONTHLY' } as const),
    ...({ tierBlockPolicy: 'ALL_TIERS', tiers: [] } as const),
  }));
  const charged = phase({ usages });
  const transitions = [
    transition('START', '2018-10-06', charged),
    ...Array.from({ length: 800 }, (_, change): BillingTransition => ({
      ...transition('QUANTITY_CHANGE', '2018-10-07', { ...charged }, { quantity: 1 + (change % 3) }),
      transitionId: `change-${change}`,
      effectiveAt: instantOfMs(epochMs(at('2018-10-07')) + change * 3_600_000),
    })),
  ];

  it('is recorded in an event far below what a store takes at once, and known again when it is read back', () => {
    const system = simulatedAccount();
    system.record();
    const told = system.subscribe(...transitions).find(({ type }) => type === 'BillingTimelineRecorded');
    if (told === undefined) throw new Error('the timeline was not recorded');
    const stored = accountInvoicesSchema.encode(told);
    const text = JSON.stringify(stored.data);
    expect(text.length).toBeLessThan(JSON.stringify(told.data).length / 8);
    expect(text.length).toBeLessThan(200_000);
    const again = accountInvoicesSchema.decode({ type: stored.type, data: JSON.parse(text) as object });
    expect(JSON.stringify(again)).toBe(JSON.stringify(told));
    expect(system.subscribe(...transitions)).toEqual([]);
  });
});
