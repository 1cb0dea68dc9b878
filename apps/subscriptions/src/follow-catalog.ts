import type { AccountFacts } from '@billstream/accounts-contracts';
import type { CommandContext } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import {
  type Bundle,
  type Catalog,
  type FollowCatalog,
  bundleDecider,
  bundleStream,
} from '@billstream/subscriptions-domain';
import { bundlesOfAccount } from '@billstream/subscriptions-read-models';
import { settled } from './reactions/context';
import { type Subscriptions, subscriberOf } from './subscriptions';

export type Followed = { readonly bundle: Bundle; readonly facts: AccountFacts; readonly catalog: Catalog };

/** What the read model knows says already whether there is anything to record: most bundles need no command at all. */
const hasNews = (bundle: Bundle, data: FollowCatalog): boolean => {
  const outcome = bundleDecider.decide({ type: 'FollowCatalog', data }, bundle);
  return 'events' in outcome && outcome.events.some(({ type }) => type === 'NewerVersionsRecorded');
};

/** Tells one bundle of the catalog's later versions; the position of what that changed, null when it changed nothing. */
export const followCatalog = async (
  subscriptions: Subscriptions,
  { bundle, facts, catalog }: Followed,
  context: CommandContext,
): Promise<bigint | null> => {
  const account = { ...subscriberOf(facts), time: bundle.time };
  const data: FollowCatalog = { account, catalog, now: context.at };
  if (!hasNews(bundle, data)) return null;
  const commandId = derivedId(context.commandId, bundle.bundleId);
  const step = { ...context, commandId };
  const handled = await subscriptions.bundle(bundleStream(bundle.bundleId), { type: 'FollowCatalog', data }, step);
  settled(handled);
  return handled.outcome === 'accepted' ? handled.position : null;
};

const movesSubscribers = (catalog: Catalog): boolean =>
  catalog.some(({ plans }) => plans.some((plan) => plan.effectiveDateForExistingSubscriptions !== null));

/** New prices that wait for a bill date move when the account's bill cycle day does. */
export const followWithAccount = async (
  subscriptions: Subscriptions,
  facts: AccountFacts,
  context: CommandContext,
): Promise<void> => {
  const { runtime } = subscriptions;
  const found = await subscriptions.catalogAt(context.tenantId);
  if (found === null || found.state.alignsExistingSubscriptions !== true) return;
  const catalog = await subscriptions.catalogOf(context.tenantId);
  if (!movesSubscribers(catalog)) return;
  for (const bundle of await bundlesOfAccount(runtime.database, context.tenantId, facts.accountId))
    await followCatalog(subscriptions, { bundle, facts, catalog }, context);
};
