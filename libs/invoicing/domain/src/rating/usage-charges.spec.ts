import { type Currency, decimal } from '@billstream/kernel';
import type { ResolvedUsage } from '@billstream/subscriptions-contracts';
import fc from 'fast-check';
import { type UsageDetailMode, usageCharges, usageDetails } from './usage-charges';

const usd = 'USD' as Currency;
const block = (max: string | null, price: string) => ({
  blocks: [{ unit: 'host', size: decimal(1), max: max === null ? null : decimal(max), price: decimal(price) }],
  limits: [],
  recurringPrice: null,
});
const usage: ResolvedUsage = {
  name: 'host',
  usageType: 'CONSUMABLE',
  billingMode: 'IN_ARREAR',
  billingPeriod: 'MONTHLY',
  tierBlockPolicy: 'ALL_TIERS',
  tiers: [block('3', '0.005'), block(null, '0.017')],
};
const charged = (quantity: number, billedMinor: number, mode: UsageDetailMode, isFirst = false): number => {
  const charges = usageCharges({ usage, quantities: { host: decimal(quantity) }, billedMinor }, isFirst, usd, {
    mode,
    mayFall: true,
  });
  if (typeof charges === 'string') throw new Error(charges);
  return charges.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
};

describe('usage that is counted again', () => {
  it('costs nothing more and gives nothing back when it is what it was, at half a minor unit too', () => {
    expect(charged(1, 0, 'AGGREGATE', true)).toBe(1);
    expect(charged(1, 1, 'AGGREGATE')).toBe(0);
  });

  it('costs in all what it would have cost at once, however often it is counted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }),
        fc.constantFrom<UsageDetailMode>('AGGREGATE', 'DETAIL'),
        (counts, mode) => {
          let billed = 0;
          counts.forEach((count, index) => (billed += charged(count, billed, mode, index === 0)));
          expect(billed).toBe(charged(counts.at(-1) ?? 0, 0, mode, true));
        },
      ),
    );
  });

  describe('item by item a tier', () => {
    const tiered = (prices: readonly string[], more: Partial<ResolvedUsage> = {}): ResolvedUsage => ({
      ...{ ...usage, tiers: prices.map((price, index) => block(index < prices.length - 1 ? '10' : null, price)) },
      ...more,
    });
    const grown = (tariff: ResolvedUsage, quantity: number, billedMinor: number) => {
      const due = { usage: tariff, quantities: { host: decimal(quantity) }, billedMinor };
      const charges = usageCharges(due, false, usd, { mode: 'DETAIL', mayFall: true });
      if (typeof charges === 'string') throw new Error(charges);
      return charges.map((charge) => [charge.tiers.map(({ tier }) => tier), charge.quantity, charge.amountMinor]);
    };
    it('is charged what came on top of each, and the first one is shown without', () => {
      expect(grown(tiered(['2', '1']), 15, 1200)).toEqual([
        [[1], '4', 800],
        [[2], '5', 500],
      ]);
      expect(grown(tiered(['2', '1']), 15, 2200)).toEqual([
        [[1], '0', 0],
        [[2], '3', 300],
      ]);
      expect(grown(tiered(['2', '1', '0.5']), 25, 2500)).toEqual([
        [[1], '0', 0],
        [[2], '5', 500],
        [[3], '5', 250],
      ]);
      expect(grown(tiered(['2', '1']), 15, 2500)).toEqual([]);
    });
    it('says so of the blocks in what it is made of', () => {
      const due = { usage: tiered(['2', '1']), quantities: { host: decimal(15) }, billedMinor: 2200 };
      const charges = usageCharges(due, false, usd, { mode: 'DETAIL' });
      if (typeof charges === 'string') throw new Error(charges);
      expect(charges.map((charge) => JSON.parse(usageDetails(charge, [])) as object)).toMatchObject([
        { tierDetails: [{ tier: 1, quantity: 0, amount: 0 }], amount: 0 },
        { tierDetails: [{ tier: 2, tierPrice: 1, quantity: 3, amount: 3 }], amount: 3 },
      ]);
      expect(charges[1]?.rate).toBe('1');
    });
    it('is one item where the amount does not say what it was charged for', () => {
      const both = [[1, 2], null, 500] as const;
      expect(grown(tiered(['0', '1']), 15, 0)).toEqual([both]);
      expect(grown(tiered(['0.001', '1']), 15, 1)).toEqual([both]);
      expect(grown(tiered(['2', '1']), 15, 2600)).toEqual([[[1, 2], null, -100]]);
      const byTwoUnits = tiered(['2', '1']);
      const disk = { unit: 'disk', size: decimal(1), max: null, price: decimal(3) };
      const tiers = byTwoUnits.tiers.map((tier) => ({ ...tier, blocks: [...tier.blocks, disk] }));
      expect(grown({ ...byTwoUnits, tiers }, 15, 2200)).toEqual([[[1, 2, 1], null, 300]]);
      expect(grown(tiered(['2', '1'], { tierBlockPolicy: 'TOP_TIER' }), 15, 1200)).toEqual([[[2], null, 300]]);
    });
  });
});
