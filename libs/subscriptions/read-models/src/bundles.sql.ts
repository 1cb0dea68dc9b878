import { dueWorkDdl } from '@billstream/postgres';
import { accountBlockingDdl } from './account-changes.tables';

export const bundlesDdl = `
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

export const loadSql = 'select bundle_id, state from bundle_states where bundle_id = any($1::text[])';

export const upsertBundlesSql = `
insert into bundles (bundle_id, tenant_id, account_id, external_key, first_external_key, created_position)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
on conflict (bundle_id) do update set external_key = excluded.external_key`;

export const upsertStatesSql = `
insert into bundle_states (bundle_id, state) select * from unnest($1::text[], $2::json[])
on conflict (bundle_id) do update set state = excluded.state`;

export const insertSubscriptionsSql = `
insert into subscriptions (subscription_id, bundle_id, tenant_id, account_id, external_key)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
on conflict (subscription_id) do nothing`;
