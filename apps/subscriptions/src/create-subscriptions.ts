import { type RequestContext, unwrap } from '@billstream/http';
import { derivedId, parseUuid } from '@billstream/kernel';
import {
  type Bundle,
  type Catalog,
  type StartSubscriptions,
  type SubscriptionSpec,
  bundleDecider,
  bundleStream,
  isLive,
  subscriptionOf,
} from '@billstream/subscriptions-domain';
import { bundleById, bundlesByKey } from '@billstream/subscriptions-read-models';
import { claimBundleKey, claimSubscriptionKey } from './external-key';
import { bundleProblem, invalidValue, keyTooLong, unknownAccount, unknownBundle } from './http/problems';
import { type CreateQuery, type SubscriptionRequest, overridesFrom, specifierFrom, whenFrom } from './http/requests';
import { type Subscriptions, stepOf, subscriberOf } from './subscriptions';

const keyLengthMax = 255;

/** All subscriptions of one bundle, created together. */
export type Creation = {
  readonly requests: readonly SubscriptionRequest[];
  readonly query: CreateQuery;
  /** Tells the bundles of one request apart. */
  readonly step: string;
};

export type Created = {
  readonly accountId: string;
  readonly bundleId: string;
  readonly subscriptionIds: readonly string[];
  readonly position: bigint | null;
};

const given = (text: string | null | undefined): string | null =>
  text === undefined || text === null || text === '' ? null : text;

/** The one value that all elements name, or none does. */
const agreed = (
  requests: readonly SubscriptionRequest[],
  field: 'accountId' | 'bundleId' | 'bundleExternalKey',
): string | null => {
  const values = new Set(requests.flatMap((request) => given(request[field]) ?? []));
  if (values.size > 1) throw invalidValue(`${field}: all subscriptions of one bundle must name the same`);
  const [value] = values;
  return value ?? null;
};

const idFrom = (field: string, text: string): string => {
  const id = parseUuid(text);
  if (id === null) throw invalidValue(`${field}: ${text} is not an id`);
  return id;
};

const specFrom = (request: SubscriptionRequest, subscriptionId: string): SubscriptionSpec => {
  const externalKey = given(request.externalKey);
  if (externalKey !== null && externalKey.length > keyLengthMax) throw keyTooLong('externalKey');
  return {
    subscriptionId,
    externalKey,
    plan: specifierFrom(request),
    startIn: request.phaseType ?? null,
    quantity: request.quantity ?? 1,
    billCycleDayLocal: request.billCycleDayLocal ?? null,
    priceOverrides: overridesFrom(request),
  };
};

type Place = {
  readonly bundleId: string;
  readonly externalKey: string | null;
  readonly accountId: string | null;
  /** Null for a bundle that is to be made. */
  readonly bundle: Bundle | null;
};

const isAddOn = (catalog: Catalog, { planName, productName, productCategory }: SubscriptionRequest): boolean =>
  productCategory === 'ADD_ON' ||
  catalog.some(({ plans, products }) => {
    const product = plans.find(({ name }) => name === planName)?.product ?? productName;
    return products.some(({ name, category }) => name === product && category === 'ADD_ON');
  });

/** The bundle named by id; for add-ons alone, the living bundle with the key; else a new one. */
const placeOf = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  { requests, step }: Creation,
): Promise<Place> => {
  const { runtime } = subscriptions;
  const { tenantId } = context;
  const bundleId = agreed(requests, 'bundleId');
  const externalKey = agreed(requests, 'bundleExternalKey');
  if (externalKey !== null && externalKey.length > keyLengthMax) throw keyTooLong('bundleExternalKey');
  if (bundleId !== null) {
    const id = idFrom('bundleId', bundleId);
    await runtime.caughtUp();
    const bundle = await bundleById(runtime.database, tenantId, id);
    if (bundle === null) throw unknownBundle(id);
    return { bundleId: id, externalKey: null, accountId: bundle.accountId, bundle };
  }
  if (externalKey !== null) {
    const catalog = await subscriptions.catalogOf(tenantId);
    const now = runtime.clock.now(tenantId);
    if (requests.every((request) => isAddOn(catalog, request))) {
      await runtime.caughtUp();
      const bundle = (await bundlesByKey(runtime.database, tenantId, externalKey)).find(
        (one) => one.externalKey === externalKey && isLive(one, now),
      );
      if (bundle !== undefined) return { bundleId: bundle.bundleId, externalKey, accountId: bundle.accountId, bundle };
    }
  }
  return { bundleId: derivedId(context.commandId, 'bundle', step), externalKey, accountId: null, bundle: null };
};

/** Judged before any key is claimed, so that a refused request leaves nothing behind. What was done is not judged again. */
const judge = (place: Place, command: StartSubscriptions): void => {
  if (command.subscriptions.some(({ subscriptionId }) => subscriptionOf(place.bundle, subscriptionId) !== null)) return;
  const judged = bundleDecider.decide({ type: 'StartSubscriptions', data: command }, place.bundle);
  if ('rejected' in judged) throw bundleProblem(judged.rejected);
};

const commandOf = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  creation: Creation,
  place: Place,
): Promise<StartSubscriptions> => {
  const { requests, query, step } = creation;
  const accountId = agreed(requests, 'accountId') ?? place.accountId;
  if (accountId === null) throw invalidValue('accountId: must be given');
  const facts = await subscriptions.accountOf(context.tenantId, idFrom('accountId', accountId));
  if (facts === null) throw unknownAccount(accountId);
  const account = subscriberOf(facts);
  const dateOf = (name: 'entitlementDate' | 'billingDate') =>
    whenFrom(name, query[name] ?? query.requestedDate, account.time);
  return {
    bundleId: place.bundleId,
    externalKey: place.externalKey,
    account,
    catalog: await subscriptions.catalogOf(context.tenantId),
    now: subscriptions.runtime.clock.now(context.tenantId),
    entitlementAt: dateOf('entitlementDate'),
    billingAt: dateOf('billingDate'),
    migrated: query.migrated === 'true',
    subscriptions: requests.map((request, index) =>
      specFrom(request, derivedId(context.commandId, 'subscription', step, String(index))),
    ),
  };
};

/** Creates what one bundle gets: keys first, then all its subscriptions in one decision. */
export const createSubscriptions = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  creation: Creation,
): Promise<Created> => {
  if (creation.requests.length === 0) throw invalidValue('there is no subscription to create');
  const place = await placeOf(subscriptions, context, creation);
  const command = await commandOf(subscriptions, context, creation, place);
  judge(place, command);
  const renameUnused = creation.query.renameKeyIfExistsAndUnused !== 'false';
  if (place.bundle === null && place.externalKey !== null)
    await claimBundleKey(subscriptions, context, { key: place.externalKey, holderId: place.bundleId, renameUnused });
  for (const { externalKey, subscriptionId } of command.subscriptions)
    if (externalKey !== null) await claimSubscriptionKey(subscriptions, context, externalKey, subscriptionId);
  const step = stepOf(context, subscriptions, `start/${creation.step}`);
  const started = unwrap(
    await subscriptions.bundle(bundleStream(place.bundleId), { type: 'StartSubscriptions', data: command }, step),
    bundleProblem,
  );
  return {
    accountId: command.account.accountId,
    bundleId: place.bundleId,
    subscriptionIds: command.subscriptions.map(({ subscriptionId }) => subscriptionId),
    position: started.position,
  };
};

/** What creating would decide upon, without claiming or recording anything: for previews. */
export const plannedCreation = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  creation: Creation,
): Promise<{ readonly bundle: Bundle | null; readonly command: StartSubscriptions }> => {
  const place = await placeOf(subscriptions, context, creation);
  return { bundle: place.bundle, command: await commandOf(subscriptions, context, creation, place) };
};
