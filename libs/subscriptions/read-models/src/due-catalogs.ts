import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Sql, schedule } from '@billstream/postgres';
import { type CatalogEvent, catalogSchema } from '@billstream/subscriptions-domain';

export const catalogPrefix = 'catalog-';
/** The kind of the due work that tells a tenant's subscriptions of catalog versions that came after them. */
export const catalogChanged = 'catalog-changed';

const concernsSubscribers = (event: CatalogEvent): boolean =>
  event.type === 'CatalogDeleted' ||
  event.type === 'VersionAlignmentSet' ||
  (event.type === 'CatalogVersionUploaded' &&
    event.data.version.plans.some((plan) => plan.effectiveDateForExistingSubscriptions !== null));

const followedSql = `
delete from due_work where kind = $1 and key = $2 and (payload ->> 'revision')::bigint <= $3::bigint`;

/** A catalog that concerns those who subscribed before is due at once, until it says that all of them know. */
const applyCatalog = async (tx: Sql, recorded: RecordedEvent): Promise<void> => {
  const event = catalogSchema.decode(recorded);
  if (event === null) return;
  const tenantId = recorded.stream.slice(catalogPrefix.length);
  if (event.type === 'CatalogFollowed')
    await tx.query(followedSql, [catalogChanged, tenantId, event.data.throughRevision], 'catalog-followed');
  if (!concernsSubscribers(event)) return;
  const payload = { revision: Number(recorded.revision) };
  await schedule(tx, [{ tenantId, kind: catalogChanged, key: tenantId, dueAt: recorded.metadata.at, payload }]);
};

/** In the order of the log: a later version moves what an earlier one made due. */
export const applyCatalogs = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  for (const event of events) await applyCatalog(tx, event);
};
