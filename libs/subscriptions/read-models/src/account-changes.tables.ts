import type { RecordedEvent } from '@billstream/event-sourcing';
import { plusMs } from '@billstream/kernel';
import { type DueItem, type Sql, schedule, unschedule } from '@billstream/postgres';
import { type AccountChangeEvent, type BlockingState, accountChangesSchema } from '@billstream/subscriptions-domain';

/** The kind of the due work that goes on with a change of several bundles whose maker has gone. */
export const accountChangeDue = 'account-change';

export const accountChangesPrefix = 'accountChanges-';

/** Part of the bundles read model, whose due work it shares. */
export const accountBlockingDdl = `
create table account_blocking (
  account_id text not null,
  blocking_id text not null,
  tenant_id text not null,
  state jsonb not null,
  position bigint not null,
  primary key (account_id, blocking_id)
);`;

const insertSql = `
insert into account_blocking (account_id, blocking_id, tenant_id, state, position)
select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::bigint[])
on conflict (account_id, blocking_id) do nothing`;
const findSql = `
select state from account_blocking where tenant_id = $1 and account_id = $2 order by state ->> 'effectiveAt', position`;

/** Longer than a request needs for it: the request that began a change ends it, unless its process has gone. */
const patienceMs = 15_000;

type Heard = { readonly event: AccountChangeEvent; readonly recorded: RecordedEvent };

const itemOf = ({ event, recorded }: Heard): DueItem | null => {
  if (event.type !== 'AccountChangeBegun') return null;
  const { changeId, accountId, at } = event.data;
  return {
    tenantId: recorded.metadata.tenantId,
    kind: accountChangeDue,
    key: changeId,
    dueAt: plusMs(at, patienceMs),
    payload: { accountId, revision: String(recorded.revision) },
  };
};

const saveStates = async (tx: Sql, heard: readonly Heard[]): Promise<void> => {
  const rows = heard.flatMap(({ event, recorded }) =>
    event.type === 'AccountChangeBegun' && event.data.change.kind === 'BLOCK'
      ? [{ accountId: event.data.accountId, state: event.data.change.state, recorded }]
      : [],
  );
  if (rows.length === 0) return;
  await tx.query(
    insertSql,
    [
      rows.map(({ accountId }) => accountId),
      rows.map(({ state }) => state.blockingId),
      rows.map(({ recorded }) => recorded.metadata.tenantId),
      rows.map(({ state }) => JSON.stringify(state)),
      rows.map(({ recorded }) => String(recorded.position)),
    ],
    'account-blocking-insert',
  );
};

export const applyAccountChanges = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const heard = events.flatMap((recorded) => {
    const event = accountChangesSchema.decode(recorded);
    return event === null ? [] : [{ event, recorded }];
  });
  if (heard.length === 0) return;
  await saveStates(tx, heard);
  const ended = new Set(
    heard.flatMap(({ event }) => (event.type === 'AccountChangeEnded' ? [event.data.changeId] : [])),
  );
  await schedule(
    tx,
    heard.flatMap((one) => itemOf(one) ?? []).filter(({ key }) => !ended.has(key)),
  );
  await unschedule(
    tx,
    [...ended].map((key) => ({ kind: accountChangeDue, key })),
  );
};

/** The blocking states of the account itself, past and planned, in order of effect. */
export const accountBlockingStates = async (
  sql: Sql,
  tenantId: string,
  accountId: string,
): Promise<readonly BlockingState[]> =>
  (await sql.query<{ readonly state: BlockingState }>(findSql, [tenantId, accountId], 'account-blocking-states')).map(
    ({ state }) => state,
  );
