import {
  type CatalogError,
  type CatalogRules,
  type Condition,
  type RuleCase,
  billingAlignments,
  billingPolicies,
  changeAlignments,
  conditionNames,
  createAlignments,
} from '@billstream/subscriptions-domain';
import { attempt, oneOf } from './read-parts';
import { type XmlElement, childText, listIn } from '@billstream/xml';

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
  errors: CatalogError[],
  result: { readonly name: string; readonly allowed: readonly Result[] },
): readonly RuleCase<Result>[] =>
  (rules === null ? [] : listIn(rules, kind, `${kind}Case`)).flatMap(
    (element) =>
      attempt(errors, () => [
        {
          when: conditionOf(element),
          result: oneOf(result.allowed, childText(element, result.name), `${element.path}/${result.name}`),
        },
      ]) ?? [],
  );

/** Cases in document order: the order is what decides among them. */
export const readRules = (rules: XmlElement | null, errors: CatalogError[]): CatalogRules => ({
  changePolicy: casesOf(rules, 'changePolicy', errors, { name: 'policy', allowed: billingPolicies }),
  changeAlignment: casesOf(rules, 'changeAlignment', errors, { name: 'alignment', allowed: changeAlignments }),
  cancelPolicy: casesOf(rules, 'cancelPolicy', errors, { name: 'policy', allowed: billingPolicies }),
  createAlignment: casesOf(rules, 'createAlignment', errors, { name: 'alignment', allowed: createAlignments }),
  billingAlignment: casesOf(rules, 'billingAlignment', errors, { name: 'alignment', allowed: billingAlignments }),
  priceList: (rules === null ? [] : listIn(rules, 'priceList', 'priceListCase')).map((element) => {
    const { toPriceList, ...when } = conditionOf(element);
    return { when, result: toPriceList ?? 'DEFAULT' };
  }),
});
