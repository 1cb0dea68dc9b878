import {
  type Account,
  type AccountEvent,
  type Profile,
  type ProfileEvent,
  accountAfter,
  accountSchema,
  emptyProfile,
  profileSchema,
} from '@billstream/accounts-domain';
import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel, Sql } from '@billstream/postgres';

const ddl = `
create table accounts (
  account_id uuid primary key,
  tenant_id uuid not null,
  external_key text not null,
  currency text,
  time_zone text not null,
  reference_time timestamptz not null,
  bill_cycle_day_local int not null,
  parent_account_id uuid,
  is_payment_delegated_to_parent boolean not null,
  is_migrated boolean not null,
  created_at timestamptz not null,
  created_position bigint not null,
  unique (tenant_id, external_key)
);
create index accounts_in_order on accounts (tenant_id, created_position);
create index accounts_of_parent on accounts (parent_account_id) where parent_account_id is not null;
create table account_profiles (
  account_id uuid primary key,
  name text,
  first_name_length int,
  email text,
  address1 text,
  address2 text,
  postal_code text,
  company text,
  city text,
  state text,
  country text,
  locale text,
  phone text,
  notes text
);
`;

const insertAccounts = `
insert into accounts
select * from jsonb_to_recordset($1::jsonb) as row(
  account_id uuid, tenant_id uuid, external_key text, currency text, time_zone text, reference_time timestamptz,
  bill_cycle_day_local int, parent_account_id uuid, is_payment_delegated_to_parent boolean, is_migrated boolean,
  created_at timestamptz, created_position bigint)
on conflict (account_id) do update set
  currency = excluded.currency,
  bill_cycle_day_local = excluded.bill_cycle_day_local,
  parent_account_id = excluded.parent_account_id,
  is_payment_delegated_to_parent = excluded.is_payment_delegated_to_parent,
  is_migrated = excluded.is_migrated`;

const insertProfiles = `
insert into account_profiles
select * from jsonb_to_recordset($1::jsonb) as row(
  account_id uuid, name text, first_name_length int, email text, address1 text, address2 text, postal_code text,
  company text, city text, state text, country text, locale text, phone text, notes text)
on conflict (account_id) do update set
  name = excluded.name, first_name_length = excluded.first_name_length, email = excluded.email,
  address1 = excluded.address1, address2 = excluded.address2, postal_code = excluded.postal_code,
  company = excluded.company, city = excluded.city, state = excluded.state, country = excluded.country,
  locale = excluded.locale, phone = excluded.phone, notes = excluded.notes`;

/** Accounts with their profiles, in the order in which they were created. */
export const accountsReadModel: ReadModel = {
  name: 'accounts',
  tables: ['accounts', 'account_profiles'],
  ddl,
  prefixes: ['account-', 'accountProfile-'],
  apply: async (tx, events) => {
    await upsert(tx, { text: insertAccounts, name: 'accounts-upsert' }, accountRows(events));
    await upsert(tx, { text: insertProfiles, name: 'account-profiles-upsert' }, profileRows(events));
  },
};

const upsert = async (
  tx: Sql,
  statement: { readonly text: string; readonly name: string },
  rows: readonly object[],
): Promise<void> => {
  if (rows.length > 0) await tx.query(statement.text, [JSON.stringify(rows)], statement.name);
};

/** The last state of each account in the batch; where it was created in the batch, with the place of that in the log. */
const accountRows = (events: readonly RecordedEvent[]): readonly object[] => {
  const rows = new Map<string, object>();
  const births = new Map<string, object>();
  for (const recorded of events) {
    const event: AccountEvent | null = accountSchema.decode(recorded);
    if (event === null) continue;
    const account = accountAfter(event);
    const { accountId } = account;
    const birth = births.get(accountId) ?? birthOf(recorded);
    births.set(accountId, birth);
    rows.set(accountId, { ...rowOf(account), ...birth });
  }
  return [...rows.values()];
};

/** Of an account that exists the database keeps what it has, so a later event's own place does no harm. */
const birthOf = (recorded: RecordedEvent): object => ({
  tenant_id: recorded.metadata.tenantId,
  created_at: recorded.metadata.at,
  created_position: String(recorded.position),
});

const rowOf = (account: Account): object => ({
  account_id: account.accountId,
  external_key: account.externalKey,
  currency: account.currency,
  time_zone: account.timeZone,
  reference_time: account.referenceTime,
  bill_cycle_day_local: account.billCycleDayLocal,
  parent_account_id: account.parentAccountId,
  is_payment_delegated_to_parent: account.isPaymentDelegatedToParent,
  is_migrated: account.isMigrated,
});

const profileRows = (events: readonly RecordedEvent[]): readonly object[] => {
  const rows = new Map<string, object>();
  for (const recorded of events) {
    const event: ProfileEvent | null = profileSchema.decode(recorded);
    if (event === null) continue;
    const profile = event.type === 'ProfileErased' ? emptyProfile : event.data;
    rows.set(event.data.accountId, profileRow(event.data.accountId, profile));
  }
  return [...rows.values()];
};

const profileRow = (accountId: string, profile: Profile): object => ({
  account_id: accountId,
  name: profile.name,
  first_name_length: profile.firstNameLength,
  email: profile.email,
  address1: profile.address1,
  address2: profile.address2,
  postal_code: profile.postalCode,
  company: profile.company,
  city: profile.city,
  state: profile.state,
  country: profile.country,
  locale: profile.locale,
  phone: profile.phone,
  notes: profile.notes,
});
