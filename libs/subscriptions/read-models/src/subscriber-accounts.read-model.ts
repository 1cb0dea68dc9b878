import type { AccountFacts } from '@billstream/accounts-contracts';
import type { ReadModel, Sql } from '@billstream/postgres';
import { subscriberAccountSchema } from '@billstream/subscriptions-domain';

const ddl = `
create table subscriber_accounts (
  account_id text primary key,
  tenant_id text not null,
  facts jsonb not null
);
`;

const upsertSql = `
insert into subscriber_accounts (account_id, tenant_id, facts) select * from unnest($1::text[], $2::text[], $3::jsonb[])
on conflict (account_id) do update set facts = excluded.facts`;
const findSql = 'select facts from subscriber_accounts where tenant_id = $1 and account_id = $2';
const findManySql = 'select facts from subscriber_accounts where tenant_id = $1 and account_id = any($2::text[])';

/** The newest that is known of each account: currency, time zone, reference time, bill cycle day. */
export const subscriberAccountsReadModel: ReadModel = {
  name: 'subscriber-accounts',
  tables: ['subscriber_accounts'],
  ddl,
  prefixes: ['subscriberAccount-'],
  apply: async (tx, events) => {
    const newest = new Map<string, { readonly tenantId: string; readonly facts: AccountFacts }>();
    for (const recorded of events) {
      const event = subscriberAccountSchema.decode(recorded);
      if (event !== null) newest.set(event.data.accountId, { tenantId: recorded.metadata.tenantId, facts: event.data });
    }
    const rows = [...newest.values()];
    await tx.query(
      upsertSql,
      [
        rows.map(({ facts }) => facts.accountId),
        rows.map(({ tenantId }) => tenantId),
        rows.map(({ facts }) => JSON.stringify(facts)),
      ],
      'subscriber-accounts-upsert',
    );
  },
};

export const subscriberAccountById = async (
  sql: Sql,
  tenantId: string,
  accountId: string,
): Promise<AccountFacts | null> => {
  const [row] = await sql.query<{ readonly facts: AccountFacts }>(
    findSql,
    [tenantId, accountId],
    'subscriber-account-by-id',
  );
  return row?.facts ?? null;
};

/** Those of the ids that are known. */
export const subscriberAccountsByIds = async (
  sql: Sql,
  tenantId: string,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, AccountFacts>> => {
  const rows = await sql.query<{ readonly facts: AccountFacts }>(
    findManySql,
    [tenantId, accountIds],
    'subscriber-accounts-by-ids',
  );
  return new Map(rows.map(({ facts }) => [facts.accountId, facts]));
};
