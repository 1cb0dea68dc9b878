import type { BillingAlignment, BillingPeriod, PhaseType, ProductCategory } from '@billstream/subscriptions-contracts';
import {
  type BillingPolicy,
  type CatalogRules,
  type ChangeAlignment,
  type Condition,
  type CreateAlignment,
  type RuleCase,
  conditionNames,
} from './catalog';

/** What the rules know a plan by. */
export type PlanFacts = {
  readonly productName: string;
  readonly productCategory: ProductCategory;
  readonly billingPeriod: BillingPeriod;
  readonly priceList: string;
};

const matches = (stated: Condition, known: Condition): boolean =>
  conditionNames.every((name) => stated[name] === undefined || stated[name] === known[name]);

/** Document order, first match wins, an absent predicate matches everything (Kill Bill's DefaultPlanRules). */
const firstMatch = <Result extends string>(
  cases: readonly RuleCase<Result>[],
  known: Condition,
  fallback: Result,
): Result => cases.find(({ when }) => matches(when, known))?.result ?? fallback;

const about = (plan: PlanFacts, phaseType: PhaseType | null): Condition => ({
  product: plan.productName,
  productCategory: plan.productCategory,
  billingPeriod: plan.billingPeriod,
  priceList: plan.priceList,
  ...(phaseType === null ? {} : { phaseType }),
});

/** A change from one plan, in one of its phases, to another. */
export type PlanSwitch = { readonly from: PlanFacts; readonly phaseType: PhaseType; readonly to: PlanFacts };

const between = ({ from, phaseType, to }: PlanSwitch): Condition => ({
  phaseType,
  fromProduct: from.productName,
  fromProductCategory: from.productCategory,
  fromBillingPeriod: from.billingPeriod,
  fromPriceList: from.priceList,
  toProduct: to.productName,
  toProductCategory: to.productCategory,
  toBillingPeriod: to.billingPeriod,
  toPriceList: to.priceList,
});

export const createAlignmentOf = (rules: CatalogRules, plan: PlanFacts): CreateAlignment =>
  firstMatch(rules.createAlignment, about(plan, null), 'START_OF_BUNDLE');

/** A catalog's rule is asked without the phase, as Kill Bill does; only rules that say so get to know it. */
export const cancelPolicyOf = (rules: CatalogRules, plan: PlanFacts, phaseType: PhaseType | null): BillingPolicy =>
  firstMatch(rules.cancelPolicy, about(plan, rules.cancelsByPhase === true ? phaseType : null), 'END_OF_TERM');

export const billingAlignmentOf = (rules: CatalogRules, plan: PlanFacts, phaseType: PhaseType): BillingAlignment =>
  firstMatch(rules.billingAlignment, about(plan, phaseType), 'ACCOUNT');

export const changePolicyOf = (rules: CatalogRules, change: PlanSwitch): BillingPolicy =>
  firstMatch(rules.changePolicy, between(change), 'END_OF_TERM');

export const changeAlignmentOf = (rules: CatalogRules, change: PlanSwitch): ChangeAlignment =>
  firstMatch(rules.changeAlignment, between(change), 'START_OF_BUNDLE');

/** The list to look in when a change names none; the current one when no case matches. */
export const priceListOf = (rules: CatalogRules, from: PlanFacts): string =>
  firstMatch(
    rules.priceList,
    {
      fromProduct: from.productName,
      fromProductCategory: from.productCategory,
      fromBillingPeriod: from.billingPeriod,
      fromPriceList: from.priceList,
    },
    from.priceList,
  );
