import {
  type BillingRuleList,
  type BillingRules,
  type CatalogRules,
  type Condition,
  type ConditionName,
  type RuleCase,
  billingAlignments,
  billingPeriods,
  billingPolicies,
  billingRuleLists,
  changeAlignments,
  createAlignments,
  phaseTypes,
  productCategories,
} from '@billstream/subscriptions-domain';
import { type Shape, listOf, needed, objectOf, oneOf, optional, text } from './shape';

const casesMax = 1_000;
const ofPlan = ['phaseType', 'product', 'productCategory', 'billingPeriod', 'priceList'] as const;
const ofChange = [
  'phaseType',
  'fromProduct',
  'fromProductCategory',
  'fromBillingPeriod',
  'fromPriceList',
  'toProduct',
  'toProductCategory',
  'toBillingPeriod',
  'toPriceList',
] as const;

const valuesOf = (name: ConditionName): Shape<string> => {
  if (name === 'phaseType') return oneOf(phaseTypes);
  if (/productCategory$/i.test(name)) return oneOf(productCategories);
  return /billingPeriod$/i.test(name) ? oneOf(billingPeriods) : text;
};

/** Without the conditions that were not stated. */
const stated = (condition: Readonly<Record<string, string | undefined>>): Condition =>
  Object.fromEntries(Object.entries(condition).filter(([, value]) => value !== undefined));

const conditions = (names: readonly ConditionName[]): Shape<Condition> => {
  const fields = Object.fromEntries(names.map((name) => [name, optional(valuesOf(name), undefined)]));
  const shape = objectOf<Readonly<Record<string, string | undefined>>>(fields);
  return {
    schema: shape.schema,
    read: (value, pointer, errors) => {
      const read = shape.read(value, pointer, errors);
      return read === undefined ? undefined : stated(read);
    },
  };
};

const casesOf = <Result extends string>(
  names: readonly ConditionName[],
  field: string,
  result: Shape<Result>,
): Shape<readonly RuleCase<Result>[]> => {
  type Written = { readonly when: Condition } & Readonly<Record<string, unknown>>;
  const shape = objectOf<Written>({
    when: optional(conditions(names), {}),
    [field]: needed(result),
  });
  return listOf(
    {
      schema: shape.schema,
      read: (value, pointer, errors) => {
        const read = shape.read(value, pointer, errors);
        return read === undefined ? undefined : { when: read.when, result: read[field] as Result };
      },
    },
    casesMax,
  );
};

type Rules = Omit<CatalogRules, 'cancelsByPhase'>;

/** A catalog's rules: cases in order, the first whose every condition holds wins. */
export const rulesShape: Shape<Rules> = objectOf<Rules>({
  changePolicy: needed(casesOf(ofChange, 'policy', oneOf(billingPolicies))),
  changeAlignment: optional(casesOf(ofChange, 'alignment', oneOf(changeAlignments)), []),
  cancelPolicy: needed(casesOf(ofPlan, 'policy', oneOf(billingPolicies))),
  createAlignment: optional(casesOf(ofPlan, 'alignment', oneOf(createAlignments)), []),
  billingAlignment: optional(casesOf(ofPlan, 'alignment', oneOf(billingAlignments)), []),
  priceList: optional(casesOf(ofChange, 'toPriceList', text), []),
});

/** An empty text states nothing: that is how the rules are written where every property is shown. */
const orEmpty = (shape: Shape<string>): Shape<string | undefined> => ({
  schema: { ...shape.schema, enum: [...((shape.schema['enum'] as readonly string[] | undefined) ?? []), ''] },
  read: (value, pointer, errors) => (value === '' ? undefined : shape.read(value, pointer, errors)),
});

const caseOf = (list: BillingRuleList): Shape<object> => {
  const { conditions: names, action, allowed } = billingRuleLists[list];
  const shape = objectOf<Readonly<Record<string, string | undefined>>>({
    ...Object.fromEntries(names.map((name) => [name, optional(orEmpty(valuesOf(name)), undefined)])),
    [action]: needed(oneOf<string>(allowed)),
  });
  return {
    schema: shape.schema,
    read: (value, pointer, errors) => {
      const read = shape.read(value, pointer, errors);
      return read === undefined ? undefined : stated(read);
    },
  };
};

const listShape = (list: BillingRuleList): Shape<readonly object[]> => listOf(caseOf(list), casesMax);

/** The lists as an organization writes them; one that is absent leaves the catalog's in force. */
export const billingRulesShape: Shape<BillingRules> = (() => {
  const shape = objectOf<Readonly<Record<BillingRuleList, readonly object[] | undefined>>>(
    {
      billingAlignment: optional(listShape('billingAlignment'), undefined),
      createAlignment: optional(listShape('createAlignment'), undefined),
      cancelPolicy: optional(listShape('cancelPolicy'), undefined),
      changePolicy: optional(listShape('changePolicy'), undefined),
      changeAlignment: optional(listShape('changeAlignment'), undefined),
    },
    'Billing rules of an organization: five lists of cases, the first case whose every condition holds wins',
  );
  return {
    schema: shape.schema,
    read: (value, pointer, errors) => {
      const read = shape.read(value, pointer, errors);
      if (read === undefined) return undefined;
      return Object.fromEntries(Object.entries(read).filter(([, cases]) => cases !== undefined));
    },
  };
})();

/** One list alone, as `billingRulesShape` has it. */
export const billingRuleListShape = (list: BillingRuleList): Shape<BillingRules> => {
  const shape = listShape(list);
  return {
    schema: shape.schema,
    read: (value, pointer, errors) => {
      const cases = shape.read(value, pointer, errors);
      return cases === undefined ? undefined : { [list]: cases };
    },
  };
};
