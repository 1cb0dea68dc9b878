import { type Decimal, type Instant, decimal, instantOfMs, parseCurrency } from '@billstream/kernel';
import * as fc from 'fast-check';
import { billingPeriods } from './billing-period';
import { type BillingRules, billingRuleLists, billingRulesErrors, catalogRulesOf } from './billing-rules';
import {
  type CatalogPhase,
  type CatalogPlan,
  type CatalogProduct,
  type CatalogRules,
  type CatalogVersion,
  type Condition,
  type ConditionName,
  type Prices,
  billingAlignments,
  billingModes,
  billingPolicies,
  changeAlignments,
  createAlignments,
  phaseTypes,
  productCategories,
  versionAt,
} from './catalog';
import { defaultCatalog } from './default-catalog';
import { findPlan } from './find-plan';
import {
  billingAlignmentOf,
  cancelPolicyOf,
  changeAlignmentOf,
  changePolicyOf,
  createAlignmentOf,
  priceListOf,
} from './plan-rules';
import { resolvePlan } from './resolve-plan';
import { additionErrors } from './validate-catalog';

/** Any plans, lists and rules over three products, valid or not. */
const productNames = ['Alpha', 'Beta', 'Gamma'] as const;
const listNames = ['DEFAULT', 'SPECIAL'] as const;
const currencies = ['USD', 'EUR', 'KRW'] as const;

const price: fc.Arbitrary<Decimal> = fc.integer({ min: 0, max: 100_000 }).map((cents) => decimal(`${cents / 100}`));
const prices: fc.Arbitrary<Prices> = fc.dictionary(fc.constantFrom(...currencies), price, { maxKeys: 3 });
const max: fc.Arbitrary<Decimal> = fc.constantFrom(decimal(-1), decimal(5), decimal('12.5'));

const usage = fc.record({
  name: fc.constantFrom('calls', 'storage'),
  usageType: fc.constantFrom('CONSUMABLE' as const, 'CAPACITY' as const),
  billingMode: fc.constantFrom(...billingModes),
  billingPeriod: fc.constantFrom(...billingPeriods),
  tierBlockPolicy: fc.constantFrom('ALL_TIERS' as const, 'TOP_TIER' as const),
  tiers: fc.array(
    fc.record({
      limits: fc.array(fc.record({ unit: fc.constant('unit'), max: fc.option(max), min: fc.option(max) }), {
        maxLength: 2,
      }),
      blocks: fc.array(fc.record({ unit: fc.constant('unit'), size: fc.constant(decimal(10)), max, prices }), {
        maxLength: 2,
      }),
      fixedPrice: fc.option(prices),
      recurringPrice: fc.option(prices),
    }),
    { maxLength: 3 },
  ),
});

const phase: fc.Arbitrary<CatalogPhase> = fc.record({
  type: fc.constantFrom(...phaseTypes),
  prettyName: fc.option(fc.constantFrom('Try it', 'A & B <"\'>')),
  duration: fc.oneof(
    fc.constant({ unit: 'UNLIMITED' as const, number: -1 }),
    fc.record({
      unit: fc.constantFrom('DAYS' as const, 'WEEKS' as const, 'MONTHS' as const, 'YEARS' as const),
      number: fc.integer({ min: 1, max: 40 }),
    }),
  ),
  fixed: fc.option(fc.record({ prices })),
  recurring: fc.option(fc.record({ billingPeriod: fc.constantFrom(...billingPeriods), prices })),
  usages: fc.array(usage, { maxLength: 2 }),
});

const plan = (name: string): fc.Arbitrary<CatalogPlan> =>
  fc.record({
    name: fc.constant(name),
    prettyName: fc.option(fc.constant('Pretty')),
    product: fc.constantFrom(...productNames),
    recurringBillingMode: fc.constantFrom(...billingModes),
    effectiveDateForExistingSubscriptions: fc.option(
      fc.integer({ min: 0, max: 400 }).map((day) => instantOfMs(day * 86_400_000)),
    ),
    phases: fc.array(phase, { minLength: 1, maxLength: 3 }),
    plansAllowedInBundle: fc.integer({ min: -1, max: 3 }),
  });

const product = (name: string): fc.Arbitrary<CatalogProduct> =>
  fc.record({
    name: fc.constant(name),
    prettyName: fc.constant(null),
    category: fc.constantFrom(...productCategories),
    included: fc.subarray([...productNames]),
    available: fc.subarray([...productNames]),
    limits: fc.constant([]),
  });

const valueOf = (name: ConditionName): fc.Arbitrary<string> => {
  if (name === 'phaseType') return fc.constantFrom(...phaseTypes);
  if (/category$/i.test(name)) return fc.constantFrom(...productCategories);
  if (/period$/i.test(name)) return fc.constantFrom('MONTHLY', 'ANNUAL', 'WEEKLY');
  return /list$/i.test(name) ? fc.constantFrom(...listNames) : fc.constantFrom(...productNames);
};

const conditionsOf = (names: readonly ConditionName[]): fc.Arbitrary<Condition> =>
  fc.record(Object.fromEntries(names.map((name) => [name, valueOf(name)])), { requiredKeys: [] });

const casesOf = <Result extends string>(names: readonly ConditionName[], results: readonly Result[]) =>
  fc.array(fc.record({ when: conditionsOf(names), result: fc.constantFrom(...results) }), { maxLength: 4 });

const ofPlan = ['phaseType', 'product', 'productCategory', 'billingPeriod', 'priceList'] as const;
const ofChange = ['phaseType', 'fromProduct', 'fromBillingPeriod', 'toProductCategory', 'toPriceList'] as const;

const rules: fc.Arbitrary<CatalogRules> = fc.record({
  changePolicy: casesOf(ofChange, billingPolicies),
  changeAlignment: casesOf(ofChange, changeAlignments),
  cancelPolicy: casesOf(ofPlan, billingPolicies),
  createAlignment: casesOf(ofPlan, createAlignments),
  billingAlignment: casesOf(ofPlan, billingAlignments),
  priceList: casesOf(['fromProduct', 'fromPriceList'], listNames),
});

const planNames = ['p1', 'p2', 'p3', 'p4'] as const;

const catalogVersions: fc.Arbitrary<CatalogVersion> = fc.record({
  catalogName: fc.constant('Generated'),
  effectiveDate: fc.integer({ min: 0, max: 400 }).map((day) => instantOfMs(day * 86_400_000)),
  recurringBillingMode: fc.option(fc.constantFrom(...billingModes)),
  currencies: fc.constant([...currencies]),
  units: fc.constant([{ name: 'unit', prettyName: null }]),
  products: fc.tuple(product('Alpha'), product('Beta'), product('Gamma')),
  rules,
  plans: fc.tuple(...planNames.map(plan)),
  priceLists: fc.tuple(fc.subarray([...planNames]), fc.subarray([...planNames])).map(([first, second]) => [
    { name: 'DEFAULT', plans: first },
    { name: 'SPECIAL', plans: second },
  ]),
});

const facts = fc.record({
  productName: fc.constantFrom(...productNames),
  productCategory: fc.constantFrom(...productCategories),
  billingPeriod: fc.constantFrom('MONTHLY' as const, 'ANNUAL' as const, 'WEEKLY' as const),
  priceList: fc.constantFrom(...listNames),
});
const phases = fc.constantFrom(...phaseTypes);

const decisions = (
  rules: CatalogRules,
  [from, to, phaseType]: readonly [
    Parameters<typeof createAlignmentOf>[1],
    Parameters<typeof createAlignmentOf>[1],
    (typeof phaseTypes)[number],
  ],
) => ({
  create: createAlignmentOf(rules, to),
  cancel: cancelPolicyOf(rules, from, phaseType),
  billing: billingAlignmentOf(rules, from, phaseType),
  policy: changePolicyOf(rules, { from, phaseType, to }),
  alignment: changeAlignmentOf(rules, { from, phaseType, to }),
  priceList: priceListOf(rules, from),
});

describe('any catalog', () => {
  it('finds a plan or says why not, and prices it or says why not', () => {
    const specifiers = fc.oneof(
      fc.record({ planName: fc.constantFrom(...planNames, 'p9') }),
      fc.record({
        productName: fc.constantFrom(...productNames, 'Omega'),
        billingPeriod: fc.constantFrom(...billingPeriods),
        priceList: fc.constantFrom(...listNames, 'NONE'),
      }),
    );
    fc.assert(
      fc.property(catalogVersions, specifiers, fc.constantFrom(...currencies), (version, specifier, currency) => {
        const found = findPlan(version, specifier);
        if ('rejected' in found) {
          expect(found.rejected.detail).not.toBe('');
          return;
        }
        const resolved = resolvePlan(version, found, parseCurrency(currency));
        if ('rejected' in resolved) {
          expect(resolved.rejected.code).toBe('no-price-in-currency');
          return;
        }
        expect(resolved.phases.map(({ phaseType }) => phaseType)).toEqual(found.plan.phases.map(({ type }) => type));
      }),
    );
  });

  it('finds by the index what a search would find', () => {
    fc.assert(
      fc.property(
        catalogVersions,
        fc.constantFrom(...productNames),
        fc.constantFrom(...billingPeriods),
        fc.constantFrom(...listNames),
        (version, productName, billingPeriod, priceList) => {
          const found = findPlan(version, { productName, billingPeriod, priceList });
          const searched = [priceList, 'DEFAULT']
            .map((name) =>
              version.plans.filter(
                (plan) =>
                  version.priceLists.find((list) => list.name === name)?.plans.includes(plan.name) === true &&
                  plan.product === productName &&
                  (plan.phases.at(-1)?.recurring?.billingPeriod ?? 'NO_BILLING_PERIOD') === billingPeriod,
              ),
            )
            .find((plans) => plans.length > 0);
          const expected =
            searched === undefined
              ? 'no-plan-matches'
              : searched.length > 1
                ? 'several-plans-match'
                : searched[0]?.name;
          expect('rejected' in found ? found.rejected.code : found.plan.name).toBe(expected);
        },
      ),
    );
  });

  it('decides by its rules, and is judged without an exception', () => {
    fc.assert(
      fc.property(catalogVersions, catalogVersions, fc.tuple(facts, facts, phases), (earlier, version, asked) => {
        expect(Object.values(decisions(version.rules, asked))).not.toContain(undefined);
        for (const { pointer, message } of additionErrors([earlier], version)) {
          expect(pointer).toMatch(/^\//);
          expect(message).not.toBe('');
        }
      }),
    );
  });

  it('is in force from its date on, as a search would say', () => {
    const days = fc.uniqueArray(fc.nat(1_000), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(days, fc.nat(1_100), (dates, day) => {
        const at = (count: number): Instant => instantOfMs(count * 86_400_000);
        const catalog = dates
          .sort((a, b) => a - b)
          .map((date): CatalogVersion => ({ ...defaultCatalog, effectiveDate: at(date) }));
        expect(versionAt(catalog, at(day))).toBe(
          catalog.findLast(({ effectiveDate }) => effectiveDate <= at(day)) ?? catalog[0],
        );
      }),
    );
  });
});

const rulesOf = <List extends keyof BillingRules>(list: List) => {
  const { conditions, action, allowed } = billingRuleLists[list];
  return fc.array(
    fc
      .tuple(conditionsOf(conditions), fc.constantFrom<string>(...allowed))
      .map(([condition, result]) => ({ ...condition, [action]: result })),
    { maxLength: 5 },
  ) as unknown as fc.Arbitrary<NonNullable<BillingRules[List]>>;
};

const billingRules: fc.Arbitrary<BillingRules> = fc.record(
  {
    billingAlignment: rulesOf('billingAlignment'),
    createAlignment: rulesOf('createAlignment'),
    cancelPolicy: rulesOf('cancelPolicy'),
    changePolicy: rulesOf('changePolicy'),
    changeAlignment: rulesOf('changeAlignment'),
  },
  { requiredKeys: [] },
);

describe('rules of an organization', () => {
  /** The same cases written down as a catalog has them, by hand and not by the code under test. */
  const asCatalog = (base: CatalogRules, rules: BillingRules): CatalogRules => {
    const cases = (list: readonly object[], action: string) =>
      list.map((rule) => {
        const { [action]: result, ...when } = rule as Record<string, string>;
        return { when, result: result as never };
      });
    return {
      ...base,
      cancelsByPhase: true,
      ...(rules.billingAlignment && { billingAlignment: cases(rules.billingAlignment, 'billingAlignment') }),
      ...(rules.createAlignment && {
        createAlignment: rules.createAlignment.map(({ planAlignmentCreate }) => ({
          when: { productCategory: 'ADD_ON' },
          result: planAlignmentCreate,
        })),
      }),
      ...(rules.cancelPolicy && { cancelPolicy: cases(rules.cancelPolicy, 'billingActionPolicy') }),
      ...(rules.changePolicy && { changePolicy: cases(rules.changePolicy, 'billingActionPolicy') }),
      ...(rules.changeAlignment && { changeAlignment: cases(rules.changeAlignment, 'planAlignmentChange') }),
    };
  };

  it('decide as the same cases of a catalog do, and leave lists that are not set to it', () => {
    fc.assert(
      fc.property(catalogVersions, billingRules, fc.tuple(facts, facts, phases), ({ rules: base }, rules, asked) => {
        const knowsPhase = {
          ...base,
          cancelPolicy: base.cancelPolicy.filter(({ when }) => when.phaseType === undefined),
        };
        const own = decisions({ ...knowsPhase, ...catalogRulesOf(rules) }, asked);
        expect(own).toEqual(decisions(asCatalog(knowsPhase, rules), asked));
      }),
      { numRuns: 500 },
    );
  });

  it('know the phase that a subscription is cancelled in, which a catalog does not', () => {
    const rules: BillingRules = {
      cancelPolicy: [{ phaseType: 'TRIAL', billingActionPolicy: 'IMMEDIATE' }, { billingActionPolicy: 'END_OF_TERM' }],
    };
    const plan = {
      productName: 'Alpha',
      productCategory: 'BASE',
      billingPeriod: 'MONTHLY',
      priceList: 'DEFAULT',
    } as const;
    const own = { ...defaultCatalog.rules, ...catalogRulesOf(rules) };
    expect([cancelPolicyOf(own, plan, 'TRIAL'), cancelPolicyOf(own, plan, 'EVERGREEN')]).toEqual([
      'IMMEDIATE',
      'END_OF_TERM',
    ]);
  });

  it('give BUNDLE to add-ons alone, and state no case twice', () => {
    expect(
      billingRulesErrors({
        billingAlignment: [
          { billingAlignment: 'BUNDLE' },
          { productCategory: 'ADD_ON', billingAlignment: 'BUNDLE' },
          { productCategory: 'ADD_ON', billingAlignment: 'ACCOUNT' },
        ],
      }).map(({ pointer }) => pointer),
    ).toEqual(['/billingAlignment/0/billingAlignment', '/billingAlignment/2']);
  });
});

describe('a large catalog', () => {
  const plansCount = 2_000;
  const template = defaultCatalog.plans[0]!;
  const names = Array.from({ length: plansCount }, (_, index) => `plan-${index}`);
  const large = (day: number): CatalogVersion => ({
    ...defaultCatalog,
    effectiveDate: instantOfMs(day * 86_400_000),
    products: names.map((name) => ({ ...defaultCatalog.products[0]!, name: `product-${name}` })),
    plans: names.map((name) => ({ ...template, name, product: `product-${name}` })),
    priceLists: [{ name: 'DEFAULT', plans: names }],
  });

  it('of 2,000 plans in 50 versions is walked through once a version, however often it is asked', () => {
    let walks = 0;
    const catalog = Array.from({ length: 50 }, (_, index) => {
      const version = large(index * 10);
      const { plans } = version;
      return Object.defineProperty(version, 'plans', { get: () => ((walks += 1), plans) });
    });
    const usd = parseCurrency('USD');
    const ask = (index: number): void => {
      const version = versionAt(catalog, instantOfMs(((index * 7) % 500) * 86_400_000));
      const name = names[(index * 37) % plansCount];
      if (version === null || name === undefined) throw new Error('there is nothing to ask for');
      const byName = findPlan(version, { planName: name });
      const triple = { productName: `product-${name}`, billingPeriod: 'MONTHLY', priceList: 'DEFAULT' } as const;
      expect(findPlan(version, triple)).toEqual(byName);
      expect('rejected' in byName || 'rejected' in resolvePlan(version, byName, usd)).toBe(false);
    };
    for (let index = 0; index < 500; index += 1) ask(index);
    expect(walks).toBe(50);
    for (let index = 500; index < 2_000; index += 1) ask(index);
    expect(walks).toBe(50);
  });
});
