import type { RecordedEvent } from '@billstream/event-sourcing';
import {
  type EnteredState,
  type OverdueConfig,
  accountInvoicesSchema,
  accountInvoicesStreams,
  overdueConfigSchema,
  overdueConfigStreams,
  overdueSchema,
  overdueStreams,
} from '@billstream/invoicing-domain';
import type { ReadModel, Sql } from '@billstream/postgres';

const ddl = `
create table overdue_configs (
  tenant_id text primary key,
  config jsonb not null
);
create table overdue_accounts (
  account_id text primary key,
  tenant_id text not null,
  state jsonb not null
);
create table invoiced_children (
  account_id text primary key,
  tenant_id text not null,
  parent_account_id text,
  is_delegated boolean not null
);
create index invoiced_children_of_parent on invoiced_children (parent_account_id) where parent_account_id is not null;
`;

const configsSql = `
insert into overdue_configs (tenant_id, config)
select * from jsonb_to_recordset($1::jsonb) as row(tenant_id text, config jsonb)
on conflict (tenant_id) do update set config = excluded.config`;
const statesSql = `
insert into overdue_accounts (account_id, tenant_id, state)
select * from jsonb_to_recordset($1::jsonb) as row(account_id text, tenant_id text, state jsonb)
on conflict (account_id) do update set state = excluded.state`;
const childrenSql = `
insert into invoiced_children (account_id, tenant_id, parent_account_id, is_delegated)
select * from jsonb_to_recordset($1::jsonb) as row(
  account_id text, tenant_id text, parent_account_id text, is_delegated boolean)
where parent_account_id is not null
on conflict (account_id) do update set parent_account_id = excluded.parent_account_id,
  is_delegated = excluded.is_delegated`;
const orphansSql = `
update invoiced_children set parent_account_id = null, is_delegated = false
from jsonb_to_recordset($1::jsonb) as row(account_id text, parent_account_id text)
where invoiced_children.account_id = row.account_id and row.parent_account_id is null`;

type Rows = Map<string, object>;

/** The last row of each key alone: one statement cannot touch a row twice. */
const write = async (tx: Sql, statement: string, rows: Rows, name: string): Promise<void> => {
  if (rows.size > 0) await tx.query(statement, [JSON.stringify([...rows.values()])], name);
};

const collect = (recorded: RecordedEvent, configs: Rows, states: Rows, children: Rows): void => {
  const { stream, metadata } = recorded;
  const tenant_id = metadata.tenantId;
  if (stream.startsWith(overdueConfigStreams)) {
    const event = overdueConfigSchema.decode(recorded);
    if (event !== null) configs.set(event.data.tenantId, { tenant_id: event.data.tenantId, config: event.data.config });
  } else if (stream.startsWith(overdueStreams)) {
    const event = overdueSchema.decode(recorded);
    if (event?.type !== 'OverdueStateEntered') return;
    const { accountId, state } = event.data;
    states.set(accountId, { account_id: accountId, tenant_id, state });
  } else {
    const event = accountInvoicesSchema.decode(recorded);
    if (event?.type !== 'AccountRecorded') return;
    const { accountId, parentAccountId = null, isPaymentDelegatedToParent = false } = event.data;
    children.set(accountId, {
      account_id: accountId,
      tenant_id,
      parent_account_id: parentAccountId,
      is_delegated: isPaymentDelegatedToParent,
    });
  }
};

/** The tenants' overdue states, the state each account is in, and which accounts a parent pays for. */
export const overdueReadModel: ReadModel = {
  name: 'overdue',
  tables: ['overdue_configs', 'overdue_accounts', 'invoiced_children'],
  ddl,
  prefixes: [overdueStreams, overdueConfigStreams, accountInvoicesStreams],
  apply: async (tx, events) => {
    const configs: Rows = new Map();
    const states: Rows = new Map();
    const children: Rows = new Map();
    for (const recorded of events) collect(recorded, configs, states, children);
    await write(tx, configsSql, configs, 'overdue-configs');
    await write(tx, statesSql, states, 'overdue-states');
    await write(tx, childrenSql, children, 'invoiced-children');
    await write(tx, orphansSql, children, 'invoiced-orphans');
  },
};

const configsOfSql = 'select tenant_id as "tenantId", config from overdue_configs where tenant_id = any($1::text[])';
const stateSql = 'select state from overdue_accounts where tenant_id = $1 and account_id = $2';
const delegatingSql = `
select account_id as "accountId" from invoiced_children
where tenant_id = $1 and parent_account_id = $2 and is_delegated order by account_id`;

/** In the order of the tenants; null: it has never uploaded one. */
export const overdueConfigsOf = async (
  sql: Sql,
  tenantIds: readonly string[],
): Promise<readonly (OverdueConfig | null)[]> => {
  const rows = await sql.query<{ readonly tenantId: string; readonly config: OverdueConfig }>(
    configsOfSql,
    [[...new Set(tenantIds)]],
    'overdue-configs-of',
  );
  const uploaded = new Map(rows.map(({ tenantId, config }) => [tenantId, config]));
  return tenantIds.map((tenantId) => uploaded.get(tenantId) ?? null);
};

/** Null: the account has never been in any state but clear. */
export const overdueStateOfAccount = async (
  sql: Sql,
  tenantId: string,
  accountId: string,
): Promise<EnteredState | null> => {
  const [row] = await sql.query<{ readonly state: EnteredState }>(
    stateSql,
    [tenantId, accountId],
    'overdue-state-of-account',
  );
  return row?.state ?? null;
};

/** Accounts whose invoices this one pays. */
export const delegatingChildren = async (
  sql: Sql,
  tenantId: string,
  parentAccountId: string,
): Promise<readonly string[]> => {
  const rows = await sql.query<{ readonly accountId: string }>(
    delegatingSql,
    [tenantId, parentAccountId],
    'delegating-children',
  );
  return rows.map(({ accountId }) => accountId);
};
