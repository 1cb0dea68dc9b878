import type { Instant } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import type { CatalogVersion } from '../catalog/catalog';
import { findPlan } from '../catalog/find-plan';
import { overridePrices } from '../catalog/price-override';
import { resolvePlan } from '../catalog/resolve-plan';
import type { Bundle, BundleEvent, PlanStep, Subscription } from './bundle';
import type { FollowCatalog, SubscriberAccount } from './bundle.commands';
import { amountRefusal } from './choose-plan';
import { hasEnded } from './lifetime';
import { quantityAt } from './plan-state';

/** A plan as a later catalog version has it, and from when on it holds for those who had the plan before. */
export type NewerVersion = {
  readonly catalogEffectiveDate: Instant;
  /** The version's date for existing subscriptions; when it was uploaded later than that, when it became known. */
  readonly effectiveAt: Instant;
  readonly phases: readonly ResolvedPhase[];
};

export type NewerVersions = {
  /** By catalog date, oldest first. */
  readonly versions: readonly NewerVersion[];
  /** Null: they take effect to the instant. Else at the next bill date; the account's bill cycle day, 0 not chosen yet. */
  readonly alignedTo: { readonly billCycleDayLocal: number } | null;
};

/** The same versions for another account: its prices, and its bill cycle day where they wait for one. */
export const newerFor = (
  { billCycleDayLocal }: Pick<SubscriberAccount, 'billCycleDayLocal'>,
  { versions, alignedTo }: NewerVersions,
  priced: (phase: ResolvedPhase) => ResolvedPhase,
): NewerVersions => ({
  versions: versions.map((version) => ({ ...version, phases: version.phases.map(priced) })),
  alignedTo: alignedTo === null ? null : { billCycleDayLocal },
});

type Following = FollowCatalog & {
  /** Recorded with the step itself: dates that have passed are as good as those to come. */
  readonly isFresh: boolean;
};

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/**
 * The step's plan in one later version; null when the version leaves existing subscriptions alone, or cannot price them:
 * a price that is missing or beyond any invoice must not stop the billing that works today.
 */
const versionOf = (
  step: PlanStep,
  subscription: Subscription,
  version: CatalogVersion,
  { account, now, isFresh }: Following,
): NewerVersion | null => {
  const first = step.phases[0]?.phase;
  const found = first === undefined ? null : findPlan(version, { planName: first.planName });
  if (first === undefined || found === null || 'rejected' in found) return null;
  const from = found.plan.effectiveDateForExistingSubscriptions;
  const kept = { plan: found.plan, facts: { ...found.facts, priceList: first.priceList } };
  const resolved = from === null ? null : resolvePlan(version, kept, account.currency);
  if (from === null || resolved === null || 'rejected' in resolved) return null;
  const phases = overridePrices(resolved.phases, step.priceOverrides ?? []);
  if (amountRefusal(phases, quantityAt(subscription, from), account) !== null) return null;
  // A version that comes to light after its date changes nothing that was charged before.
  return { catalogEffectiveDate: version.effectiveDate, effectiveAt: isFresh ? from : later(from, now), phases };
};

const versionsOf = (step: PlanStep, subscription: Subscription, following: Following): readonly NewerVersion[] => {
  const began = step.phases[0]?.phase.catalogEffectiveDate;
  if (began === undefined) return [];
  const { now, catalog } = following;
  const settled = (step.newer?.versions ?? []).filter(({ effectiveAt }) => effectiveAt <= now);
  const isSettled = (date: Instant): boolean =>
    settled.some(({ catalogEffectiveDate }) => catalogEffectiveDate === date);
  const ahead = catalog
    .filter(({ effectiveDate }) => effectiveDate > began && !isSettled(effectiveDate))
    .map((version) => versionOf(step, subscription, version, following))
    .filter((version) => version !== null);
  return [...settled, ...ahead].toSorted((a, b) => (a.catalogEffectiveDate < b.catalogEffectiveDate ? -1 : 1));
};

const newerOf = (step: PlanStep, subscription: Subscription, following: Following): NewerVersions => {
  const versions = versionsOf(step, subscription, following);
  const aligns = following.catalog.some(({ alignsExistingSubscriptions }) => alignsExistingSubscriptions === true);
  const { billCycleDayLocal } = following.account;
  return { versions, alignedTo: aligns && versions.length > 0 ? { billCycleDayLocal } : null };
};

/** The same text whatever order a store gave the fields. */
const canonical = (value: NewerVersions): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

const none: NewerVersions = { versions: [], alignedTo: null };

/** Steps that are over keep what they had: the one in force and those to come may learn of newer versions. */
const openSteps = ({ steps }: Subscription, now: Instant): readonly PlanStep[] => {
  const inForce = steps.findLastIndex(({ effectiveAt }) => effectiveAt <= now);
  return steps.slice(Math.max(0, inForce));
};

const recorded = (subscription: Subscription, step: PlanStep, following: Following): readonly BundleEvent[] => {
  const newer = newerOf(step, subscription, following);
  if (canonical(newer) === canonical(step.newer ?? none)) return [];
  const { subscriptionId } = subscription;
  return [{ type: 'NewerVersionsRecorded', data: { subscriptionId, stepId: step.stepId, newer } }];
};

/** What later catalog versions mean for the living subscriptions of a bundle, as far as it is not known yet. */
export const followCatalog = (bundle: Bundle, command: FollowCatalog): readonly BundleEvent[] =>
  bundle.subscriptions
    .filter((one) => !hasEnded(bundle, one, command.now))
    .flatMap((one) =>
      openSteps(one, command.now).flatMap((step) => recorded(one, step, { ...command, isFresh: false })),
    );

/** The same for steps that these events have just added. */
export const followWith = (
  bundle: Bundle,
  events: readonly BundleEvent[],
  command: FollowCatalog,
): readonly BundleEvent[] => {
  const added = new Set(
    events.flatMap((event) =>
      event.type === 'SubscriptionStarted' || event.type === 'PlanChanged' || event.type === 'PlanChangeScheduled'
        ? [event.data.step.stepId]
        : [],
    ),
  );
  return bundle.subscriptions.flatMap((one) =>
    one.steps
      .filter(({ stepId }) => added.has(stepId))
      .flatMap((step) => recorded(one, step, { ...command, isFresh: true })),
  );
};
