import { type CommandContext } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { type Catalog, catalogStream } from '@billstream/subscriptions-domain';
import { bundlesAfter, catalogChanged, subscriberAccountsByIds } from '@billstream/subscriptions-read-models';
import { followCatalog } from './follow-catalog';
import { settled } from './reactions/context';
import { type Subscriptions, subscriptionsOn } from './subscriptions';

const pageSize = 200;
/** Appends in flight at the same time. */
const atOnce = 8;

type Sweep = {
  readonly subscriptions: Subscriptions;
  readonly catalog: Catalog;
  readonly context: CommandContext;
};

const highest = (positions: readonly (bigint | null)[]): bigint | null =>
  positions.reduce<bigint | null>(
    (last, position) => (last === null || (position !== null && position > last) ? position : last),
    null,
  );

/** A page of bundles after the position; where the page ended, null after the last one. */
const followPage = async (
  { subscriptions, catalog, context }: Sweep,
  after: bigint,
): Promise<{ readonly end: bigint | null; readonly appended: bigint | null }> => {
  const { database } = subscriptions.runtime;
  const { tenantId } = context;
  const page = await bundlesAfter(database, tenantId, { position: after, limit: pageSize });
  const ids = [...new Set(page.map(({ bundle }) => bundle.accountId))];
  const accounts = await subscriberAccountsByIds(database, tenantId, ids);
  const appended: (bigint | null)[] = [];
  for (let from = 0; from < page.length; from += atOnce)
    appended.push(
      ...(await Promise.all(
        page.slice(from, from + atOnce).map(async ({ bundle }) => {
          const facts = accounts.get(bundle.accountId);
          return facts === undefined ? null : followCatalog(subscriptions, { bundle, facts, catalog }, context);
        }),
      )),
    );
  return { end: page.length < pageSize ? null : (page.at(-1)?.position ?? null), appended: highest(appended) };
};

const revisionOf = (payload: object): number =>
  'revision' in payload && typeof payload.revision === 'number' ? payload.revision : 0;

/**
 * Tells every subscription of a tenant what a new catalog version means for it: a page of bundles after the other, each
 * bundle an append of its own. What stops half-way starts over and passes quickly over those that know already.
 */
export const dueCatalogs = (runtime: ServiceRuntime): Readonly<Record<string, (item: DueItem) => Promise<void>>> => {
  const subscriptions = subscriptionsOn(runtime);
  return {
    [catalogChanged]: async ({ tenantId, key, payload }) => {
      const throughRevision = revisionOf(payload);
      await runtime.caughtUp();
      const found = await subscriptions.catalogAt(tenantId);
      if (found === null || found.revision < BigInt(throughRevision))
        throw new Error(`the catalog of tenant ${tenantId} is not known yet at revision ${throughRevision}`);
      const commandId = derivedId(catalogChanged, key, String(found.revision));
      const at = runtime.clock.now(tenantId);
      const actor = { createdBy: 'subscriptions' };
      const context: CommandContext = { commandId, tenantId, actor, at, correlationId: commandId };
      const catalog = await subscriptions.catalogOf(tenantId);
      let appended: bigint | null = null;
      for (let after: bigint | null = -1n; after !== null;) {
        const page = await followPage({ subscriptions, catalog, context }, after);
        appended = highest([appended, page.appended]);
        after = page.end;
      }
      await runtime.visible(appended);
      const done = { type: 'RecordFollowed' as const, data: { throughRevision } };
      const stream = catalogStream(tenantId);
      const step = { ...context, commandId: derivedId(commandId, 'followed') };
      const handled = await subscriptions.catalog(stream, done, step);
      settled(handled);
      if (handled.outcome === 'accepted') await runtime.visible(handled.position);
    },
  };
};
