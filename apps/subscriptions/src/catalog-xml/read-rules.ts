import {
  type CatalogRules,
  type Condition,
  type RuleCase,
  billingAlignments,
  billingPolicies,
  changeAlignments,
  conditionNames,
  createAlignments,
} from '@billstream/subscriptions-domain';
import { type XmlElement, childText, listIn } from '@billstream/xml';
import { oneOf } from './read-catalog';

const conditionOf = (element: XmlElement): Condition =>
  Object.fromEntries(
    conditionNames.flatMap((name) => {
      const text = childText(element, name);
      return text === null ? [] : [[name, text]];
    }),
  );

const casesOf = <Result extends string>(
  rules: XmlElement | null,
  kind: string,
  result: { readonly name: string; readonly allowed: readonly Result[] },
): readonly RuleCase<Result>[] =>
  (rules === null ? [] : listIn(rules, kind, `${kind}Case`)).map((element, index) => ({
    when: conditionOf(element),
    result: oneOf(result.allowed, childText(element, result.name), `rules, ${kind}, case ${index + 1}, ${result.name}`),
  }));

/** Cases in document order: the order is what decides among them. */
export const readRules = (rules: XmlElement | null): CatalogRules => ({
  changePolicy: casesOf(rules, 'changePolicy', { name: 'policy', allowed: billingPolicies }),
  changeAlignment: casesOf(rules, 'changeAlignment', { name: 'alignment', allowed: changeAlignments }),
  cancelPolicy: casesOf(rules, 'cancelPolicy', { name: 'policy', allowed: billingPolicies }),
  createAlignment: casesOf(rules, 'createAlignment', { name: 'alignment', allowed: createAlignments }),
  billingAlignment: casesOf(rules, 'billingAlignment', { name: 'alignment', allowed: billingAlignments }),
  priceList: (rules === null ? [] : listIn(rules, 'priceList', 'priceListCase')).map((element) => {
    const { toPriceList, ...when } = conditionOf(element);
    return { when, result: toPriceList ?? 'DEFAULT' };
  }),
});
