import type { Instant } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { type Catalog, type CatalogVersion, versionAt } from '../catalog/catalog';
import { type FoundPlan, type PlanSpecifier, findPlan } from '../catalog/find-plan';
import { type PriceOverride, overridePrices } from '../catalog/price-override';
import { resolvePlan } from '../catalog/resolve-plan';
import type { BundleRejection, SubscriberAccount } from './bundle.commands';

export type ChosenPlan = FoundPlan & { readonly version: CatalogVersion; readonly phases: readonly ResolvedPhase[] };

type Choice = {
  readonly catalog: Catalog;
  readonly at: Instant;
  readonly plan: PlanSpecifier;
  readonly account: SubscriberAccount;
  readonly priceOverrides: readonly PriceOverride[];
};

/** A plan of the catalog version in force at an instant, priced in the account's currency. */
export const choosePlan = ({
  catalog,
  at,
  plan,
  account,
  priceOverrides,
}: Choice): ChosenPlan | { readonly rejected: BundleRejection } => {
  const version = versionAt(catalog, at);
  if (version === null)
    return { rejected: { code: 'no-catalog', detail: `There is no catalog version applicable for ${at}` } };
  const found = findPlan(version, plan);
  if ('rejected' in found) return found;
  const resolved = resolvePlan(version, found, account.currency);
  if ('rejected' in resolved) return resolved;
  return { ...found, version, phases: overridePrices(resolved.phases, priceOverrides) };
};
