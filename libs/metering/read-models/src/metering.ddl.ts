import { dueWorkDdl } from '@billstream/postgres';

/**
 * Instants of usage are kept as epoch milliseconds: thousands of them a statement are cheaper to send so, and a quarter
 * of an hour is a division. Everything else is a timestamptz or the JSON of its event.
 */
export const meteringDdl = `
create table meter_units (
  unit_id uuid primary key,
  tenant_id text not null,
  name text not null,
  counting_method text not null,
  version int not null,
  rules jsonb,
  has_limit boolean not null,
  defined_position bigint not null,
  unique (tenant_id, name)
);
create table meter_unit_versions (
  unit_id uuid not null,
  version int not null,
  effective_at timestamptz not null,
  counting_method text not null,
  rules jsonb,
  primary key (unit_id, version)
);
create table metered_tenants (
  tenant_id text primary key
);
create table metered_accounts (
  account_id text primary key,
  tenant_id text not null,
  user_name text not null,
  time_zone text not null,
  bill_cycle_day int not null
);
create index metered_accounts_by_user on metered_accounts (tenant_id, user_name);
create table metered_plans (
  subscription_id text primary key,
  account_id text not null,
  tenant_id text not null,
  intervals jsonb not null
);
create index metered_plans_of_account on metered_plans (account_id);
create table log_formats (
  tenant_id text primary key,
  format jsonb not null
);
create table usage_streams (
  stream text primary key,
  revision bigint not null,
  position bigint not null
);
create table usage_series (
  series uuid primary key,
  tenant_id text not null,
  unit text not null,
  user_name text,
  subscription_id text
);
create index usage_series_of_unit on usage_series (tenant_id, unit);
create table usage_batches (
  position bigint primary key,
  stream text not null,
  revision bigint not null,
  -- Where in the log its records began to count.
  accepted_position bigint not null
);
create index usage_batches_accepted on usage_batches (accepted_position);
create table usage_records (
  record_key uuid primary key,
  -- Null: it was voided. Its name stays taken, and nothing counts it.
  series uuid,
  at_ms bigint not null,
  amount numeric not null,
  position bigint not null,
  idx int not null,
  dimensions jsonb
);
create index usage_records_in_time on usage_records (series, at_ms);
create table usage_reports (
  record_key uuid primary key,
  tracking_id text not null
);
create table usage_limits (
  series uuid not null,
  subscription_id text not null,
  current numeric not null,
  newest_at timestamptz,
  window_from timestamptz,
  window_to timestamptz,
  passed_over int not null,
  primary key (series, subscription_id)
);
create table limit_standings (
  series uuid primary key,
  tenant_id text not null,
  unit text not null,
  user_name text not null,
  subscription_id text not null,
  status text not null,
  override jsonb,
  entries int not null,
  changed int not null,
  changed_at timestamptz,
  told int not null,
  due_at timestamptz,
  -- Rows of limit_history; fewer than entries where an earlier release had judged more of them.
  kept int not null
);
create index limit_standings_of_unit on limit_standings (tenant_id, unit);
create table limit_history (
  series uuid not null,
  ordinal int not null,
  transition_id uuid not null,
  tenant_id text not null,
  unit text not null,
  user_name text not null,
  subscription_id text,
  from_status text not null,
  to_status text not null,
  cause text not null,
  current numeric not null,
  limit_amount numeric,
  rule_version int not null,
  at timestamptz not null,
  reset_at timestamptz,
  stream text not null,
  revision bigint not null,
  idx int,
  actor text,
  reason text,
  base_plan text,
  addon_plan text,
  refresh_interval text,
  position bigint not null,
  recorded_at timestamptz not null,
  primary key (series, ordinal)
);
create unique index limit_history_by_id on limit_history (transition_id);
create index limit_history_of_tenant on limit_history (tenant_id, position);
create index limit_history_of_user on limit_history (tenant_id, user_name, position);
create index limit_history_of_unit on limit_history (tenant_id, unit, position);
${dueWorkDdl}`;

export const meteringTables = [
  'meter_units',
  'meter_unit_versions',
  'metered_tenants',
  'metered_accounts',
  'metered_plans',
  'log_formats',
  'usage_streams',
  'usage_series',
  'usage_batches',
  'usage_records',
  'usage_reports',
  'usage_limits',
  'limit_standings',
  'limit_history',
  'due_work',
] as const;
