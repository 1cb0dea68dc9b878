import { accountEmailsSchema } from '@billstream/accounts-domain';
import type { ReadModel, Sql } from '@billstream/postgres';

const ddl = `
create table account_emails (
  account_email_id uuid primary key,
  account_id uuid not null,
  email text not null,
  created_position bigint not null
);
create index account_emails_of_account on account_emails (account_id, created_position);
`;

const insert = `
insert into account_emails
select * from jsonb_to_recordset($1::jsonb) as row(
  account_email_id uuid, account_id uuid, email text, created_position bigint)
on conflict (account_email_id) do nothing`;

const remove = `delete from account_emails where account_email_id = any($1::uuid[])`;

/** Further addresses of accounts; what was removed or erased leaves no trace here. */
export const accountEmailsReadModel: ReadModel = {
  name: 'account-emails',
  tables: ['account_emails'],
  ddl,
  prefixes: ['accountEmails-'],
  apply: async (tx, events) => {
    const added = new Map<string, object>();
    const gone: string[] = [];
    for (const recorded of events) {
      const event = accountEmailsSchema.decode(recorded);
      if (event?.type === 'EmailAdded')
        added.set(event.data.accountEmailId, {
          account_email_id: event.data.accountEmailId,
          account_id: event.data.accountId,
          email: event.data.email,
          created_position: String(recorded.position),
        });
      if (event?.type === 'EmailRemoved') gone.push(event.data.accountEmailId);
      if (event?.type === 'EmailsErased') gone.push(...event.data.accountEmailIds);
    }
    if (added.size > 0) await tx.query(insert, [JSON.stringify([...added.values()])], 'account-emails-insert');
    if (gone.length > 0) await tx.query(remove, [gone], 'account-emails-delete');
  },
};

export type AccountEmailView = {
  readonly accountEmailId: string;
  readonly accountId: string;
  readonly email: string;
};

const ofAccount = `select account_email_id as "accountEmailId", account_id as "accountId", email from account_emails
  where account_id = $1 order by created_position`;

/** Further addresses of an account of the tenant at hand, oldest first. */
export const emailsOfAccount = (sql: Sql, accountId: string): Promise<readonly AccountEmailView[]> =>
  sql.query<AccountEmailView>(ofAccount, [accountId], 'account-emails');
