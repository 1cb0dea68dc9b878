import { type RequestContext, unwrap } from '@billstream/http';
import { derivedId, parseUuid } from '@billstream/kernel';
import {
  type Bundle,
  type Catalog,
  type PlannedCreation,
  type StartSubscriptions,
  type SubscriptionSpec,
  bundleDecider,
  bundleStream,
  isLive,
  subscriptionOf,
} from '@billstream/subscriptions-domain';
import { accountBlockingStates, bundleById, bundlesByKey } from '@billstream/subscriptions-read-models';
import { changeAccount, tellNewStates } from './account-changes';
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
    const now = subscriptions.now(tenantId);
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
    now: subscriptions.now(context.tenantId),
    entitlementAt: dateOf('entitlementDate'),
    billingAt: dateOf('billingDate'),
    migrated: query.migrated === 'true',
    accountStates: await accountBlockingStates(subscriptions.runtime.database, context.tenantId, account.accountId),
    subscriptions: requests.map((request, index) =>
      specFrom(request, derivedId(context.commandId, 'subscription', step, String(index))),
    ),
  };
};

type Prepared = { readonly place: Place; readonly command: StartSubscriptions; readonly renameUnused: boolean };

/** Everything that can be refused is judged before the first key is claimed. */
const prepared = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  creation: Creation,
): Promise<Prepared> => {
  if (creation.requests.length === 0) throw invalidValue('there is no subscription to create');
  const place = await placeOf(subscriptions, context, creation);
  const command = await commandOf(subscriptions, context, creation, place);
  judge(place, command);
  return { place, command, renameUnused: creation.query.renameKeyIfExistsAndUnused !== 'false' };
};

const createdBy = ({ account, bundleId, subscriptions }: StartSubscriptions): Created => ({
  accountId: account.accountId,
  bundleId,
  subscriptionIds: subscriptions.map(({ subscriptionId }) => subscriptionId),
});

/** Creates what one bundle gets: keys first, then all its subscriptions in one decision. */
const createBundle = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  creation: Creation,
): Promise<Created> => {
  const { place, command, renameUnused } = await prepared(subscriptions, context, creation);
  if (place.bundle === null && place.externalKey !== null)
    await claimBundleKey(subscriptions, context, { key: place.externalKey, holderId: place.bundleId, renameUnused });
  for (const { externalKey, subscriptionId } of command.subscriptions)
    if (externalKey !== null) await claimSubscriptionKey(subscriptions, context, externalKey, subscriptionId);
  const step = stepOf(context, subscriptions, `start/${creation.step}`);
  const started = unwrap(
    await subscriptions.bundle(bundleStream(place.bundleId), { type: 'StartSubscriptions', data: command }, step),
    bundleProblem,
  );
  await subscriptions.runtime.visible(started.position);
  if (started.state !== null) await tellNewStates(subscriptions, context, started.state);
  return createdBy(command);
};

const plannedFrom = ({ place, command, renameUnused }: Prepared): PlannedCreation => {
  const { bundleId, externalKey, entitlementAt, billingAt, migrated, subscriptions } = command;
  const planned = { bundleId, externalKey, entitlementAt, billingAt, migrated, subscriptions };
  return { ...planned, claimsKey: place.bundle === null, renameUnused };
};

/** Several bundles of one account are one change: all are created, whatever crashes, and come to one invoice. */
const createTogether = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  creations: readonly Creation[],
): Promise<readonly Created[]> => {
  const all: Prepared[] = [];
  for (const creation of creations) all.push(await prepared(subscriptions, context, creation));
  const accounts = new Set(all.map(({ command }) => command.account.accountId));
  const [accountId] = accounts;
  if (accountId === undefined || accounts.size > 1)
    throw invalidValue('accountId: all subscriptions of one request must name the same account');
  await changeAccount(subscriptions, context, accountId, { kind: 'CREATE', creations: all.map(plannedFrom) });
  return all.map(({ command }) => createdBy(command));
};

/** What one request creates, each entry in one bundle; answered once the read models have it. */
export const createSubscriptions = async (
  subscriptions: Subscriptions,
  context: RequestContext,
  creations: readonly Creation[],
): Promise<readonly Created[]> => {
  const [only] = creations;
  if (only !== undefined && creations.length === 1) return [await createBundle(subscriptions, context, only)];
  return createTogether(subscriptions, context, creations);
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
