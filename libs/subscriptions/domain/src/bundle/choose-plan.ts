import { type Instant, compare, decimal, minorDigits, multiply } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { type Catalog, type CatalogVersion, versionAt } from '../catalog/catalog';
import { type FoundPlan, type PlanSpecifier, findPlan } from '../catalog/find-plan';
import { type PriceOverride, overridePrices, overrideRefusal } from '../catalog/price-override';
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
  const refusal = overrideRefusal(resolved.phases, priceOverrides);
  if (refusal !== null) return { rejected: refusal };
  return { ...found, version, phases: overridePrices(resolved.phases, priceOverrides) };
};

/** The same phase in the account's currency; null when its plan is gone or has no price in that. */
export const repricedPhase = (
  catalog: Catalog,
  { planName, phaseName, catalogEffectiveDate }: ResolvedPhase,
  account: SubscriberAccount,
): ResolvedPhase | null => {
  const plan = { planName };
  const chosen = choosePlan({ catalog, at: catalogEffectiveDate, plan, account, priceOverrides: [] });
  return 'rejected' in chosen ? null : (chosen.phases.find((phase) => phase.phaseName === phaseName) ?? null);
};

/** Some hundreds of such amounts still add up to a number that counts every minor unit. */
const minorMax = decimal('10000000000000');

/** A price that no invoice could state would stop all billing of its account, so it is refused where it comes in. */
export const amountRefusal = (
  phases: readonly ResolvedPhase[],
  quantity: number,
  { currency }: SubscriberAccount,
): BundleRejection | null => {
  const unit = decimal(`1${'0'.repeat(currency === null ? 2 : minorDigits(currency))}`);
  const prices = phases.flatMap(({ planName, fixedPrice, recurring }) =>
    [fixedPrice, recurring?.price ?? null].flatMap((price) => (price === null ? [] : [{ planName, price }])),
  );
  const tooLarge = prices.find(
    ({ price }) => compare(multiply(multiply(price, decimal(quantity)), unit), minorMax) > 0,
  );
  return tooLarge === undefined
    ? null
    : {
        code: 'amount-too-large',
        detail: `${quantity} of ${tooLarge.planName} at ${tooLarge.price} is more than an invoice can state`,
      };
};
