import { IsIn, IsOptional } from 'class-validator';
import { Transform } from 'class-transformer';

const levels = ['NONE', 'MINIMAL', 'FULL'] as const;
export type AuditLevel = (typeof levels)[number];

/** In whatever case; null: no such level. */
export const auditLevelFrom = (given: unknown): AuditLevel | null =>
  levels.find((level) => typeof given === 'string' && level === given.toUpperCase()) ?? null;

/** Kill Bill's `audit` parameter, in whatever case: nothing, who made the object, or every change. */
export class AuditQuery {
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toUpperCase() : value))
  @IsIn(levels)
  readonly audit?: AuditLevel;
}

/** One change of one object; what `auditRecordsOf` of the PostgreSQL adapter gives. */
export type AuditRecord = {
  readonly objectType: string;
  readonly objectId: string;
  readonly changeType: string;
  readonly changedAt: string;
  readonly changedBy: string;
  readonly reason: string | null;
  readonly comment: string | null;
  readonly userToken: string;
  readonly history: object | null;
};

/** Kill Bill's AuditLog JSON; the history only where a client asks for logs with history. */
export const auditLogJson = (record: AuditRecord, history: 'with' | 'without' = 'without') => ({
  changeType: record.changeType,
  changeDate: record.changedAt,
  objectType: record.objectType,
  objectId: record.objectId,
  changedBy: record.changedBy,
  reasonCode: record.reason,
  comments: record.comment,
  userToken: record.userToken,
  history: history === 'with' ? record.history : null,
});

export type Audited = { readonly objectType: string; readonly objectId: string; readonly json: object };

/** Records by what they are about, as a client gets them: those that made something, or all. */
export const auditLogsOf = (records: readonly AuditRecord[], level: AuditLevel) => {
  const byObject = new Map<string, object[]>();
  for (const record of records) {
    if (level === 'NONE' || (level === 'MINIMAL' && record.changeType !== 'INSERT')) continue;
    const name = `${record.objectType} ${record.objectId}`;
    const logs = byObject.get(name);
    if (logs === undefined) byObject.set(name, [auditLogJson(record)]);
    else logs.push(auditLogJson(record));
  }
  return ({ objectType, objectId }: Pick<AuditRecord, 'objectType' | 'objectId'>): object[] =>
    byObject.get(`${objectType} ${objectId}`) ?? [];
};

/** Answers of objects with their audit logs, as many as the request asks for; `look` is asked once, and not for NONE. */
export const withAuditLogs = async (
  { audit = 'NONE' }: AuditQuery,
  objects: readonly Audited[],
  look: (objectIds: readonly string[]) => Promise<readonly AuditRecord[]>,
) => {
  const records = audit === 'NONE' || objects.length === 0 ? [] : await look(objects.map(({ objectId }) => objectId));
  const logs = auditLogsOf(records, audit);
  return objects.map(({ json, ...name }) => ({ ...json, auditLogs: logs(name) }));
};
