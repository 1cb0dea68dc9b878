import type { AccountFacts } from '@billstream/accounts-contracts';
import type { CommandContext, Handle } from '@billstream/event-sourcing';
import { type RequestContext, commandContext } from '@billstream/http';
import { type Instant, derivedId, epochMs, instantOfMs } from '@billstream/kernel';
import type { ServiceRuntime } from '@billstream/service-runtime';
import {
  type BundleCommand,
  type BundleEvent,
  type BundleRejection,
  type BundleState,
  type Catalog,
  type SubscriberAccount,
  accountChangesDecider,
  accountChangesSchema,
  bundleDecider,
  bundleSchema,
  catalogDecider,
  catalogOf,
  catalogSchema,
  documentsOf,
  keyClaimDecider,
  keyClaimSchema,
  subscriberAccountDecider,
  subscriberAccountSchema,
} from '@billstream/subscriptions-domain';
import { type CatalogAtRevision, catalogOfTenant, subscriberAccountById } from '@billstream/subscriptions-read-models';
import { setTimeout as delay } from 'node:timers/promises';

const patienceMs = 1_000;
const pauseMs = 20;

/** What comes from another service's events may be on its way still: looks again for a second before it is missing. */
const soon = async <T>(look: () => Promise<T | null>, patience = patienceMs): Promise<T | null> => {
  for (let waited = 0; ; waited += pauseMs) {
    const found = await look();
    if (found !== null || waited >= patience) return found;
    await delay(pauseMs);
  }
};

const tenantsMax = 1_000;

const wholeSecond = (at: Instant): Instant => instantOfMs(Math.floor(epochMs(at) / 1_000) * 1_000);

/** Catalogs by tenant, kept between requests and read again when the tenant's revision has moved. */
const catalogsOn = ({ database }: ServiceRuntime) => {
  const kept = new Map<string, CatalogAtRevision>();
  return async (tenantId: string): Promise<CatalogAtRevision | null> => {
    const current = await catalogOfTenant(database, tenantId, kept.get(tenantId) ?? null);
    if (current === null) return null;
    if (kept.size >= tenantsMax) kept.clear();
    kept.set(tenantId, current);
    return current;
  };
};

type HandleBundle = Handle<BundleCommand, BundleEvent, BundleState, BundleRejection>;

/**
 * A plan that was chosen from a catalog which has changed by the time it is in the log learns of the change at once:
 * whoever tells the subscriptions that there are of a new version may have passed by before this one was there.
 */
const followingCatalogs =
  (handle: HandleBundle, catalogs: ReturnType<typeof catalogsOn>): HandleBundle =>
  async (stream, command, context, options) => {
    const handled = await handle(stream, command, context, options);
    if (handled.outcome !== 'accepted') return handled;
    if (command.type !== 'StartSubscriptions' && command.type !== 'ChangePlan') return handled;
    const found = await catalogs(context.tenantId);
    const catalog = found === null ? command.data.catalog : catalogOf(found.state);
    if (catalog === command.data.catalog) return handled;
    const { account, now } = command.data;
    const commandId = derivedId(context.commandId, 'follow-catalog');
    const follow = { type: 'FollowCatalog' as const, data: { account, catalog, now } };
    const followed = await handle(stream, follow, { ...context, commandId });
    if (followed.outcome !== 'accepted' || followed.position === null) return handled;
    const { state, revision, position } = followed;
    return { ...handled, state, revision, position };
  };

/** The runtime, one command loop per kind of stream, and the two lookups that every decision needs. */
export const subscriptionsOn = (runtime: ServiceRuntime) => {
  const catalogs = catalogsOn(runtime);
  return {
    runtime,
    /** The tenant's time in whole seconds, as Kill Bill's clock gives it: a phase begins in the second it is said to. */
    now: (tenantId: string): Instant => wholeSecond(runtime.clock.now(tenantId)),
    bundle: followingCatalogs(runtime.handle(bundleDecider, bundleSchema), catalogs),
    accountChanges: runtime.handle(accountChangesDecider, accountChangesSchema),
    keyClaim: runtime.handle(keyClaimDecider, keyClaimSchema),
    catalog: runtime.handle(catalogDecider, catalogSchema),
    account: runtime.handle(subscriberAccountDecider, subscriberAccountSchema),
    catalogOf: async (tenantId: string): Promise<Catalog> => {
      const found = await soon(() => catalogs(tenantId));
      return found === null ? [] : catalogOf(found.state);
    },
    /** The versions as documents say them, without what the tenant's own rules and settings make of them. */
    documentsOf: async (tenantId: string): Promise<Catalog> => {
      const found = await soon(() => catalogs(tenantId));
      return found === null ? [] : documentsOf(found.state);
    },
    /** Everything that is known of the tenant's catalog now, and at which revision of its stream; null: nothing yet. */
    catalogAt: (tenantId: string): Promise<CatalogAtRevision | null> => catalogs(tenantId),
    /** Only what the tenant uploaded itself. */
    uploadedOf: async (tenantId: string): Promise<Catalog> => (await catalogs(tenantId))?.state.versions ?? [],
    accountOf: (tenantId: string, accountId: string): Promise<AccountFacts | null> =>
      soon(() => subscriberAccountById(runtime.database, tenantId, accountId)),
    soon,
  };
};

export type Subscriptions = ReturnType<typeof subscriptionsOn>;

/** Injection token of `Subscriptions`. */
export const subscriptionsToken = Symbol('subscriptions');

/** One request may make several commands: each step has an id of its own, the same again when the request is repeated. */
export const stepOf = (request: RequestContext, subscriptions: Subscriptions, step: string): CommandContext => ({
  ...commandContext(request, subscriptions.runtime.clock, derivedId(request.commandId, step)),
  at: subscriptions.now(request.tenantId),
});

export const subscriberOf = ({
  accountId,
  currency,
  timeZone,
  referenceTime,
  billCycleDayLocal,
}: AccountFacts): SubscriberAccount => ({
  accountId,
  currency,
  time: { timeZone, referenceTime },
  billCycleDayLocal,
});
