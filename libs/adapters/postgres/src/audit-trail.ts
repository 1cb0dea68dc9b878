import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { Sql } from './database';
import type { ReadModel } from './read-model';

export type ChangeType = 'INSERT' | 'UPDATE' | 'DELETE';

/** What one event did to one object. `accountId` null: the object belongs to no account. */
export type AuditedChange = {
  readonly objectType: string;
  readonly objectId: string;
  readonly accountId: string | null;
  readonly changeType: ChangeType;
  /** The object as it is afterwards, without personal data and secrets: this table is not erased. */
  readonly history: object | null;
};

/** A change with who made it, when and why. */
export type AuditRecord = Omit<AuditedChange, 'accountId'> & {
  readonly changedAt: Instant;
  readonly changedBy: string;
  readonly reason: string | null;
  readonly comment: string | null;
  /** Correlation id of the request that asked for it. */
  readonly userToken: string;
};

const ddl = `
create table audit_trail (
  position bigint not null,
  place int not null,
  tenant_id uuid not null,
  account_id uuid,
  object_type text not null,
  object_id uuid not null,
  change_type text not null,
  changed_at timestamptz not null,
  changed_by text not null,
  reason text,
  comment text,
  user_token text not null,
  history jsonb,
  primary key (position, place)
);
create index audit_trail_of_object on audit_trail (object_id);
create index audit_trail_of_account on audit_trail (account_id) where account_id is not null;
`;

const insert = `
insert into audit_trail
select * from jsonb_to_recordset($1::jsonb) as row(
  position bigint, place int, tenant_id uuid, account_id uuid, object_type text, object_id uuid, change_type text,
  changed_at timestamptz, changed_by text, reason text, comment text, user_token text, history jsonb)
on conflict (position, place) do nothing`;

/**
 * Who changed what, when and why, as a read model of a service's own log: the metadata of each event says who, `changesOf`
 * says what. A service has at most one.
 */
export const auditTrail = (
  prefixes: readonly string[],
  changesOf: (recorded: RecordedEvent) => readonly AuditedChange[],
): ReadModel => ({
  name: 'audit-trail',
  tables: ['audit_trail'],
  ddl,
  prefixes,
  apply: async (tx, events) => {
    const rows = events.flatMap((recorded) => changesOf(recorded).map((change, place) => row(recorded, change, place)));
    if (rows.length > 0) await tx.query(insert, [JSON.stringify(rows)], 'audit-trail-insert');
  },
});

const row = ({ position, metadata }: RecordedEvent, change: AuditedChange, place: number): object => ({
  position: String(position),
  place,
  tenant_id: metadata.tenantId,
  account_id: change.accountId,
  object_type: change.objectType,
  object_id: change.objectId,
  change_type: change.changeType,
  changed_at: metadata.at,
  changed_by: metadata.actor.createdBy,
  reason: metadata.actor.reason ?? null,
  comment: metadata.actor.comment ?? null,
  user_token: metadata.$correlationId,
  history: change.history,
});

const columns = `object_type as "objectType", object_id as "objectId", change_type as "changeType",
  changed_at as "changedAt", changed_by as "changedBy", reason, comment, user_token as "userToken", history`;
const ofObjects = `select ${columns} from audit_trail where tenant_id = $1 and object_id = any($2::uuid[])
  order by position, place`;
const ofAccount = `select ${columns} from audit_trail where tenant_id = $1 and account_id = $2 order by position, place`;

/** What happened to objects, oldest first. */
export const auditRecordsOf = (
  sql: Sql,
  tenantId: string,
  objectIds: readonly string[],
): Promise<readonly AuditRecord[]> => sql.query<AuditRecord>(ofObjects, [tenantId, objectIds], 'audit-of-objects');

/** What happened to everything of an account that this service knows of, oldest first. */
export const auditRecordsOfAccount = (sql: Sql, tenantId: string, accountId: string): Promise<readonly AuditRecord[]> =>
  sql.query<AuditRecord>(ofAccount, [tenantId, accountId], 'audit-of-account');
