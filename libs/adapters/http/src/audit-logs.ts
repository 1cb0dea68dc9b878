import { IsIn, IsOptional } from 'class-validator';
import { Transform } from 'class-transformer';

const levels = ['NONE', 'MINIMAL', 'FULL'] as const;

/** Kill Bill's `audit` parameter, in whatever case: nothing, who made the object, or every change. */
export class AuditQuery {
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toUpperCase() : value))
  @IsIn(levels)
  readonly audit?: (typeof levels)[number];
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

/** Answers of objects with their audit logs, as many as the request asks for; `look` is asked once, and not for NONE. */
export const withAuditLogs = async (
  { audit = 'NONE' }: AuditQuery,
  objects: readonly Audited[],
  look: (objectIds: readonly string[]) => Promise<readonly AuditRecord[]>,
) => {
  const records = audit === 'NONE' || objects.length === 0 ? [] : await look(objects.map(({ objectId }) => objectId));
  const shown = audit === 'MINIMAL' ? records.filter(({ changeType }) => changeType === 'INSERT') : records;
  const byObject = new Map<string, AuditRecord[]>();
  for (const record of shown) {
    const name = `${record.objectType} ${record.objectId}`;
    byObject.set(name, [...(byObject.get(name) ?? []), record]);
  }
  return objects.map(({ objectType, objectId, json }) => ({
    ...json,
    auditLogs: (byObject.get(`${objectType} ${objectId}`) ?? []).map((record) => auditLogJson(record)),
  }));
};
