/**
 * The tables a service needs to take part in the bus, in its own schema; safe to run at every start. None of them is a
 * read model: they say what has been delivered, which no log can give back.
 */
export const busDdl = `
create table if not exists inbox (
  consumer   text        not null,
  message_id text        not null,
  position   numeric(20) not null,
  handled_at timestamptz not null default clock_timestamp(),
  primary key (consumer, message_id)
);
create index if not exists inbox_handled_at on inbox (handled_at);

create table if not exists dead_letters (
  consumer     text        not null,
  message_id   text        not null,
  arrival      bigint      generated always as identity,
  key          text,
  type         text        not null,
  tenant_id    text,
  position     numeric(20),
  stream       text,
  body         text        not null,
  reason       text        not null check (reason in ('failed', 'behind', 'malformed')),
  attempts     integer     not null,
  error        text,
  stack        text,
  died_at      timestamptz not null default clock_timestamp(),
  discarded_at timestamptz,
  discarded_by text,
  primary key (consumer, message_id)
);
create index if not exists dead_letters_key on dead_letters (consumer, key, position, arrival) where discarded_at is null;

create table if not exists blocked_keys (
  consumer         text        not null,
  key              text        not null,
  blocked_at       timestamptz not null default clock_timestamp(),
  resend_requested boolean     not null default false,
  primary key (consumer, key)
);

create table if not exists relay_checkpoint (
  relay     text        primary key,
  position  numeric(20) not null,
  stored_at timestamptz not null default clock_timestamp()
);
`;
