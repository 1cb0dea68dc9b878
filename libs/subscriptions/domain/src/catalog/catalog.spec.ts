import { parseCurrency, parseInstant } from '@billstream/kernel';
import { at, catalogWith, phase, plan, utc } from '../bundle/bundle.fixtures';
import { type CatalogVersion, versionAt } from './catalog';
import { catalogDecider, catalogOf, noCatalog } from './catalog.decider';
import { defaultCatalog } from './default-catalog';
import { findPlan } from './find-plan';
import { alignPhases, firstBillableAt, plusPhase } from './plan-aligner';
import { billingAlignmentOf, cancelPolicyOf, changePolicyOf } from './plan-rules';
import { overridePrices } from './price-override';
import { resolvePlan } from './resolve-plan';
import { additionErrors, versionErrors } from './validate-catalog';

const usd = parseCurrency('USD');
const krw = parseCurrency('KRW');
const small = {
  productName: 'Small',
  productCategory: 'BASE',
  billingPeriod: 'MONTHLY',
  priceList: 'DEFAULT',
} as const;
const version = (more: Partial<CatalogVersion> = {}): CatalogVersion => ({ ...catalogWith()[0]!, ...more });

const resolved = (planName: string) => {
  const found = findPlan(version(), { planName });
  if ('rejected' in found) throw new Error(found.rejected.code);
  const outcome = resolvePlan(version(), found, usd);
  if ('rejected' in outcome) throw new Error(outcome.rejected.code);
  return outcome.phases;
};

describe('rules', () => {
  const rules = version().rules;

  it('take the first case that matches, in document order', () => {
    const changePolicy = [
      { when: { toProduct: 'Large' }, result: 'IMMEDIATE' },
      { when: { fromProduct: 'Small' }, result: 'ILLEGAL' },
      { when: {}, result: 'END_OF_TERM' },
    ] as const;
    const to = (productName: string) =>
      changePolicyOf(
        { ...rules, changePolicy },
        { from: small, phaseType: 'EVERGREEN', to: { ...small, productName } },
      );
    expect([to('Large'), to('Other')]).toEqual(['IMMEDIATE', 'ILLEGAL']);
  });

  it('match only when every stated predicate does', () => {
    const billingAlignment = [
      { when: { productCategory: 'BASE', phaseType: 'TRIAL' }, result: 'SUBSCRIPTION' },
    ] as const;
    expect(billingAlignmentOf({ ...rules, billingAlignment }, small, 'TRIAL')).toBe('SUBSCRIPTION');
    expect(billingAlignmentOf({ ...rules, billingAlignment }, small, 'EVERGREEN')).toBe('ACCOUNT');
  });

  it('never match a cancel case that states a phase, because cancelling asks without one', () => {
    const cancelPolicy = [{ when: { phaseType: 'TRIAL' }, result: 'IMMEDIATE' }] as const;
    expect(cancelPolicyOf({ ...rules, cancelPolicy }, small, 'TRIAL')).toBe('END_OF_TERM');
  });
});

describe('versions', () => {
  const [old, later] = [version({ effectiveDate: at('2024-01-01') }), version({ effectiveDate: at('2025-01-01') })];

  it.each([
    ['2023-06-01', old],
    ['2024-12-31', old],
    ['2025-01-01', later],
  ])('in force on %s is the newest that has begun, or the first', (day, expected) => {
    expect(versionAt([old, later], at(day))).toBe(expected);
  });

  it('share a name, have dates of their own, and keep the phases of a plan', () => {
    expect(
      additionErrors(
        [old],
        version({
          effectiveDate: at('2024-01-01'),
          catalogName: 'Other',
          plans: [plan('small', 'Small', [phase('evergreen')])],
          priceLists: [],
        }),
      ),
    ).toEqual([
      { pointer: '/priceLists', message: 'a default price list is missing' },
      { pointer: '/catalogName', message: 'Other differs from Billstream of earlier versions' },
      { pointer: '/effectiveDate', message: '2024-01-01T00:00:00.000Z is that of an earlier version' },
      {
        pointer: '/plans/0/phases',
        message:
          'phases EVERGREEN of plan small differ from TRIAL, EVERGREEN of the version of 2024-01-01T00:00:00.000Z',
      },
    ]);
  });

  it('do not move a plan to another product', () => {
    const moved = version({ effectiveDate: at('2026-01-01'), plans: [{ ...old.plans[0]!, product: 'Large' }] });
    expect(additionErrors([old], moved).map(({ pointer }) => pointer)).toContain('/plans/0/product');
  });
});

describe('validation', () => {
  it('finds nothing in the default catalog', () => {
    expect(versionErrors(defaultCatalog)).toEqual([]);
  });

  it.each([
    [{ currencies: ['EUR'] }, '/plans/0/phases/1/recurring/prices/USD'],
    [{ units: [] }, '/plans/0/phases/1/usages/0/tiers/0/blocks/0/unit'],
    [{ plans: [plan('odd', 'Small', [phase('evergreen'), phase('trial')])] }, '/plans/0/phases/0/type'],
    [{ plans: [plan('odd', 'Nope', [phase('evergreen')])] }, '/plans/0/product'],
    [{ plans: [plan('twice', 'Small', []), plan('twice', 'Small', [])] }, '/plans/1'],
    [{ plans: [plan('empty', 'Small', [])] }, '/plans/0/phases'],
    [{ priceLists: [{ name: 'DEFAULT', plans: ['gone'] }] }, '/priceLists/0/plans/0'],
    [{ rules: { ...defaultCatalog.rules, changePolicy: [] } }, '/rules/changePolicy'],
    [
      {
        rules: { ...defaultCatalog.rules, createAlignment: [{ when: { product: 'Gone' }, result: 'START_OF_BUNDLE' }] },
      },
      '/rules/createAlignment/0/when/product',
    ],
    [
      { rules: { ...defaultCatalog.rules, priceList: [{ when: {}, result: 'NOWHERE' }] } },
      '/rules/priceList/0/toPriceList',
    ],
  ] as const)('of case %# points at the element', (more, pointer) => {
    expect(versionErrors(version(more)).map((error) => error.pointer)).toContain(pointer);
  });
});

describe('resolving', () => {
  it('keeps no price apart from a price of zero', () => {
    expect(
      resolved('small').map(({ phaseName, fixedPrice, recurring }) => [phaseName, fixedPrice, recurring?.price]),
    ).toEqual([
      ['small-trial', '0', undefined],
      ['small-evergreen', null, '20'],
    ]);
  });

  it('refuses a currency that the plan has no price in', () => {
    const found = findPlan(version(), { planName: 'small' });
    if ('rejected' in found) throw new Error(found.rejected.code);
    expect(resolvePlan(version(), found, krw)).toMatchObject({ rejected: { code: 'no-price-in-currency' } });
  });

  it('lets agreed prices take the place of those that exist, and adds none', () => {
    const [, evergreen] = resolved('small');
    const override = {
      phaseName: null,
      phaseType: 'EVERGREEN',
      fixedPrice: evergreen!.recurring!.price,
      recurringPrice: evergreen!.usages[0]!.tiers[0]!.blocks[0]!.price,
      usages: [],
    };
    expect(overridePrices([evergreen!], [override])[0]).toMatchObject({
      fixedPrice: null,
      recurring: { price: '0.01' },
    });
  });
});

describe('aligning phases', () => {
  it('adds months on the account calendar, and ends on the last day of a shorter month', () => {
    expect(plusPhase(at('2024-01-31'), { unit: 'MONTHS', number: 1 }, utc)).toBe(at('2024-02-29'));
  });

  it('counts days in the offset of the account, not in UTC', () => {
    const referenceTime = parseInstant('2024-07-01T03:30:00Z')!;
    const newYork = { timeZone: 'America/New_York', referenceTime };
    // 30 June 23:30 in New York: one month later is 30 July there, which UTC calls the 31st.
    expect(plusPhase(referenceTime, { unit: 'MONTHS', number: 1 }, newYork)).toBe('2024-07-31T03:30:00.000Z');
  });

  it('begins in the phase that covers the date when counted from earlier', () => {
    const aligned = alignPhases(
      resolved('small'),
      { alignedAt: at('2024-01-01'), effectiveAt: at('2024-03-01'), startIn: null },
      utc,
    );
    expect(aligned?.phases.map(({ phase: one }) => one.phaseType)).toEqual(['EVERGREEN']);
  });

  it('is first billable after the phases that end and cost nothing again', () => {
    expect(firstBillableAt(at('2024-01-03'), resolved('small'), utc)).toBe(at('2024-02-02'));
  });
});

describe('a tenant', () => {
  it('sells the default catalog only where it may, and only until it uploads its own', () => {
    const granted = catalogDecider.evolve(noCatalog, {
      type: 'TenantRecorded',
      data: { tenantId: 't', usesDefault: true },
    });
    expect([catalogOf(noCatalog), catalogOf(granted)]).toEqual([[], [defaultCatalog]]);
    const own = catalogDecider.evolve(granted, { type: 'CatalogVersionUploaded', data: { version: version() } });
    expect(catalogOf(own)).toEqual([version()]);
    expect(catalogOf(catalogDecider.evolve(own, { type: 'CatalogDeleted', data: {} }))).toEqual([defaultCatalog]);
  });
});
