/** What was done to usage after it was taken, and what was told to invoices before. */
export const usageChangesDdl = `
create table usage_corrections (
  correction_key uuid primary key,
  tenant_id text not null,
  correction_id text not null,
  -- VOID, REPLACE; UNKNOWN: there was no such record then, and nothing was changed.
  kind text not null,
  record_key uuid not null,
  source text not null,
  record_id text not null,
  position bigint not null,
  idx int not null,
  corrected_at timestamptz not null,
  actor text not null,
  reason text not null,
  record_position bigint,
  record_idx int,
  before_series uuid,
  before_at_ms bigint,
  before_amount numeric,
  before_dimensions jsonb,
  after_series uuid,
  after_at_ms bigint,
  after_amount numeric,
  after_dimensions jsonb
);
create index usage_corrections_in_order on usage_corrections (tenant_id, position, idx);
create index usage_corrections_of_record on usage_corrections (record_key, position);
create index usage_corrections_before on usage_corrections (before_series, before_at_ms);
create index usage_corrections_after on usage_corrections (after_series, after_at_ms);
create table usage_closings (
  closing_key uuid primary key,
  tenant_id text not null,
  account_id text not null,
  subscription_id text not null,
  user_name text not null,
  plan_name text not null,
  time_zone text not null,
  series uuid not null,
  unit text not null,
  usage_name text not null,
  from_ms bigint not null,
  to_ms bigint not null,
  quantity numeric not null,
  counted_to bigint not null,
  -- Position of the last usage of the period that is not counted; null: all is.
  late_to bigint
);
create index usage_closings_of_series on usage_closings (series, to_ms);
create index usage_closings_of_tenant on usage_closings (tenant_id, to_ms);
-- Changes of rules and plans, and the instants that they hold from.
create table usage_dated_back (
  tenant_id text not null,
  -- Whose rules; null: a user's plans.
  unit text,
  -- Whose plans they were when they were recorded; null: rules, or of an account not known then.
  user_name text,
  subscription_id text,
  from_ms bigint not null,
  position bigint not null,
  primary key (tenant_id, position)
);
`;

export const usageChangesTables = ['usage_corrections', 'usage_closings', 'usage_dated_back'] as const;
