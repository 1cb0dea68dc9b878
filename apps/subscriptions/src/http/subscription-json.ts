import { type Decimal, type Instant, dayOfMonth, derivedId, localDateOf, toNumber } from '@billstream/kernel';
import type { ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';
import {
  type Bundle,
  type Subscription,
  baseOf,
  billingEnd,
  entitlementEnd,
  isLive,
  phaseAt,
  planStateAt,
  plannedPhases,
} from '@billstream/subscriptions-domain';
import { blockingEvents } from './blocking-events';
import { eventJson, eventTypes } from './subscription-event-json';

/** How Kill Bill 0.24 shows a subscription, a bundle and their events. Amounts are numbers there, instants are UTC. */
const amount = (price: Decimal | null | undefined): number | null =>
  price === null || price === undefined ? null : toNumber(price);

const usagePrice = ({ name, usageType, billingMode, tierBlockPolicy, tiers }: ResolvedUsage) => ({
  usageName: name,
  usageType,
  billingMode,
  tierBlockPolicy,
  tierPrices: tiers.map(({ blocks }) => ({
    blockPrices: blocks.map(({ unit, size, price, max }) => ({
      unitName: unit,
      size: amount(size),
      price: amount(price),
      max: max === null ? -1 : amount(max),
    })),
  })),
});

const phasePrice = (phase: ResolvedPhase) => ({
  planName: phase.planName,
  phaseName: phase.phaseName,
  phaseType: phase.phaseType,
  fixedPrice: amount(phase.fixedPrice),
  recurringPrice: amount(phase.recurring?.price),
  usagePrices: phase.usages.map(usagePrice),
});

type Planned = ReturnType<typeof plannedPhases>[number];

/** A plan that was changed at the instant of its start was never begun: Kill Bill tells of the start with the new one. */
const startingOnce = (planned: readonly Planned[]): readonly Planned[] => {
  const [start] = planned;
  const instead = planned.findLast(({ kind, effectiveAt }) => kind === 'CHANGE' && effectiveAt === start?.effectiveAt);
  if (start === undefined || instead === undefined) return planned;
  const later = planned.filter(({ effectiveAt, phase }) => effectiveAt > start.effectiveAt || phase === null);
  return [{ ...start, phase: instead.phase }, ...later];
};

const pricesOf = (bundle: Bundle, subscription: Subscription) => {
  const phases = startingOnce(plannedPhases(bundle, subscription)).flatMap(({ phase }) => phase ?? []);
  return [
    ...new Map(phases.map((phase) => [`${phase.phaseName} ${phase.catalogEffectiveDate}`, phasePrice(phase)])).values(),
  ];
};

/** The day of month it is billed on; null while an account-aligned one waits for the account's day to be chosen. */
const billCycleDay = (bundle: Bundle, subscription: Subscription, phase: ResolvedPhase, view: View): number | null => {
  const own = subscription.dayChanges.findLast(({ effectiveAt }) => effectiveAt <= view.now)?.billCycleDayLocal;
  if (own !== undefined) return own;
  if (phase.billingAlignment === 'ACCOUNT') return view.billCycleDayLocal === 0 ? null : view.billCycleDayLocal;
  const aligned = phase.billingAlignment === 'BUNDLE' ? (baseOf(bundle) ?? subscription) : subscription;
  return dayOfMonth(localDateOf(aligned.firstBillableAt, bundle.time));
};

type EventJson = ReturnType<typeof eventJson>;

/** The phase an event leads to, or the one it ends. */
const around = (bundle: Bundle, subscription: Subscription, at: Instant): ResolvedPhase =>
  phaseAt(bundle, subscription, at) ?? planStateAt(bundle, subscription, at).phase;

const lifeEvents = (bundle: Bundle, subscription: Subscription): readonly EventJson[] => {
  const { subscriptionId, entitlementAt, cancellation } = subscription;
  const end = entitlementEnd(bundle, subscription);
  const start = eventJson({
    eventId: derivedId(subscriptionId, 'entitlement-started'),
    type: 'START_ENTITLEMENT',
    at: entitlementAt,
    phase: around(bundle, subscription, entitlementAt),
    state: 'ENT_STARTED',
  });
  // What expires has no event for the end of its service: billing stops, and that is all that Kill Bill tells of it.
  if (end?.kind !== 'CANCEL') return [start];
  const eventId = derivedId(subscriptionId, 'entitlement-ended', cancellation?.cancellationId ?? '');
  return [
    start,
    eventJson({
      eventId,
      type: 'STOP_ENTITLEMENT',
      at: end.at,
      phase: around(bundle, subscription, end.at),
      state: 'ENT_CANCELLED',
    }),
  ];
};

const planEvents = (bundle: Bundle, subscription: Subscription): readonly EventJson[] =>
  startingOnce(plannedPhases(bundle, subscription).filter(({ isMove }) => !isMove)).map(
    ({ transitionId, kind, effectiveAt, phase }) => {
      const type = kind === 'START' ? 'START_BILLING' : kind === 'PHASE' || kind === 'CHANGE' ? kind : 'STOP_BILLING';
      return eventJson({
        eventId: transitionId,
        type,
        at: effectiveAt,
        phase: phase ?? around(bundle, subscription, effectiveAt),
        state: type,
      });
    },
  );

const pauseEvents = (bundle: Bundle, subscription: Subscription): readonly EventJson[] =>
  blockingEvents(bundle, subscription).map(({ eventId, type, service, state }) =>
    eventJson({
      ...{ eventId, type, service },
      at: state.effectiveAt,
      phase: around(bundle, subscription, state.effectiveAt),
      state: state.stateName,
      blocking: state,
    }),
  );

/** By date, then by Kill Bill's order of event types. */
const eventsOf = (bundle: Bundle, subscription: Subscription): readonly EventJson[] =>
  [...lifeEvents(bundle, subscription), ...planEvents(bundle, subscription), ...pauseEvents(bundle, subscription)].sort(
    (a, b) =>
      a.effectiveDate === b.effectiveDate
        ? eventTypes.indexOf(a.eventType) - eventTypes.indexOf(b.eventType)
        : a.effectiveDate < b.effectiveDate
          ? -1
          : 1,
  );

/** What an answer depends on beside the bundle. */
export type View = {
  readonly now: Instant;
  /** The account's; 0 is not chosen yet. */
  readonly billCycleDayLocal: number;
  /** Kill Bill shows none in lists of bundles. */
  readonly withPrices: boolean;
};

export const subscriptionJson = (bundle: Bundle, subscription: Subscription, view: View) => {
  const state = planStateAt(bundle, subscription, view.now);
  const { phase } = state;
  const last =
    plannedPhases(bundle, subscription).findLast((one) => one.phase?.planName === phase.planName)?.phase ?? phase;
  return {
    accountId: bundle.accountId,
    bundleId: bundle.bundleId,
    bundleExternalKey: bundle.externalKey,
    subscriptionId: subscription.subscriptionId,
    externalKey: subscription.externalKey,
    startDate: subscription.entitlementAt,
    productName: phase.productName,
    productCategory: phase.productCategory,
    billingPeriod: last.recurring?.billingPeriod ?? 'NO_BILLING_PERIOD',
    phaseType: phase.phaseType,
    priceList: phase.priceList,
    planName: phase.planName,
    state: state.status,
    sourceType: subscription.sourceType,
    cancelledDate: entitlementEnd(bundle, subscription)?.kind === 'CANCEL' ? state.cancelledAt : null,
    chargedThroughDate: subscription.chargedThroughDate,
    billingStartDate: subscription.billingAt,
    billingEndDate: billingEnd(bundle, subscription)?.at ?? null,
    billCycleDayLocal: billCycleDay(bundle, subscription, phase, view),
    quantity: state.quantity,
    events: eventsOf(bundle, subscription),
    priceOverrides: null,
    prices: view.withPrices ? pricesOf(bundle, subscription) : [],
    auditLogs: [],
  };
};

export const bundleJson = (bundle: Bundle, view: View) => {
  const { accountId, bundleId, externalKey } = bundle;
  return {
    accountId,
    bundleId,
    externalKey,
    subscriptions: bundle.subscriptions.map((subscription) => subscriptionJson(bundle, subscription, view)),
    timeline: {
      accountId,
      bundleId,
      externalKey,
      events: bundle.subscriptions.flatMap((subscription) => eventsOf(bundle, subscription)),
      auditLogs: [],
    },
    auditLogs: [],
  };
};

export const liveOnly = (bundles: readonly Bundle[], key: string, now: Instant): readonly Bundle[] =>
  bundles.filter((bundle) => bundle.externalKey === key && isLive(bundle, now));
