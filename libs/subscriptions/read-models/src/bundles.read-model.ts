import type { RecordedEvent } from '@billstream/event-sourcing';
import { type ReadModel, type Sql, dueWorkDdl, jsonArray, schedule, unschedule } from '@billstream/postgres';
import {
  type Bundle,
  type BundleEvent,
  type BundleState,
  bundleSchema,
  evolveBundle,
  nextPlanned,
} from '@billstream/subscriptions-domain';
import { accountBlockingDdl, accountChangesPrefix, applyAccountChanges } from './account-changes.tables';
import { applyCatalogs, catalogPrefix } from './due-catalogs';

/** The kind of the due work that this read model schedules: a bundle's next planned point. */
export const phaseDue = 'phase';

const ddl = `
create table bundles (
  bundle_id text primary key,
  tenant_id text not null,
  account_id text not null,
  external_key text not null,
  first_external_key text not null,
  created_position bigint not null
);
-- Written with every change, so apart from what is indexed, and as text that nobody looks into here.
create table bundle_states (
  bundle_id text primary key,
  state json not null
);
-- States of some kilobytes stay in the row as they are: compressing them costs more than all the rest.
alter table bundle_states set (toast_tuple_target = 8160);
create index bundles_account on bundles (tenant_id, account_id, created_position);
create index bundles_key on bundles (tenant_id, external_key);
create index bundles_first_key on bundles (tenant_id, first_external_key);
create index bundles_created on bundles (tenant_id, created_position);
create table subscriptions (
  subscription_id text primary key,
  bundle_id text not null,
  tenant_id text not null,
  account_id text not null,
  external_key text not null
);
create index subscriptions_key on subscriptions (tenant_id, external_key);
${accountBlockingDdl}
${dueWorkDdl}`;

const loadSql = 'select bundle_id, state from bundle_states where bundle_id = any($1::text[])';

const upsertBundlesSql = `
insert into bundles (bundle_id, tenant_id, account_id, external_key, first_external_key, created_position)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
on conflict (bundle_id) do update set external_key = excluded.external_key`;

const upsertStatesSql = `
insert into bundle_states (bundle_id, state) select * from unnest($1::text[], $2::json[])
on conflict (bundle_id) do update set state = excluded.state`;

const insertSubscriptionsSql = `
insert into subscriptions (subscription_id, bundle_id, tenant_id, account_id, external_key)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
on conflict (subscription_id) do nothing`;

const prefix = 'bundle-';

/** What a page of events makes of a bundle. */
type Change = {
  readonly before: BundleState;
  readonly after: Bundle;
  readonly tenantId: string;
  /** As the page's first event left it; of a new bundle, the key that it was created with. */
  readonly firstKey: string;
  /** Of the page's first event; of a new bundle, its creation. */
  readonly position: bigint;
  /** Something else may be planned than before. */
  readonly isReplanned: boolean;
};

const load = async (tx: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, Bundle>> => {
  const rows = await tx.query<{ readonly bundle_id: string; readonly state: Bundle }>(loadSql, [ids], 'bundles-load');
  return new Map(rows.map(({ bundle_id: id, state }) => [id, state]));
};

const isAboutCharges = ({ type }: BundleEvent): boolean =>
  type === 'ChargedThroughRecorded' || type === 'BillingTimelineChanged';

/** Null: the event leaves no bundle. */
const changeBy = (
  { metadata, position }: RecordedEvent,
  event: BundleEvent,
  { earlier, stored }: { readonly earlier: Change | undefined; readonly stored: BundleState },
): Change | null => {
  const after = evolveBundle(earlier === undefined ? stored : earlier.after, event);
  if (after === null) return null;
  const isReplanned = !isAboutCharges(event);
  return earlier === undefined
    ? { before: stored, after, tenantId: metadata.tenantId, firstKey: after.externalKey, position, isReplanned }
    : { ...earlier, after, isReplanned: earlier.isReplanned || isReplanned };
};

const changesBy = (events: readonly RecordedEvent[], stored: ReadonlyMap<string, Bundle>): readonly Change[] => {
  const changes = new Map<string, Change>();
  for (const recorded of events) {
    const event = bundleSchema.decode(recorded);
    if (event === null) continue;
    const id = recorded.stream.slice(prefix.length);
    const change = changeBy(recorded, event, { earlier: changes.get(id), stored: stored.get(id) ?? null });
    if (change !== null) changes.set(id, change);
  }
  return [...changes.values()].filter(({ before, after }) => after !== before);
};

const saveBundles = async (tx: Sql, changes: readonly Change[]): Promise<void> => {
  const rows = changes.filter(({ before, after }) => before?.externalKey !== after.externalKey);
  if (rows.length === 0) return;
  await tx.query(
    upsertBundlesSql,
    [
      rows.map(({ after }) => after.bundleId),
      rows.map(({ tenantId }) => tenantId),
      rows.map(({ after }) => after.accountId),
      rows.map(({ after }) => after.externalKey),
      rows.map(({ firstKey }) => firstKey),
      rows.map(({ position }) => position),
    ],
    'bundles-upsert',
  );
};

const saveStates = (tx: Sql, changes: readonly Change[]): Promise<unknown> => {
  const states = changes.map(({ after }) => after);
  return tx.query(
    upsertStatesSql,
    [states.map(({ bundleId }) => bundleId), jsonArray('json', states)],
    'bundle-states-upsert',
  );
};

const saveSubscriptions = async (tx: Sql, changes: readonly Change[]): Promise<void> => {
  const rows = changes.flatMap(({ before, after, tenantId }) =>
    after.subscriptions
      .slice(before?.subscriptions.length ?? 0)
      .map((subscription) => ({ subscription, after, tenantId })),
  );
  if (rows.length === 0) return;
  await tx.query(
    insertSubscriptionsSql,
    [
      rows.map(({ subscription }) => subscription.subscriptionId),
      rows.map(({ after }) => after.bundleId),
      rows.map(({ tenantId }) => tenantId),
      rows.map(({ after }) => after.accountId),
      rows.map(({ subscription }) => subscription.externalKey),
    ],
    'subscriptions-insert',
  );
};

const planAhead = async (tx: Sql, changes: readonly Change[]): Promise<void> => {
  const planned = changes
    .filter(({ isReplanned }) => isReplanned)
    .map(({ tenantId, after }) => ({ tenantId, key: after.bundleId, next: nextPlanned(after) }));
  await unschedule(
    tx,
    planned.filter(({ next }) => next === null).map(({ key }) => ({ kind: phaseDue, key })),
  );
  await schedule(
    tx,
    planned.flatMap(({ tenantId, key, next }) =>
      next === null ? [] : [{ tenantId, kind: phaseDue, key, dueAt: next.dueAt, payload: { token: next.token } }],
    ),
  );
};

const applyBundles = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  if (events.length === 0) return;
  const stored = await load(tx, [...new Set(events.map(({ stream }) => stream.slice(prefix.length)))]);
  const changes = changesBy(events, stored);
  if (changes.length === 0) return;
  await saveBundles(tx, changes);
  await saveStates(tx, changes);
  await saveSubscriptions(tx, changes);
  await planAhead(tx, changes);
};

/**
 * Each bundle as its events have left it; what is current is asked of it with the clock. Also what falls due next, and
 * what changes several bundles: they share the table of due work.
 */
export const bundlesReadModel: ReadModel = {
  name: 'bundles',
  tables: ['bundles', 'bundle_states', 'subscriptions', 'account_blocking', 'due_work'],
  ddl,
  prefixes: [prefix, accountChangesPrefix, catalogPrefix],
  apply: async (tx, events) => {
    await applyBundles(
      tx,
      events.filter(({ stream }) => stream.startsWith(prefix)),
    );
    await applyAccountChanges(
      tx,
      events.filter(({ stream }) => stream.startsWith(accountChangesPrefix)),
    );
    await applyCatalogs(
      tx,
      events.filter(({ stream }) => stream.startsWith(catalogPrefix)),
    );
  },
};
