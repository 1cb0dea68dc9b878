import { type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import type { BackfillEnd, BackfillMode, BackfillScope, RejectedRecord } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';

/** A backfill as the read model has it. `users` null: everybody's. */
export type BackfillView = {
  readonly backfillId: string;
  readonly name: string;
  readonly reason: string;
  readonly mode: BackfillMode;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly units: readonly string[];
  readonly users: readonly string[] | null;
  readonly status: 'STAGING' | 'SEALED' | BackfillEnd;
  readonly openedAt: Instant;
  readonly openedBy: string;
  readonly openedPosition: bigint;
  /** Null: it waits for ever. */
  readonly expiresAt: Instant | null;
  readonly parts: number;
  readonly records: bigint;
  readonly rejected: bigint;
  readonly committedAt: Instant | null;
  readonly committedBy: string | null;
  readonly committedPosition: bigint | null;
  /** As of the commit: its records that began to count, those whose name was taken, direct records it replaced. */
  readonly taken: bigint | null;
  readonly duplicates: bigint | null;
  readonly replaced: bigint | null;
  /** When and by whom it was reverted or abandoned. */
  readonly endedAt: Instant | null;
  readonly endedBy: string | null;
  readonly endedReason: string | null;
};

const columns = `backfill_id as "backfillId", name, reason, mode, from_ms as "fromMs", to_ms as "toMs", units, users, status,
  opened_at as "openedAt", opened_by as "openedBy", opened_position as "openedPosition", expires_at as "expiresAt", parts, records, rejected,
  committed_at as "committedAt", committed_by as "committedBy", committed_position as "committedPosition",
  taken, duplicates, replaced, ended_at as "endedAt", ended_by as "endedBy", ended_reason as "endedReason"`;

const byId = `select ${columns} from usage_backfills where tenant_id = $1 and backfill_id = $2`;

const page = `
select ${columns} from usage_backfills
where tenant_id = $1 and ($2::text is null or status = $2) and ($3::bigint is null or opened_position < $3)
order by opened_position desc limit $4`;

type Row = Omit<BackfillView, 'fromAt' | 'toAt'> & { readonly fromMs: bigint; readonly toMs: bigint };

const viewOf = ({ fromMs, toMs, ...row }: Row): BackfillView => ({
  ...row,
  fromAt: instantOfMs(Number(fromMs)),
  toAt: instantOfMs(Number(toMs)),
});

export const backfillById = async (sql: Sql, tenantId: string, backfillId: string): Promise<BackfillView | null> => {
  const [row] = await sql.query<Row>(byId, [tenantId, backfillId], 'usage-backfill-by-id');
  return row === undefined ? null : viewOf(row);
};

export type BackfillSearch = {
  /** Null: of any status. */
  readonly status: BackfillView['status'] | null;
  /** Opened before this position of the log; null: the newest. */
  readonly before: bigint | null;
  readonly limit: number;
};

/** A tenant's backfills, newest first. */
export const backfillsPage = async (
  sql: Sql,
  tenantId: string,
  { status, before, limit }: BackfillSearch,
): Promise<readonly BackfillView[]> =>
  (await sql.query<Row>(page, [tenantId, status, before, limit], 'usage-backfills-page')).map(viewOf);

/** A record of a part that was not taken. */
export type RejectedOfPart = RejectedRecord & { readonly part: string };

const rejections = `
select p.part, r.* from usage_backfill_parts p
cross join lateral jsonb_to_recordset(p.rejections) as r(index int, field text, code text, message text)
where p.backfill_id = $1 order by p.staged_position, r.index limit $2`;

/** The first records that were not taken; of each part only the first are known by name. */
export const rejectedOfBackfill = (sql: Sql, backfillId: string, limit: number): Promise<readonly RejectedOfPart[]> =>
  sql.query<RejectedOfPart>(rejections, [backfillId, limit], 'usage-backfill-rejections');

const partDigest = `select digest from usage_backfill_parts where backfill_id = $1 and part = $2`;

/** What names the records of a part; null: it is not known to be staged. */
export const stagedDigest = async (sql: Sql, backfillId: string, part: string): Promise<string | null> =>
  (await sql.query<{ digest: string }>(partDigest, [backfillId, part], 'usage-backfill-digest'))[0]?.digest ?? null;

const overlapping = `
select backfill_id as "backfillId" from usage_backfills
where tenant_id = $1 and status = 'COMMITTED' and mode = 'REPLACE' and backfill_id <> $2
  and units && $3::text[] and (users is null or $4::text[] is null or users && $4)
  and from_ms < $6::bigint and to_ms > $5::bigint
limit 1`;

/** A backfill that replaces some of the scope's usage at present, other than the one named; null: none is known to. */
export const overlappingBackfill = async (
  sql: Sql,
  tenantId: string,
  { backfillId, units, users, fromAt, toAt }: BackfillScope & { readonly backfillId: string },
): Promise<string | null> => {
  const values = [tenantId, backfillId, units, users, epochMs(fromAt), epochMs(toAt)];
  const [row] = await sql.query<{ backfillId: string }>(overlapping, values, 'usage-backfill-overlapping');
  return row?.backfillId ?? null;
};
