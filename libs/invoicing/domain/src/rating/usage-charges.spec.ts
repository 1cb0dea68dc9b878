import { type Currency, decimal } from '@billstream/kernel';
import type { ResolvedUsage } from '@billstream/subscriptions-contracts';
import fc from 'fast-check';
import { type UsageDetailMode, usageCharges } from './usage-charges';

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
});
