import {
  type NotificationBody,
  type BlockingNewsEvent,
  type SubscriptionNewsEvent,
  accountSchema,
  blockingNewsSchema,
  ownNews,
  ownNewsStreams,
  pushCallbackKey,
  pushNotificationSchema,
  subscriptionNewsSchema,
  tenantConfigSchema,
} from '@billstream/accounts-domain';
import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import { type DueItem, type ReadModel, type Sql, dueWorkDdl, schedule, unschedule } from '@billstream/postgres';

const ddl = `${dueWorkDdl}
create table push_callbacks (
  tenant_id uuid primary key,
  url text not null
);
create table push_notifications (
  notification_id text primary key,
  tenant_id uuid not null,
  body jsonb not null
);
create table closed_accounts (
  account_id uuid primary key
);
`;

/** Kind of due work: a tenant's callback is to be called. Its key is the notification's id, its payload the body. */
export const sendNotification = 'send-notification';

/**
 * Notifications that wait to be sent, for tenants that have a callback. What accounts recorded itself is told as soon as
 * it stands in the log; what others told has been requested there.
 */
export const pushNotificationsReadModel: ReadModel = {
  name: 'push-notifications',
  tables: ['due_work', 'push_callbacks', 'push_notifications', 'closed_accounts'],
  ddl,
  prefixes: [...new Set([...ownNewsStreams, 'pushNotification-', 'subscriptionNews-', 'blockingNews-'])],
  apply: async (tx, events) => {
    const tenants = [...new Set(events.map(({ metadata }) => metadata.tenantId))];
    const callbacks = await callbacksOf(tx, tenants);
    const changes = new Map<string, Change>();
    const closed = await closedAmong(tx, events);
    for (const recorded of events) {
      const closing = closingIn(recorded);
      if (closing !== null) {
        closed.add(closing);
        // What came before stands in the tables by then, however the events came in batches.
        await applyChanges(tx, changes);
        changes.clear();
        await withdrawPlanned(tx, closing, recorded.metadata.at);
      }
      const callback = callbackIn(recorded);
      if (callback !== undefined) await setCallback(tx, recorded.metadata.tenantId, callback);
      if (callback === null) callbacks.delete(recorded.metadata.tenantId);
      for (const { id, body, dueAt } of newsIn(recorded))
        if (callbacks.has(recorded.metadata.tenantId) && !isPlannedOf(closed, body, { dueAt, recorded }))
          changes.set(id, { recorded, body, dueAt });
      if (typeof callback === 'string') callbacks.add(recorded.metadata.tenantId);
      const outcome = outcomeOf(recorded);
      if (outcome !== null)
        changes.set(outcome.id, { recorded, body: changes.get(outcome.id)?.body ?? null, dueAt: outcome.retryAt });
    }
    await applyChanges(tx, changes);
  },
};

/** `dueAt` null: over. `body` null: the one that is kept already. */
type Change = {
  readonly recorded: RecordedEvent;
  readonly body: NotificationBody | null;
  readonly dueAt: Instant | null;
};

/** The account that is closed with all that was to come of it; null: the event is about something else. */
const closingIn = (recorded: RecordedEvent): string | null => {
  const event = accountSchema.decode(recorded);
  return event?.type === 'AccountClosed' && event.data.closing.removeFutureNotifications
    ? event.data.closing.accountId
    : null;
};

const isPlannedOf = (
  closed: ReadonlySet<string>,
  body: NotificationBody | null,
  { dueAt, recorded }: { readonly dueAt: Instant | null; readonly recorded: RecordedEvent },
): boolean => dueAt !== null && dueAt > recorded.metadata.at && body?.accountId != null && closed.has(body.accountId);

/** Accounts closed before, of those that the events plan news of. */
const closedAmong = async (tx: Sql, events: readonly RecordedEvent[]): Promise<Set<string>> => {
  const planning = events.flatMap((recorded) =>
    newsIn(recorded).flatMap(({ body, dueAt }) =>
      body?.accountId != null && dueAt !== null && dueAt > recorded.metadata.at ? [body.accountId] : [],
    ),
  );
  if (planning.length === 0) return new Set();
  const text = 'select account_id as "accountId" from closed_accounts where account_id = any($1::uuid[])';
  const rows = await tx.query<{ accountId: string }>(text, [[...new Set(planning)]], 'closed-accounts-of');
  return new Set(rows.map(({ accountId }) => accountId));
};

/** What was planned for later than the closing is not told: repetitions, too, as with Kill Bill's queues (0.24). */
const withdrawPlanned = async (tx: Sql, accountId: string, at: Instant): Promise<void> => {
  await tx.query(
    'insert into closed_accounts values ($1) on conflict do nothing',
    [accountId],
    'closed-accounts-insert',
  );
  await tx.query(deletePlanned, [sendNotification, accountId, at], 'push-notifications-withdraw');
};

const deletePlanned = `
with withdrawn as (
  delete from due_work where kind = $1 and payload ->> 'accountId' = $2 and due_at > $3 returning key
)
delete from push_notifications using withdrawn where notification_id = withdrawn.key`;

const applyChanges = async (tx: Sql, changes: ReadonlyMap<string, Change>): Promise<void> => {
  const over = [...changes].flatMap(([id, { dueAt }]) => (dueAt === null ? [id] : []));
  const open = [...changes].filter(([, { dueAt }]) => dueAt !== null);
  const fresh = open.flatMap(([id, { recorded, body }]) =>
    body === null ? [] : [{ notification_id: id, tenant_id: recorded.metadata.tenantId, body }],
  );
  if (fresh.length > 0) await tx.query(insertNotifications, [JSON.stringify(fresh)], 'push-notifications-insert');
  if (over.length > 0) await tx.query(deleteNotifications, [over], 'push-notifications-delete');
  await unschedule(
    tx,
    over.map((key) => ({ kind: sendNotification, key })),
  );
  await schedule(
    tx,
    open.flatMap(([id, change]) => dueItem(id, change) ?? []),
  );
  await postpone(
    tx,
    open.filter(([, { body }]) => body === null),
  );
};

const dueItem = (key: string, { recorded, body, dueAt }: Change): DueItem | null =>
  dueAt === null || body === null
    ? null
    : {
        tenantId: recorded.metadata.tenantId,
        kind: sendNotification,
        key,
        dueAt,
        payload: body.accountId === null ? {} : { accountId: body.accountId },
      };

/** Tried and to be tried again: what is kept of it stays as it is. */
const postpone = async (tx: Sql, changes: readonly (readonly [id: string, change: Change])[]): Promise<void> => {
  if (changes.length === 0) return;
  await tx.query(
    `update due_work set due_at = later.due_at from unnest($2::text[], $3::timestamptz[]) as later (key, due_at)
     where due_work.kind = $1 and due_work.key = later.key`,
    [sendNotification, changes.map(([id]) => id), changes.map(([, { dueAt }]) => dueAt)],
    'push-notifications-postpone',
  );
};

const insertNotifications = `
insert into push_notifications
select * from jsonb_to_recordset($1::jsonb) as row(notification_id text, tenant_id uuid, body jsonb)
on conflict (notification_id) do nothing`;
const deleteNotifications = `delete from push_notifications where notification_id = any($1::text[])`;

type News = { readonly id: string; readonly body: NotificationBody | null; readonly dueAt: Instant | null };

/** Each notification that an event is news for, now or at a time to come; those that it takes back have neither. */
const newsIn = (recorded: RecordedEvent): readonly News[] => {
  const { at: dueAt } = recorded.metadata;
  const own = ownNews(recorded);
  if (own !== null) return [{ id: recorded.id, body: own, dueAt }];
  const timeline = subscriptionNewsSchema.decode(recorded) ?? blockingNewsSchema.decode(recorded);
  if (timeline !== null) return withPlanned(recorded, timeline);
  const event = pushNotificationSchema.decode(recorded);
  return event?.type === 'NotificationRequested'
    ? [{ id: event.data.notificationId, body: event.data.body, dueAt }]
    : [];
};

const withPlanned = (recorded: RecordedEvent, { data }: SubscriptionNewsEvent | BlockingNewsEvent): readonly News[] => [
  ...('withdrawn' in data ? (data.withdrawn ?? []) : []).map((id) => ({ id, body: null, dueAt: null })),
  ...data.news.map((body, index) => ({ id: `${recorded.id}.${index}`, body, dueAt: recorded.metadata.at })),
  ...(data.planned ?? []).map(({ notificationId: id, effectiveAt: dueAt, body }) => ({ id, body, dueAt })),
];

const outcomeOf = (recorded: RecordedEvent): { readonly id: string; readonly retryAt: Instant | null } | null => {
  const event = pushNotificationSchema.decode(recorded);
  if (event === null || event.type === 'NotificationRequested') return null;
  const retryAt = event.type === 'NotificationFailed' ? event.data.retryAt : null;
  return { id: event.data.notificationId, retryAt };
};

/** The callback that an event registers, null where it removes it; undefined: the event is about something else. */
const callbackIn = (recorded: RecordedEvent): string | null | undefined => {
  const event = tenantConfigSchema.decode(recorded);
  if (event?.type === 'TenantValuesRecorded' && event.data.key === pushCallbackKey)
    return event.data.values.at(-1) ?? null;
  return event?.type === 'TenantValuesRemoved' && event.data.key === pushCallbackKey ? null : undefined;
};

const setCallback = async (tx: Sql, tenantId: string, url: string | null): Promise<void> => {
  if (url === null) await tx.query('delete from push_callbacks where tenant_id = $1', [tenantId]);
  else
    await tx.query(
      'insert into push_callbacks values ($1, $2) on conflict (tenant_id) do update set url = excluded.url',
      [tenantId, url],
    );
};

const callbacksOf = async (sql: Sql, tenants: readonly string[]): Promise<Set<string>> => {
  const text = 'select tenant_id from push_callbacks where tenant_id = any($1::uuid[])';
  const rows = await sql.query<{ tenant_id: string }>(text, [tenants], 'push-callbacks-of');
  return new Set(rows.map(({ tenant_id: tenantId }) => tenantId));
};

/** The URL that a tenant wants to be told at; null: none. */
export const pushCallbackOf = async (sql: Sql, tenantId: string): Promise<string | null> => {
  const text = 'select url from push_callbacks where tenant_id = $1';
  return (await sql.query<{ url: string }>(text, [tenantId], 'push-callback'))[0]?.url ?? null;
};

/** The body of a notification that waits to be sent. */
export const waitingNotification = async (sql: Sql, notificationId: string): Promise<NotificationBody | null> => {
  const text = 'select body from push_notifications where notification_id = $1';
  const rows = await sql.query<{ body: NotificationBody }>(text, [notificationId], 'push-notification');
  return rows[0]?.body ?? null;
};
