import type { BillingAlignment } from '@billstream/subscriptions-contracts';
import {
  type BillingPolicy,
  type CatalogRules,
  type ChangeAlignment,
  type Condition,
  type ConditionName,
  type CreateAlignment,
  type RuleCase,
  billingAlignments,
  billingPolicies,
  changeAlignments,
  conditionNames,
  createAlignments,
} from './catalog';
import type { CatalogError } from './catalog-error';

type Stating<Name extends ConditionName> = { readonly [Stated in Name]?: string };
type OfPlan = Stating<'productCategory' | 'billingPeriod' | 'phaseType'>;
type OfChange = Stating<
  'phaseType' | 'fromProductCategory' | 'fromBillingPeriod' | 'toProductCategory' | 'toBillingPeriod'
>;

/**
 * An organization's own rules: five lists, each of cases that state conditions and one action. The first case whose
 * every stated condition holds wins. A list that is absent leaves the catalog's rules of that name in force.
 */
export type BillingRules = {
  readonly billingAlignment?: readonly (OfPlan & { readonly billingAlignment: BillingAlignment })[];
  /** For add-ons alone. */
  readonly createAlignment?: readonly { readonly planAlignmentCreate: CreateAlignment }[];
  readonly cancelPolicy?: readonly (OfPlan & { readonly billingActionPolicy: BillingPolicy })[];
  readonly changePolicy?: readonly (OfChange & { readonly billingActionPolicy: BillingPolicy })[];
  readonly changeAlignment?: readonly (OfChange & { readonly planAlignmentChange: ChangeAlignment })[];
};
export type BillingRuleList = keyof BillingRules;

/** What each list may state, and what it decides. Price lists have no part in them, so neither has their alignment. */
export const billingRuleLists = {
  billingAlignment: {
    conditions: ['productCategory', 'billingPeriod', 'phaseType'],
    action: 'billingAlignment',
    allowed: billingAlignments,
  },
  createAlignment: { conditions: [], action: 'planAlignmentCreate', allowed: createAlignments },
  cancelPolicy: {
    conditions: ['productCategory', 'billingPeriod', 'phaseType'],
    action: 'billingActionPolicy',
    allowed: billingPolicies.filter((policy) => policy !== 'START_OF_TERM'),
  },
  changePolicy: {
    conditions: ['phaseType', 'fromProductCategory', 'fromBillingPeriod', 'toProductCategory', 'toBillingPeriod'],
    action: 'billingActionPolicy',
    allowed: billingPolicies,
  },
  changeAlignment: {
    conditions: ['phaseType', 'fromProductCategory', 'fromBillingPeriod', 'toProductCategory', 'toBillingPeriod'],
    action: 'planAlignmentChange',
    allowed: changeAlignments.filter((alignment) => alignment !== 'CHANGE_OF_PRICELIST'),
  },
} as const satisfies {
  readonly [List in BillingRuleList]: {
    readonly conditions: readonly ConditionName[];
    readonly action: string;
    readonly allowed: readonly string[];
  };
};

export const billingRuleNames = [
  'billingAlignment',
  'createAlignment',
  'cancelPolicy',
  'changePolicy',
  'changeAlignment',
] as const satisfies readonly BillingRuleList[];

const conditionOf = (rule: Condition): Condition =>
  Object.fromEntries(conditionNames.flatMap((name) => (rule[name] === undefined ? [] : [[name, rule[name]]])));

const casesOf = <Rule extends object, Result extends string>(
  rules: readonly Rule[] | undefined,
  resultOf: (rule: Rule) => Result,
): readonly RuleCase<Result>[] | null =>
  rules?.map((rule) => ({ when: conditionOf(rule), result: resultOf(rule) })) ?? null;

/** The same rules as a catalog states them; only the lists that are there. */
export const catalogRulesOf = (rules: BillingRules): Partial<CatalogRules> => {
  const billingAlignment = casesOf(rules.billingAlignment, (rule) => rule.billingAlignment);
  const createAlignment =
    casesOf(rules.createAlignment, (rule) => rule.planAlignmentCreate)?.map(({ result }) => ({
      when: { productCategory: 'ADD_ON' },
      result,
    })) ?? null;
  const cancelPolicy = casesOf(rules.cancelPolicy, (rule) => rule.billingActionPolicy);
  const changePolicy = casesOf(rules.changePolicy, (rule) => rule.billingActionPolicy);
  const changeAlignment = casesOf(rules.changeAlignment, (rule) => rule.planAlignmentChange);
  return {
    ...(billingAlignment === null ? {} : { billingAlignment }),
    ...(createAlignment === null ? {} : { createAlignment }),
    ...(cancelPolicy === null ? {} : { cancelPolicy, cancelsByPhase: true as const }),
    ...(changePolicy === null ? {} : { changePolicy }),
    ...(changeAlignment === null ? {} : { changeAlignment }),
  };
};

const repeatedCases = (rules: BillingRules): readonly CatalogError[] =>
  billingRuleNames.flatMap((list) => {
    const stated = (rules[list] ?? []).map((rule: Condition | object) => JSON.stringify(conditionOf(rule)));
    return stated.flatMap((conditions, index) =>
      stated.indexOf(conditions) === index
        ? []
        : [
            {
              pointer: `/${list}/${index}`,
              message: `states the same conditions as ${list}/${stated.indexOf(conditions)}, which comes first and wins`,
            },
          ],
    );
  });

/** What the shape of the rules cannot say: which add-ons alone may have, and cases that nothing ever reaches. */
export const billingRulesErrors = (rules: BillingRules): readonly CatalogError[] => [
  ...(rules.billingAlignment ?? []).flatMap(({ billingAlignment, productCategory }, index) =>
    billingAlignment === 'BUNDLE' && productCategory !== 'ADD_ON'
      ? [
          {
            pointer: `/billingAlignment/${index}/billingAlignment`,
            message: 'BUNDLE is for add-ons alone: state productCategory ADD_ON beside it',
          },
        ]
      : [],
  ),
  ...repeatedCases(rules),
];
