import { decimal } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { type PriceOverride, overridePrices, overrideRefusal } from './price-override';

const tier = (max: string | null, price: string, recurringPrice: string | null = null) => ({
  blocks: [{ unit: 'calls', size: decimal(10), max: max === null ? null : decimal(max), price: decimal(price) }],
  limits: [],
  recurringPrice: recurringPrice === null ? null : decimal(recurringPrice),
});

const phase: ResolvedPhase = {
  planName: 'gold',
  prettyPlanName: null,
  productName: 'Gold',
  prettyProductName: null,
  productCategory: 'BASE',
  priceList: 'DEFAULT',
  phaseName: 'gold-evergreen',
  prettyPhaseName: null,
  phaseType: 'EVERGREEN',
  duration: null,
  fixedPrice: null,
  recurring: { price: decimal(20), billingPeriod: 'MONTHLY' },
  recurringBillingMode: 'IN_ADVANCE',
  usages: [
    {
      name: 'calls',
      usageType: 'CONSUMABLE',
      billingMode: 'IN_ARREAR',
      billingPeriod: 'MONTHLY',
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [tier('5', '3'), tier(null, '2', '9')],
    },
  ],
  billingAlignment: 'ACCOUNT',
  catalogEffectiveDate: '2024-01-01T00:00:00.000Z' as ResolvedPhase['catalogEffectiveDate'],
};

const override = (more: Partial<PriceOverride>): PriceOverride => ({
  phaseName: 'gold-evergreen',
  phaseType: null,
  fixedPrice: null,
  recurringPrice: null,
  usages: [],
  ...more,
});
const block = (price: string, max?: string) => ({
  unit: 'calls',
  size: decimal(10),
  price: decimal(price),
  ...(max === undefined ? {} : { max: decimal(max) }),
});
const pricesOf = (overrides: readonly PriceOverride[]) =>
  overridePrices([phase], overrides).flatMap(({ usages }) =>
    usages.flatMap(({ tiers }) => tiers.map(({ blocks, recurringPrice }) => [blocks[0]?.price, recurringPrice])),
  );

describe('agreed usage prices', () => {
  it('tell tiers of the same unit and size apart by their limit', () => {
    const blocks = [block('1', '-1'), block('4', '5')];
    expect(pricesOf([override({ usages: [{ name: 'calls', blocks }] })])).toEqual([
      ['4', null],
      ['1', '9'],
    ]);
  });

  it('hold for every tier when no limit is stated', () => {
    expect(pricesOf([override({ usages: [{ name: 'calls', blocks: [block('7')] }] })])).toEqual([
      ['7', null],
      ['7', '9'],
    ]);
  });

  it('replace the price of a capacity tier by its place', () => {
    const usages = [{ name: 'calls', blocks: [], tierPrices: [decimal(5), decimal(6)] }];
    expect(pricesOf([override({ usages })])).toEqual([
      ['3', null],
      ['2', '6'],
    ]);
  });
});

describe('an override for what a plan does not have', () => {
  it.each([
    [override({ phaseName: 'gold-trial' }), 'no phase gold-trial'],
    [override({ phaseName: null, phaseType: 'TRIAL' }), 'no phase TRIAL'],
    [override({ usages: [{ name: 'storage', blocks: [] }] }), 'no usage storage'],
    [override({ usages: [{ name: 'calls', blocks: [{ ...block('1'), size: decimal(3) }] }] }), 'no block of 3 calls'],
  ])('is refused, case %#', (one, words) => {
    expect(overrideRefusal([phase], [one])).toMatchObject({
      code: 'price-override-invalid',
      detail: expect.stringContaining(words),
    });
  });

  it('is none when everything is there', () => {
    const usages = [{ name: 'calls', blocks: [block('1', '5')] }];
    expect(overrideRefusal([phase], [override({ recurringPrice: decimal(1), usages })])).toBeNull();
  });
});
