import { AuditQuery, type Audited, withAuditLogs as dressed } from '@billstream/http';
import { auditRecordsOf } from '@billstream/postgres';
import type { Accounts } from '../accounts';

export { AuditQuery };

/** Objects of a tenant as the client gets them, with as many audit logs as the request asks for. */
export const withAuditLogs = (
  { runtime }: Accounts,
  { tenantId, query }: { readonly tenantId: string; readonly query: AuditQuery },
  objects: readonly Audited[],
) => dressed(query, objects, (ids) => auditRecordsOf(runtime.database, tenantId, ids));
