/** Backfills, what they have staged, and what they have done to records that came directly. */
export const backfillsDdl = `
create table usage_backfills (
  backfill_id uuid primary key,
  tenant_id text not null,
  name text not null,
  reason text not null,
  mode text not null,
  from_ms bigint not null,
  to_ms bigint not null,
  units text[] not null,
  -- Null: everybody's.
  users text[],
  -- STAGING, SEALED, COMMITTED, REVERTED, ABANDONED, EXPIRED.
  status text not null,
  opened_at timestamptz not null,
  opened_by text not null,
  opened_position bigint not null,
  -- Null: it waits for ever.
  expires_at timestamptz,
  parts int not null,
  records bigint not null,
  rejected bigint not null,
  committed_at timestamptz,
  committed_by text,
  committed_position bigint,
  -- Of its records, those that began to count; those whose name was taken; direct records that ceased to count.
  taken bigint,
  duplicates bigint,
  replaced bigint,
  ended_at timestamptz,
  ended_by text,
  ended_reason text
);
create index usage_backfills_in_order on usage_backfills (tenant_id, opened_position);
create table usage_backfill_parts (
  backfill_id uuid not null,
  part text not null,
  digest text not null,
  records int not null,
  rejected int not null,
  rejections jsonb not null,
  staged_position bigint not null,
  primary key (backfill_id, part)
);
create table usage_backfill_pieces (
  position bigint primary key,
  backfill_id uuid not null,
  digest text not null,
  stream text not null,
  revision bigint not null
);
create index usage_backfill_pieces_of on usage_backfill_pieces (backfill_id, digest);
create table usage_backfill_series (
  backfill_id uuid not null,
  series uuid not null,
  unit text not null,
  user_name text not null,
  primary key (backfill_id, series)
);
create table usage_backfill_records (
  position bigint not null,
  idx int not null,
  record_key uuid not null,
  series uuid not null,
  at_ms bigint not null,
  amount numeric not null,
  dimensions jsonb,
  primary key (position, idx)
);
create index usage_backfill_records_by_key on usage_backfill_records (record_key);
-- Direct records, as they came, that a backfill stands or stood in front of: what a revert goes back to.
create table usage_shadowed (
  record_key uuid primary key,
  series uuid not null,
  at_ms bigint not null,
  amount numeric not null,
  position bigint not null,
  idx int not null,
  dimensions jsonb,
  -- The backfill that took it away without bringing another under its name; null: none does.
  replaced_by uuid
);
create index usage_shadowed_replaced on usage_shadowed (replaced_by) where replaced_by is not null;
-- What commits and reverts changed of records that were there before; what a commit brought anew is in its batches.
create table usage_backfill_changes (
  record_key uuid not null,
  position bigint not null,
  record_position bigint not null,
  record_idx int not null,
  before_series uuid,
  before_at_ms bigint,
  before_amount numeric,
  before_dimensions jsonb,
  after_series uuid,
  after_at_ms bigint,
  primary key (record_key, position)
);
create index usage_backfill_changes_before on usage_backfill_changes (before_series, before_at_ms);
create index usage_backfill_changes_after on usage_backfill_changes (after_series, after_at_ms);
create table usage_backfilled_to (
  tenant_id text primary key,
  position bigint not null
);
`;

export const backfillsTables = [
  'usage_backfills',
  'usage_backfill_parts',
  'usage_backfill_pieces',
  'usage_backfill_series',
  'usage_backfill_records',
  'usage_shadowed',
  'usage_backfill_changes',
  'usage_backfilled_to',
] as const;
