import type { Instant } from '@billstream/kernel';
import type { Sql } from './database';

/** Something to do once its tenant's clock has reached `dueAt`. (kind, key) names it; scheduling it again moves it. */
export type DueItem = {
  readonly tenantId: string;
  readonly kind: string;
  readonly key: string;
  readonly dueAt: Instant;
  readonly payload: object;
};

/**
 * `due_work` is part of a read model: rows come and go with events, so a rebuild gives them back. Leases and attempts
 * are kept elsewhere. Put this into the `ddl` of the read model that schedules, and 'due_work' into its `tables`.
 */
export const dueWorkDdl = `
create table due_work (
  kind text not null,
  key text not null,
  tenant_id text not null,
  due_at timestamptz not null,
  payload jsonb not null,
  primary key (kind, key)
);
create index due_work_due on due_work (due_at, kind, key);
`;

/** Later items win over earlier ones of the same (kind, key), within a call too. */
export const schedule = async (tx: Sql, items: readonly DueItem[]): Promise<void> => {
  const last = [...new Map(items.map((item) => [`${item.kind} ${item.key}`, item])).values()];
  if (last.length === 0) return;
  await tx.query(
    `insert into due_work (kind, key, tenant_id, due_at, payload)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::jsonb[])
     on conflict (kind, key) do update set due_at = excluded.due_at, payload = excluded.payload`,
    [
      last.map((item) => item.kind),
      last.map((item) => item.key),
      last.map((item) => item.tenantId),
      last.map((item) => item.dueAt),
      last.map((item) => JSON.stringify(item.payload)),
    ],
    'due-work-schedule',
  );
};

export const unschedule = async (
  tx: Sql,
  items: readonly { readonly kind: string; readonly key: string }[],
): Promise<void> => {
  if (items.length === 0) return;
  await tx.query(
    `delete from due_work where (kind, key) in (select * from unnest($1::text[], $2::text[]))`,
    [items.map((item) => item.kind), items.map((item) => item.key)],
    'due-work-unschedule',
  );
};
