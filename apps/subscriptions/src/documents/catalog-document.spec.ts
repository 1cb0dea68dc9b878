import { type CatalogVersion, defaultCatalog, versionErrors } from '@billstream/subscriptions-domain';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { catalogShape, readCatalogDocument, writeCatalogDocument } from './catalog-document';

const read = (value: unknown): CatalogVersion => {
  const outcome = readCatalogDocument(value);
  if ('errors' in outcome) throw new Error(JSON.stringify(outcome.errors));
  return outcome.value;
};

describe('the JSON document of a catalog', () => {
  it('is in the manual as it is read here', () => {
    const manual = readFileSync(path.join(__dirname, '../../../../docs/catalog.md'), 'utf8');
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(manual) ?? [];
    const version = read(JSON.parse(example));
    expect(versionErrors(version)).toEqual([]);
    expect(
      version.plans.map(({ name, recurringBillingMode, plansAllowedInBundle }) => [
        name,
        recurringBillingMode,
        plansAllowedInBundle,
      ]),
    ).toEqual([
      ['gold-monthly', 'IN_ADVANCE', -1],
      ['radar-monthly', 'IN_ADVANCE', 1],
    ]);
    expect(version.plans[0]?.phases[1]?.usages[0]?.tiers[0]?.blocks[0]).toEqual({
      unit: 'calls',
      size: '100',
      max: '10',
      prices: { USD: '2' },
    });
    expect(read(writeCatalogDocument(version))).toEqual(version);
  });

  it('leaves out what is seldom said', () => {
    expect(Object.keys(writeCatalogDocument(defaultCatalog) as object)).toEqual([
      'catalogName',
      'effectiveDate',
      'recurringBillingMode',
      'currencies',
      'units',
      'products',
      'rules',
      'plans',
      'priceLists',
    ]);
    expect(JSON.stringify(writeCatalogDocument(defaultCatalog))).not.toMatch(/null|"available":\[\]/);
  });

  it.each([
    [{ when: { planet: 'Mars' }, policy: 'IMMEDIATE' }, '/rules/changePolicy/0/when/planet'],
    [{ when: { phaseType: 'BETA' }, policy: 'IMMEDIATE' }, '/rules/changePolicy/0/when/phaseType'],
    [{ when: {}, policy: 'SOON' }, '/rules/changePolicy/0/policy'],
    [{ when: {} }, '/rules/changePolicy/0/policy'],
    ['IMMEDIATE', '/rules/changePolicy/0'],
  ])('refuses the rule %j', (rule, pointer) => {
    const document = writeCatalogDocument(defaultCatalog) as { readonly rules: object };
    const outcome = readCatalogDocument({ ...document, rules: { ...document.rules, changePolicy: [rule] } });
    expect('errors' in outcome && outcome.errors.map((error) => error.pointer)).toEqual([pointer]);
  });

  it.each([
    [{ USD: '-1' }, '/plans/0/phases/1/recurring/prices/USD'],
    [{ USD: 'much' }, '/plans/0/phases/1/recurring/prices/USD'],
    [{ dollars: '1' }, '/plans/0/phases/1/recurring/prices/dollars'],
  ])('refuses the prices %j', (prices, pointer) => {
    const document = writeCatalogDocument(defaultCatalog) as {
      readonly plans: readonly { readonly phases: readonly object[] }[];
    };
    const [first, ...others] = document.plans;
    const [trial, final] = first?.phases ?? [];
    const plan = { ...first, phases: [trial, { ...final, recurring: { billingPeriod: 'MONTHLY', prices } }] };
    const outcome = readCatalogDocument({ ...document, plans: [plan, ...others] });
    expect('errors' in outcome && outcome.errors.map((error) => error.pointer)).toEqual([pointer]);
  });

  it('is described by a schema that names every field', () => {
    const { properties, additionalProperties, required } = catalogShape.schema;
    expect(Object.keys(properties as object)).toEqual(Object.keys(writeCatalogDocument(defaultCatalog) as object));
    expect([additionalProperties, required]).toEqual([
      false,
      ['catalogName', 'effectiveDate', 'currencies', 'products', 'rules', 'plans', 'priceLists'],
    ]);
  });
});
