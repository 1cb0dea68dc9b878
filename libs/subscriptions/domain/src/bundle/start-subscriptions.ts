import { type Decision, accept, reject } from '@billstream/event-sourcing';
import { type AccountTime, type Instant, plusMs } from '@billstream/kernel';
import type { CatalogProduct } from '../catalog/catalog';
import { productOf } from '../catalog/catalog-index';
import { type PhasePlan, alignPhases, firstBillableAt, plusPhase } from '../catalog/plan-aligner';
import { createAlignmentOf } from '../catalog/plan-rules';
import { addOnLimitRefusal } from './add-on-limit';
import { blockingAt } from './blocking';
import {
  type Bundle,
  type BundleEvent,
  type BundleState,
  type PlanStep,
  type Subscription,
  baseOf,
  evolve,
} from './bundle';
import type { BundleRejection, StartSubscriptions, SubscriptionSpec } from './bundle.commands';
import { type ChosenPlan, amountRefusal, choosePlan } from './choose-plan';
import { hasEnded, isOver } from './lifetime';
import { phaseAt } from './plan-state';
import { unknownStates } from './set-blocking-state';

type Outcome = Decision<BundleEvent, BundleRejection>;

const productAt = (bundle: Bundle, base: Subscription, at: Instant, chosen: ChosenPlan): CatalogProduct | null => {
  const phase = phaseAt(bundle, base, at) ?? base.steps[0]?.phases[0]?.phase;
  return phase === undefined ? null : productOf(chosen.version, phase.productName);
};

/** An add-on needs a living base whose product, at that time, offers it and does not hold it already. */
const addOnRefusal = (
  bundle: Bundle,
  chosen: ChosenPlan,
  at: Instant,
  { now, entitlementAt }: StartSubscriptions,
): BundleRejection | null => {
  const base = baseOf(bundle);
  const { productName } = chosen.facts;
  if (base === null)
    return {
      code: 'base-missing',
      detail: `Can't create an add-on of ${productName}: bundle ${bundle.bundleId} has no base subscription`,
    };
  if (hasEnded(bundle, base, now))
    return {
      code: 'base-not-active',
      detail: `Can't create an add-on of ${productName}: base subscription ${base.subscriptionId} is not active`,
    };
  if (base.entitlementAt > now && (entitlementAt ?? now) < base.entitlementAt)
    return {
      code: 'base-not-active',
      detail: `Can't create an add-on of ${productName}: base subscription ${base.subscriptionId} starts on ${base.entitlementAt}`,
    };
  const product = productAt(bundle, base, at, chosen);
  const baseName = product?.name ?? 'the base plan';
  if (product?.included.includes(productName) === true)
    return {
      code: 'add-on-included',
      detail: `Can't create an add-on of ${productName}: it is included in ${baseName}`,
    };
  if (product?.available.includes(productName) !== true)
    return {
      code: 'add-on-not-available',
      detail: `Can't create an add-on of ${productName}: it is not available for ${baseName}`,
    };
  return addOnLimitRefusal(bundle, chosen.plan, now);
};

const placeRefusal = (
  bundle: Bundle,
  chosen: ChosenPlan,
  at: Instant,
  command: StartSubscriptions,
): BundleRejection | null => {
  const category = chosen.facts.productCategory;
  const standalone = bundle.subscriptions.some(({ productCategory }) => productCategory === 'STANDALONE');
  if (bundle.subscriptions.length > 0 && standalone !== (category === 'STANDALONE'))
    return {
      code: 'categories-mixed',
      detail: `A bundle holds standalone subscriptions or a base with add-ons, not both (${chosen.plan.name})`,
    };
  if (category === 'ADD_ON') return addOnRefusal(bundle, chosen, at, command);
  const base = category === 'BASE' ? baseOf(bundle) : null;
  if (base !== null && !isOver(bundle, base, command.now))
    return {
      code: 'base-exists',
      detail: `Bundle ${bundle.bundleId} has the base subscription ${base.subscriptionId} already`,
    };
  return null;
};

const laterOf = (a: Instant, b: Instant | undefined): Instant => (b !== undefined && b > a ? b : a);

type Dates = { readonly entitlementAt: Instant; readonly billingAt: Instant; readonly alignedAt: Instant };

/** An add-on never begins before its base; where its phases are counted from is the catalog's rule. */
const datesOf = (command: StartSubscriptions, chosen: ChosenPlan, base: Subscription | null): Dates => {
  const { now } = command;
  const billingAt = laterOf(command.billingAt ?? now, base?.billingAt);
  const withBundle = createAlignmentOf(chosen.version.rules, chosen.facts) === 'START_OF_BUNDLE';
  return {
    entitlementAt: laterOf(command.entitlementAt ?? now, base?.entitlementAt),
    billingAt,
    alignedAt: withBundle && base !== null ? base.alignedAt : billingAt,
  };
};

const yearMs = 365.25 * 86_400_000;
const billedBackYearsMax = 10;
const aheadYearsMax = 100;

/** Every period since the start is billed at once, in one decision; a slip of the pen must not ask for a thousand years. */
const dateRefusal = ({ billingAt, entitlementAt }: Dates, now: Instant): BundleRejection | null => {
  const latest = plusMs(now, aheadYearsMax * yearMs);
  const isFar = [billingAt, entitlementAt].some((at) => at > latest);
  if (!isFar && billingAt >= plusMs(now, -billedBackYearsMax * yearMs)) return null;
  return {
    code: 'requested-date-invalid',
    detail: `A subscription is billed from ${billedBackYearsMax} years ago at the earliest and begins within ${aheadYearsMax} years, not at ${billingAt}`,
  };
};

const agreed = ({ priceOverrides }: SubscriptionSpec): Pick<PlanStep, 'priceOverrides'> =>
  priceOverrides.length === 0 ? {} : { priceOverrides };

/** What starts in its last phase has the whole term of it, wherever its phases are counted from (Kill Bill). */
const inFull = ({ phases, expiresAt }: PhasePlan, startsAt: Instant, time: AccountTime): PhasePlan => {
  const [only, next] = phases;
  const duration = next === undefined ? only?.phase.duration : null;
  const hasTerm = expiresAt !== null && duration !== undefined && duration !== null;
  return { phases, expiresAt: hasTerm ? plusPhase(startsAt, duration, time) : expiresAt };
};

const startOne = (bundle: Bundle, command: StartSubscriptions, spec: SubscriptionSpec): Outcome => {
  const { now, catalog, account } = command;
  const { startIn, subscriptionId, priceOverrides } = spec;
  const chosen = choosePlan({ catalog, at: command.billingAt ?? now, plan: spec.plan, account, priceOverrides });
  if ('rejected' in chosen) return chosen;
  const { productCategory } = chosen.facts;
  const dates = datesOf(command, chosen, productCategory === 'ADD_ON' ? baseOf(bundle) : null);
  const { alignedAt, billingAt, entitlementAt } = dates;
  const refusal =
    dateRefusal(dates, now) ??
    amountRefusal(chosen.phases, spec.quantity, account) ??
    placeRefusal(bundle, chosen, billingAt, command);
  if (refusal !== null) return reject(refusal);
  const laid = alignPhases(chosen.phases, { alignedAt, effectiveAt: billingAt, startIn }, account.time);
  const plan = laid === null ? null : inFull(laid, billingAt, account.time);
  if (plan === null)
    return reject({
      code: 'phase-not-in-plan',
      detail: `${chosen.plan.name} has no phase of the type ${String(startIn)}`,
    });
  return accept<BundleEvent>({
    type: 'SubscriptionStarted',
    data: {
      subscriptionId,
      externalKey: spec.externalKey ?? subscriptionId,
      productCategory,
      sourceType: command.migrated ? 'MIGRATED' : 'NATIVE',
      entitlementAt,
      billingAt,
      alignedAt: billingAt,
      firstBillableAt: firstBillableAt(
        billingAt,
        plan.phases.map(({ phase }) => phase),
        account.time,
      ),
      quantity: spec.quantity,
      billCycleDayLocal: spec.billCycleDayLocal,
      step: { stepId: subscriptionId, kind: 'START', effectiveAt: billingAt, endsAddOns: [], ...agreed(spec), ...plan },
    },
  });
};

const opened = (
  state: BundleState,
  { bundleId, externalKey, account, accountStates = [] }: StartSubscriptions,
): readonly BundleEvent[] => {
  const { accountId, time } = account;
  const created: readonly BundleEvent[] =
    state === null
      ? [{ type: 'BundleCreated', data: { bundleId, accountId, externalKey: externalKey ?? bundleId, time } }]
      : [];
  return [...created, ...unknownStates(state?.blockingStates ?? [], accountStates)];
};

const ownerRefusal = (state: BundleState, { account }: StartSubscriptions): BundleRejection | null =>
  state === null || state.accountId === account.accountId
    ? null
    : {
        code: 'bundle-of-another-account',
        detail: `Bundle ${state.bundleId} does not belong to account ${account.accountId}`,
      };

/** Nothing is added to what is blocked for changes or has no service: account, bundle, or the base subscription. */
const blockedRefusal = (state: Bundle, { now }: StartSubscriptions): BundleRejection | null => {
  const base = baseOf(state)?.subscriptionId ?? null;
  const blocked = blockingAt(state, base, now).find(
    ({ blockChange, blockEntitlement }) => blockChange || (base !== null && blockEntitlement),
  );
  if (blocked !== undefined)
    return {
      code: 'change-blocked',
      detail: `Bundle ${state.bundleId} is blocked by ${blocked.service} (${blocked.stateName})`,
    };
  return null;
};

/** Each is decided in the bundle as those before have left it, so a base may come with its add-ons; all or none. */
export const startSubscriptions = (state: BundleState, command: StartSubscriptions): Outcome => {
  const events: BundleEvent[] = [...opened(state, command)];
  let bundle = events.reduce(evolve, state);
  const refusal = ownerRefusal(state, command) ?? (bundle === null ? null : blockedRefusal(bundle, command));
  if (refusal !== null) return reject(refusal);
  for (const spec of command.subscriptions) {
    if (bundle === null) throw new RangeError('a bundle is created before its subscriptions');
    const outcome = startOne(bundle, command, spec);
    if ('rejected' in outcome) return outcome;
    events.push(...outcome.events);
    bundle = outcome.events.reduce(evolve, bundle);
  }
  return { events };
};
