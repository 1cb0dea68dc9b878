import type { RecordedEvent } from '@billstream/event-sourcing';
import { type ReadModel, type Sql, jsonArray, schedule, unschedule } from '@billstream/postgres';
import {
  type Bundle,
  type BundleEvent,
  type BundleState,
  bundleSchema,
  evolveBundle,
  nextPlanned,
} from '@billstream/subscriptions-domain';
import { accountChangesPrefix, applyAccountChanges } from './account-changes.tables';
import { bundlesDdl, insertSubscriptionsSql, loadSql, upsertBundlesSql, upsertStatesSql } from './bundles.sql';
import { applyCatalogs, catalogPrefix } from './due-catalogs';

/** The kind of the due work that this read model schedules: a bundle's next planned point. */
export const phaseDue = 'phase';

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

/** States are some kilobytes each: those of a whole page would outlive the collector's first look, which makes it slow. */
const bundlesAtOnce = 250;

const byBundle = (events: readonly RecordedEvent[]): ReadonlyMap<string, readonly RecordedEvent[]> => {
  const groups = new Map<string, RecordedEvent[]>();
  for (const event of events) {
    const id = event.stream.slice(prefix.length);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [event]);
    else group.push(event);
  }
  return groups;
};

const applyBundles = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const groups = [...byBundle(events)];
  for (let from = 0; from < groups.length; from += bundlesAtOnce) {
    const chunk = groups.slice(from, from + bundlesAtOnce);
    const stored = await load(
      tx,
      chunk.map(([id]) => id),
    );
    const changes = changesBy(
      chunk.flatMap(([, own]) => own),
      stored,
    );
    if (changes.length === 0) continue;
    await saveBundles(tx, changes);
    await saveStates(tx, changes);
    await saveSubscriptions(tx, changes);
    await planAhead(tx, changes);
  }
};

/**
 * Each bundle as its events have left it; what is current is asked of it with the clock. Also what falls due next, and
 * what changes several bundles: they share the table of due work.
 */
export const bundlesReadModel: ReadModel = {
  name: 'bundles',
  tables: ['bundles', 'bundle_states', 'subscriptions', 'account_blocking', 'due_work'],
  ddl: bundlesDdl,
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
