import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { type ChangeAlignment, finalPhase } from '../catalog/catalog';
import { indexOf, productOf } from '../catalog/catalog-index';
import type { PlanSpecifier } from '../catalog/find-plan';
import { alignPhases } from '../catalog/plan-aligner';
import { type PlanFacts, type PlanSwitch, changeAlignmentOf, changePolicyOf, priceListOf } from '../catalog/plan-rules';
import { addOnLimitRefusal } from './add-on-limit';
import { blockingAt } from './blocking';
import { type Bundle, type BundleEvent, type PlanStep, type Subscription, baseOf } from './bundle';
import type { BundleRejection, ChangePlan } from './bundle.commands';
import { type ChosenPlan, amountRefusal, choosePlan } from './choose-plan';
import { isSecondsBefore } from './effective-date';
import { billingEnd, hasEnded } from './lifetime';
import { phaseAt, phaseStartedAt, planStateAt, quantityAt, statusAt } from './plan-state';
import { planPeriodOf, policyInstant } from './policy-date';

type Outcome = Decision<BundleEvent, BundleRejection>;

const stateRefusal = (
  bundle: Bundle,
  subscription: Subscription,
  { now, requestedAt }: ChangePlan,
): BundleRejection | null => {
  const { subscriptionId } = subscription;
  const blocked = blockingAt(bundle, subscriptionId, now).find(({ blockChange }) => blockChange);
  if (blocked !== undefined)
    return {
      code: 'change-blocked',
      detail: `Subscription ${subscriptionId} is blocked for changes by ${blocked.service} (${blocked.stateName})`,
    };
  const status = statusAt(bundle, subscription, now);
  const isEarly =
    requestedAt === null ? status === 'PENDING' : isSecondsBefore(requestedAt, subscription.entitlementAt);
  if (status === 'CANCELLED' || status === 'EXPIRED' || isEarly)
    return {
      code: 'change-not-active',
      detail: `Subscription ${subscriptionId} is in state ${status}, so its plan cannot change`,
    };
  const end = billingEnd(bundle, subscription);
  if (end?.kind === 'CANCEL')
    return {
      code: 'change-pending-cancellation',
      detail: `Subscription ${subscriptionId} is to be cancelled on ${end.at}`,
    };
  return null;
};

/** Up to its end a fixed term can be left for another plan, which then ends when its own phases say. */
const expiryRefusal = ({ subscriptionId, steps }: Subscription, effectiveAt: Instant): BundleRejection | null => {
  const expiresAt = steps.at(-1)?.expiresAt ?? null;
  return expiresAt === null || effectiveAt <= expiresAt
    ? null
    : { code: 'change-pending-expiry', detail: `Subscription ${subscriptionId} is to expire on ${expiresAt}` };
};

/** What a change cannot come before: the last transition, be it of the plan, the bill cycle day or the quantity. */
const lastTransitionAt = (bundle: Bundle, subscription: Subscription, now: Instant): Instant => {
  const { dayChanges, quantityChanges, billingAt } = subscription;
  const changes = [...dayChanges, ...quantityChanges].map(({ effectiveAt }) => effectiveAt);
  return [phaseStartedAt(bundle, subscription, now) ?? billingAt, ...changes.filter((at) => at <= now)].reduce(
    (a, b) => (a > b ? a : b),
  );
};

const factsOf = (subscription: Subscription, phase: ResolvedPhase): PlanFacts => ({
  productName: phase.productName,
  productCategory: phase.productCategory,
  billingPeriod: planPeriodOf(subscription, phase),
  priceList: phase.priceList,
});

const specifierOf = ({ plan, catalog, requestedAt, now }: ChangePlan, from: PlanFacts): PlanSpecifier => {
  if ('planName' in plan) return plan;
  const version = catalog.findLast(({ effectiveDate }) => effectiveDate <= (requestedAt ?? now)) ?? catalog[0];
  const priceList = plan.priceList ?? (version === undefined ? from.priceList : priceListOf(version.rules, from));
  return { productName: plan.productName, billingPeriod: plan.billingPeriod ?? from.billingPeriod, priceList };
};

const alignedAtOf = (
  alignment: ChangeAlignment,
  bundle: Bundle,
  subscription: Subscription,
  effectiveAt: Instant,
): Instant | null => {
  switch (alignment) {
    case 'START_OF_SUBSCRIPTION':
      return subscription.alignedAt;
    case 'START_OF_BUNDLE':
      return baseOf(bundle)?.alignedAt ?? subscription.alignedAt;
    case 'CHANGE_OF_PLAN':
      return effectiveAt;
    case 'CHANGE_OF_PRICELIST':
      return null;
  }
};

/** Where the subscription began without a trial, the new plan counts from there without one, too (Kill Bill's PlanAligner). */
const fromFirstPhase = ({ steps }: Subscription, phases: readonly ResolvedPhase[]): readonly ResolvedPhase[] => {
  const began = steps[0]?.phases[0]?.phase.phaseType;
  return phases.slice(
    Math.max(
      0,
      phases.findIndex(({ phaseType }) => phaseType === began),
    ),
  );
};

/** What the new base plan includes or does not offer ends with the change (Kill Bill's DefaultSubscriptionBaseApiService). */
const endedAddOns = (
  bundle: Bundle,
  subscription: Subscription,
  chosen: ChosenPlan,
  now: Instant,
): readonly string[] => {
  if (subscription.productCategory !== 'BASE') return [];
  const product = productOf(chosen.version, chosen.facts.productName);
  return bundle.subscriptions
    .filter((one) => one.productCategory === 'ADD_ON' && !hasEnded(bundle, one, now))
    .filter((one) => {
      const name = planStateAt(bundle, one, now).phase.productName;
      return product === null || product.included.includes(name) || !product.available.includes(name);
    })
    .map(({ subscriptionId }) => subscriptionId);
};

type Change = {
  readonly bundle: Bundle;
  readonly subscription: Subscription;
  readonly command: ChangePlan;
  readonly current: ResolvedPhase;
};

/**
 * The instant asked for; else that of the policy asked for; else that of the catalog's policy. What is asked for before
 * the last transition takes effect with it (Kill Bill's DefaultSubscriptionBaseApiService).
 */
const effectiveAtOf = (
  { bundle, subscription, command, current }: Change,
  policy: Exclude<ReturnType<typeof changePolicyOf>, 'ILLEGAL'>,
): Instant => {
  const { now, requestedAt, account } = command;
  const since = lastTransitionAt(bundle, subscription, now);
  if (requestedAt !== null) return requestedAt > since ? requestedAt : since;
  const at = policyInstant(policy, {
    now,
    startedAt: subscription.billingAt,
    chargedThroughDate: subscription.chargedThroughDate,
    billingPeriod: planPeriodOf(subscription, current),
    billCycleDay:
      subscription.dayChanges.findLast(({ effectiveAt }) => effectiveAt <= now)?.billCycleDayLocal ??
      account.billCycleDayLocal,
    time: account.time,
  });
  return at > since ? at : since;
};

const stepOf = (
  { bundle, subscription, command }: Change,
  chosen: ChosenPlan,
  change: PlanSwitch,
  effectiveAt: Instant,
): PlanStep | { readonly rejected: BundleRejection } => {
  const { startIn, now, account, changeId } = command;
  const alignment = changeAlignmentOf(chosen.version.rules, change);
  const alignedAt = alignedAtOf(alignment, bundle, subscription, effectiveAt);
  if (alignedAt === null)
    return reject({ code: 'alignment-not-supported', detail: `The alignment ${alignment} is not supported` });
  const phases = alignment === 'CHANGE_OF_PLAN' ? chosen.phases : fromFirstPhase(subscription, chosen.phases);
  const plan = alignPhases(
    startIn === null ? phases : chosen.phases,
    { alignedAt, effectiveAt, startIn },
    account.time,
  );
  if (plan === null)
    return reject({
      code: 'phase-not-in-plan',
      detail: `${chosen.plan.name} has no phase of the type ${String(startIn)}`,
    });
  return {
    stepId: changeId,
    kind: 'CHANGE',
    effectiveAt,
    endsAddOns: endedAddOns(bundle, subscription, chosen, now),
    ...(command.priceOverrides.length === 0 ? {} : { priceOverrides: command.priceOverrides }),
    ...plan,
  };
};

/** Changes still to come on or after the new one make way for it; one that is to come before it stays. */
const replacedBy = ({ steps }: Subscription, at: Instant, now: Instant): readonly string[] =>
  steps
    .filter(({ kind, effectiveAt }) => kind !== 'START' && effectiveAt > now && effectiveAt >= at)
    .map(({ stepId }) => stepId);

/** A version judges changes between plans that it has; a plan it dropped is one that it cannot change from (Kill Bill). */
const retiredRefusal = ({ version, plan }: ChosenPlan, { planName }: ResolvedPhase): BundleRejection | null =>
  indexOf(version).plans.has(planName)
    ? null
    : {
        code: 'plan-unknown',
        detail: `The catalog version of ${version.effectiveDate} has no plan ${planName} any more, so nothing can change from it to ${plan.name}; a plan that is only taken out of the price lists can`,
      };

/** What speaks against a plan whenever the change would take effect. */
const planRefusal = (
  { bundle, subscription, current, command }: Change,
  chosen: ChosenPlan,
): BundleRejection | null => {
  const { subscriptionId, productCategory } = subscription;
  const retired = retiredRefusal(chosen, current);
  if (retired !== null) return retired;
  if (chosen.facts.productCategory !== productCategory)
    return {
      code: 'change-of-category',
      detail: `Subscription ${subscriptionId} cannot change from ${productCategory} to ${chosen.facts.productCategory}`,
    };
  return productCategory === 'ADD_ON' ? addOnLimitRefusal(bundle, chosen.plan, command.now, subscriptionId) : null;
};

const scheduled = (change: Change, from: PlanFacts): Outcome => {
  const { subscription, command, current } = change;
  const { catalog, account, priceOverrides, now, requestedAt } = command;
  const plan = specifierOf(command, from);
  const first = choosePlan({ catalog, at: requestedAt ?? now, plan, account, priceOverrides });
  if ('rejected' in first) return first;
  const unfit = planRefusal(change, first);
  if (unfit !== null) return reject(unfit);
  const between: PlanSwitch = { from, phaseType: current.phaseType, to: first.facts };
  const byCatalog = changePolicyOf(first.version.rules, between);
  const policy = command.policy ?? byCatalog;
  if (byCatalog === 'ILLEGAL' || policy === 'ILLEGAL')
    return reject({
      code: 'change-illegal',
      detail: `Changing from ${current.planName} to ${first.plan.name} (${finalPhase(first.plan).type}) is not allowed`,
    });
  const effectiveAt = effectiveAtOf(change, policy);
  const expired = expiryRefusal(subscription, effectiveAt);
  if (expired !== null) return reject(expired);
  const chosen = choosePlan({ catalog, at: effectiveAt, plan, account, priceOverrides });
  if ('rejected' in chosen) return chosen;
  const tooLarge = amountRefusal(chosen.phases, quantityAt(subscription, effectiveAt), account);
  if (tooLarge !== null) return reject(tooLarge);
  const step = stepOf(change, chosen, { ...between, to: chosen.facts }, effectiveAt);
  if ('rejected' in step) return step;
  const data = {
    subscriptionId: subscription.subscriptionId,
    step,
    decidedAt: now,
    billCycleDayLocal: command.billCycleDayLocal,
    replacedSteps: replacedBy(subscription, effectiveAt, now),
  };
  return accept<BundleEvent>({ type: effectiveAt > now ? 'PlanChangeScheduled' : 'PlanChanged', data });
};

/** Policy, alignment and refusals of a plan change follow contracts of Kill Bill's entitlement and catalog rules. */
export const changePlan = (bundle: Bundle, subscription: Subscription, command: ChangePlan): Outcome => {
  const refusal = stateRefusal(bundle, subscription, command);
  if (refusal !== null) return reject(refusal);
  const current = phaseAt(bundle, subscription, command.now) ?? planStateAt(bundle, subscription, command.now).phase;
  return scheduled({ bundle, subscription, command, current }, factsOf(subscription, current));
};
