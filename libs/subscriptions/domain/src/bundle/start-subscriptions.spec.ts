import { decimal } from '@billstream/kernel';
import { at, change, spec, start } from './bundle.fixtures';
import { type BundleState, evolve } from './bundle';
import { bundleDecider } from './bundle.decider';

const now = at('2024-01-10');
const dear = (price: string) => ({
  priceOverrides: [
    { phaseName: null, phaseType: 'EVERGREEN' as const, fixedPrice: null, recurringPrice: decimal(price), usages: [] },
  ],
});

const refusal = (more: Partial<Parameters<typeof spec>[2]>, dates: Parameters<typeof start>[2] = {}): string => {
  const outcome = bundleDecider.decide(start([spec('s1', 'small', more)], now, dates), null);
  return 'rejected' in outcome ? outcome.rejected.code : 'accepted';
};

describe('what could never be billed', () => {
  it.each([
    ['a start two thousand years ago', { billingAt: at('0001-01-01') }, 'requested-date-invalid'],
    ['a start more than ten years ago', { billingAt: at('2013-12-31') }, 'requested-date-invalid'],
    ['a start within ten years', { billingAt: at('2014-02-01') }, 'accepted'],
    ['an old entitlement that is billed from now on', { entitlementAt: at('1999-01-01') }, 'accepted'],
    ['an entitlement in another age', { entitlementAt: at('9999-01-01') }, 'requested-date-invalid'],
  ])('is told apart from what can: %s', (_, dates, answer) => {
    expect(refusal({}, dates)).toBe(answer);
  });

  it.each([
    ['a price beyond all minor units', '1000000000000000000', 1, 'amount-too-large'],
    ['a price that only its quantity makes so', '1000', 1_000_000_000, 'amount-too-large'],
    ['a thousand million', '1000000000', 1, 'accepted'],
  ])('is refused for its amount: %s', (_, price, quantity, answer) => {
    expect(refusal({ ...dear(price), quantity })).toBe(answer);
  });

  it('is refused by a change of plan too', () => {
    const begun = bundleDecider.decide(start([spec('s1', 'small')], now), null);
    if ('rejected' in begun) throw new Error(begun.rejected.code);
    const bundle = begun.events.reduce<BundleState>(evolve, null);
    const later = at('2024-03-10');
    const outcome = bundleDecider.decide(
      change('s1', 'large', later, { policy: 'IMMEDIATE', ...dear('1000000000000000000') }),
      bundle,
    );
    expect(outcome).toMatchObject({ rejected: { code: 'amount-too-large' } });
  });
});
