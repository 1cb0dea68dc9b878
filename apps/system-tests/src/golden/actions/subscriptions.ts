import { randomUUID } from 'node:crypto';
import { instantIn } from '../account-days';
import type { SubscriptionJson } from '../answers';
import type { When } from '../case-file';
import { type Stage, accountOf, bundleOf, subscriptionOf } from '../stage';
import type { Action } from './action';
import { type PlanChoice, chosenPlan, overridesOf } from './plan-choice';

type Start = PlanChoice & { readonly ref: string; readonly billCycleDay?: number; readonly quantity?: number };
type Dates = { readonly entitlementDate?: When; readonly billingDate?: When };
type Placed = { readonly account?: string; readonly bundle: string; readonly bundleKey?: string };

const startBody = (stage: Stage, start: Start, account?: string) => ({
  accountId: accountOf(stage, account).accountId,
  ...chosenPlan(stage, start),
  billCycleDayLocal: start.billCycleDay,
  quantity: start.quantity,
  priceOverrides: overridesOf(stage, start.priceOverrides),
});

const remember = (stage: Stage, ref: string, made: SubscriptionJson, { account = 'a1', bundle }: Placed): void => {
  stage.subscriptions.set(ref, { subscriptionId: made.subscriptionId, account });
  if (!stage.bundles.has(bundle))
    stage.bundles.set(bundle, { bundleId: made.bundleId, account, key: made.bundleExternalKey });
};

const createSubscription: Action<Start & Dates & Placed> = async (stage, args) => {
  const known = stage.bundles.get(args.bundle);
  const answer = await stage.requests.send('POST', '/subscriptions', {
    query: { entitlementDate: args.entitlementDate, billingDate: args.billingDate },
    body: {
      ...startBody(stage, args, args.account),
      ...(known === undefined ? { bundleExternalKey: args.bundleKey } : { bundleId: known.bundleId }),
    },
  });
  const made = await stage.requests.created<SubscriptionJson>(answer);
  if (made === null) throw new Error('a new subscription without an address');
  remember(stage, args.ref, made, args);
};

type NewBundle = Dates & Placed & { readonly subscriptions: readonly Start[] };

/** One request for all, so one pair of dates. Keys of our own tell which of the new subscriptions is which. */
const createSubscriptions: Action<{ readonly account?: string; readonly bundles: readonly NewBundle[] }> = async (
  stage,
  { account, bundles },
) => {
  const [first] = bundles;
  if (bundles.some(({ entitlementDate }) => entitlementDate !== first?.entitlementDate))
    throw new Error('one request has one date for all its bundles');
  const call = randomUUID();
  const answer = await stage.requests.send('POST', '/subscriptions/createSubscriptionsWithAddOns', {
    query: { entitlementDate: first?.entitlementDate, billingDate: first?.billingDate },
    body: bundles.map(({ bundle, bundleKey, subscriptions }) => ({
      baseEntitlementAndAddOns: subscriptions.map((start, i) => ({
        ...startBody(stage, start, account),
        externalKey: `${start.ref}-${call}`,
        ...(stage.bundles.has(bundle)
          ? { bundleId: bundleOf(stage, bundle).bundleId }
          : { bundleExternalKey: i === 0 ? bundleKey : undefined }),
      })),
    })),
  });
  const made = await stage.requests.created<readonly { readonly subscriptions: readonly SubscriptionJson[] }[]>(answer);
  const all = (made ?? []).flatMap(({ subscriptions }) => subscriptions);
  for (const { bundle, subscriptions } of bundles)
    for (const { ref } of subscriptions) {
      const found = all.find(({ externalKey }) => externalKey === `${ref}-${call}`);
      if (found === undefined) throw new Error(`the new subscriptions do not hold ${ref}`);
      remember(stage, ref, found, { bundle, ...(account === undefined ? {} : { account }) });
    }
};

const pathOf = (stage: Stage, ref: string, rest = ''): string =>
  `/subscriptions/${subscriptionOf(stage, ref).subscriptionId}${rest}`;

type Change = PlanChoice & {
  readonly subscription: string;
  readonly date?: When;
  readonly billingPolicy?: string;
  readonly billCycleDay?: number;
};

const changePlan: Action<Change> = async (stage, args) => {
  await stage.requests.send('PUT', pathOf(stage, args.subscription), {
    query: { requestedDate: args.date, billingPolicy: args.billingPolicy },
    body: {
      ...chosenPlan(stage, args),
      billCycleDayLocal: args.billCycleDay,
      priceOverrides: overridesOf(stage, args.priceOverrides),
    },
  });
};

type Cancel = Dates & {
  readonly subscription: string;
  readonly date?: When;
  readonly overrideBillingEffectiveDate?: boolean;
  readonly entitlementPolicy?: string;
  readonly billingPolicy?: string;
};

const cancel: Action<Cancel> = async (stage, args) => {
  if (args.entitlementDate !== args.billingDate) throw new Error('a cancellation takes one date for both');
  await stage.requests.send('DELETE', pathOf(stage, args.subscription), {
    query: {
      requestedDate: args.date ?? args.entitlementDate,
      useRequestedDateForBilling: args.overrideBillingEffectiveDate,
      entitlementPolicy: args.entitlementPolicy,
      billingPolicy: args.billingPolicy,
    },
  });
};

const uncancel: Action<{ readonly subscription: string }> = async (stage, { subscription }) => {
  await stage.requests.send('PUT', pathOf(stage, subscription, '/uncancel'));
};

const undoChangePlan: Action<{ readonly subscription: string }> = async (stage, { subscription }) => {
  await stage.requests.send('PUT', pathOf(stage, subscription, '/undoChangePlan'));
};

type From = { readonly subscription: string; readonly effectiveFromDate?: When };

const updateBCD: Action<From & { readonly billCycleDayLocal: number }> = async (stage, args) => {
  const { subscription, billCycleDayLocal, effectiveFromDate } = args;
  await stage.requests.send('PUT', pathOf(stage, subscription, '/bcd'), {
    query: { effectiveFromDate },
    body: { billCycleDayLocal },
  });
};

const updateQuantity: Action<From & { readonly quantity: number }> = async (stage, args) => {
  const { subscription, quantity, effectiveFromDate } = args;
  await stage.requests.send('PUT', pathOf(stage, subscription, '/quantity'), {
    query: { effectiveFromDate },
    body: { quantity },
  });
};

type UsagePoint = {
  readonly subscription: string;
  readonly unit: string;
  readonly date: When;
  readonly amount: string;
  readonly trackingId: string;
};

const recordUsage: Action<UsagePoint> = async (stage, { subscription, unit, date, trackingId, ...point }) => {
  const { subscriptionId, account } = subscriptionOf(stage, subscription);
  const recordDate = instantIn(accountOf(stage, account).time, date);
  const usageRecords = [{ recordDate, amount: Number(point.amount) }];
  await stage.requests.send('POST', '/usages', {
    body: { subscriptionId, trackingId, unitUsageRecords: [{ unitType: unit, usageRecords }] },
  });
};

const removeUsage: Action<Pick<UsagePoint, 'subscription' | 'unit' | 'date'>> = async (
  stage,
  { subscription, date },
) => {
  const { subscriptionId, account } = subscriptionOf(stage, subscription);
  const at = instantIn(accountOf(stage, account).time, date);
  stage.withdrawn.push({ subscriptionId, at, position: await stage.store.head() });
};

export const subscriptionActions = {
  ...{ createSubscription, createSubscriptions, changePlan, undoChangePlan, cancel, uncancel },
  ...{ updateBCD, updateQuantity, recordUsage, removeUsage },
};
