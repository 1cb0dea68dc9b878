import type { RecordedEvent } from '@billstream/event-sourcing';
import { type ReadModel, type Sql, dueWorkDdl, schedule, unschedule } from '@billstream/postgres';
import {
  type Bundle,
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
  created_position bigint not null,
  state jsonb not null
);
-- States of some kilobytes stay in the row as they are: compressing them costs more than all the rest.
alter table bundles set (toast_tuple_target = 8160);
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

const loadSql =
  'select bundle_id, tenant_id, first_external_key, created_position, state from bundles where bundle_id = any($1::text[])';

const upsertBundlesSql = `
insert into bundles (bundle_id, tenant_id, account_id, external_key, first_external_key, created_position, state)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::jsonb[])
on conflict (bundle_id) do update set external_key = excluded.external_key, state = excluded.state`;

const upsertSubscriptionsSql = `
insert into subscriptions (subscription_id, bundle_id, tenant_id, account_id, external_key)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
on conflict (subscription_id) do nothing`;

type Row = { readonly tenantId: string; readonly firstKey: string; readonly position: bigint; readonly state: Bundle };
type Stored = {
  readonly bundle_id: string;
  readonly tenant_id: string;
  readonly first_external_key: string;
  readonly created_position: bigint;
  readonly state: Bundle;
};

const prefix = 'bundle-';

const load = async (tx: Sql, ids: readonly string[]): Promise<Map<string, Row>> => {
  const rows = await tx.query<Stored>(loadSql, [ids], 'bundles-load');
  return new Map(
    rows.map((row) => [
      row.bundle_id,
      { tenantId: row.tenant_id, firstKey: row.first_external_key, position: row.created_position, state: row.state },
    ]),
  );
};

const fold = (rows: Map<string, Row>, recorded: RecordedEvent): void => {
  const event = bundleSchema.decode(recorded);
  if (event === null) return;
  const id = recorded.stream.slice(prefix.length);
  const before = rows.get(id);
  const state: BundleState = evolveBundle(before?.state ?? null, event);
  if (state === null) return;
  rows.set(id, {
    tenantId: recorded.metadata.tenantId,
    firstKey: before?.firstKey ?? state.externalKey,
    position: before?.position ?? recorded.position,
    state,
  });
};

const saveBundles = (tx: Sql, rows: readonly Row[]): Promise<unknown> =>
  tx.query(
    upsertBundlesSql,
    [
      rows.map(({ state }) => state.bundleId),
      rows.map(({ tenantId }) => tenantId),
      rows.map(({ state }) => state.accountId),
      rows.map(({ state }) => state.externalKey),
      rows.map(({ firstKey }) => firstKey),
      rows.map(({ position }) => String(position)),
      rows.map(({ state }) => JSON.stringify(state)),
    ],
    'bundles-upsert',
  );

const saveSubscriptions = async (tx: Sql, rows: readonly Row[]): Promise<void> => {
  const all = rows.flatMap(({ tenantId, state }) =>
    state.subscriptions.map(({ subscriptionId, externalKey }) => ({ subscriptionId, externalKey, tenantId, state })),
  );
  if (all.length === 0) return;
  await tx.query(
    upsertSubscriptionsSql,
    [
      all.map(({ subscriptionId }) => subscriptionId),
      all.map(({ state }) => state.bundleId),
      all.map(({ tenantId }) => tenantId),
      all.map(({ state }) => state.accountId),
      all.map(({ externalKey }) => externalKey),
    ],
    'subscriptions-upsert',
  );
};

const planAhead = async (tx: Sql, rows: readonly Row[]): Promise<void> => {
  const planned = rows.map(({ tenantId, state }) => ({ tenantId, key: state.bundleId, next: nextPlanned(state) }));
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
  const rows = await load(tx, [...new Set(events.map(({ stream }) => stream.slice(prefix.length)))]);
  for (const event of events) fold(rows, event);
  const changed = [...rows.values()];
  if (changed.length === 0) return;
  await saveBundles(tx, changed);
  await saveSubscriptions(tx, changed);
  await planAhead(tx, changed);
};

/**
 * Each bundle as its events have left it; what is current is asked of it with the clock. Also what falls due next, and
 * what changes several bundles: they share the table of due work.
 */
export const bundlesReadModel: ReadModel = {
  name: 'bundles',
  tables: ['bundles', 'subscriptions', 'account_blocking', 'due_work'],
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
