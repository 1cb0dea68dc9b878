export { sendEventStream } from './event-stream';
export type { EventStreamOptions, ServerSentEvent } from './event-stream';
export { apiMinorOf } from './api-version';
export { locationOf, paginate } from './answers';
export type { Page } from './answers';
export { AuditQuery, auditLogJson, withAuditLogs } from './audit-logs';
export type { AuditRecord, Audited } from './audit-logs';
export { auditedAnswers } from './audited-answers';
export { holdsUnstorableText } from './bodies';
export { createHttpApp, fastifyOf } from './http-app';
export type { HttpObservation, HttpOptions } from './http-app';
export { openApiOf } from './openapi';
export { Paged } from './paged';
export type { PagedRequest } from './paged';
export { ProblemException, killBillProblem, unwrap } from './problem';
export type { FieldError, Problem } from './problem';
export { answerProblem, isKillBillPath } from './problem-filter';
export {
  RequestCtx,
  commandContext,
  correlationIdOf,
  headerOf,
  innerHeaders,
  requestContextOf,
} from './request-context';
export type { RequestContext } from './request-context';
export { listOf } from './validation';
