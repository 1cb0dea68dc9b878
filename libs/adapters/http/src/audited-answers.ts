import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { from, mergeMap } from 'rxjs';
import { type AuditLevel, type AuditRecord, auditLevelFrom, auditLogsOf } from './audit-logs';
import { ProblemException } from './problem';
import { requestContextOf } from './request-context';

/** The field that names an object of this kind, and the kind; null: objects with that field have no history of their own. */
export type AuditedKind = readonly [field: string, objectType: string | null];

type Look = (tenantId: string, objectIds: readonly string[]) => Promise<readonly AuditRecord[]>;

/** A Kill Bill object in an answer: it has room for audit logs. */
type Entity = { readonly auditLogs: unknown; readonly [field: string]: unknown };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object);

const isEntity = (value: object): value is Entity => 'auditLogs' in value;

type Named = { readonly objectType: string; readonly objectId: string };

const nameOf = (entity: Entity, kinds: readonly AuditedKind[]): Named | null => {
  const [field, objectType] = kinds.find(([name]) => typeof entity[name] === 'string') ?? ['', null];
  return objectType === null ? null : { objectType, objectId: String(entity[field]) };
};

const namesIn = (value: unknown, kinds: readonly AuditedKind[]): readonly Named[] => {
  if (Array.isArray(value)) return value.flatMap((one) => namesIn(one, kinds));
  if (!isObject(value)) return [];
  const name = isEntity(value) ? nameOf(value, kinds) : null;
  return [...(name === null ? [] : [name]), ...Object.values(value).flatMap((one) => namesIn(one, kinds))];
};

const filled = (value: unknown, kinds: readonly AuditedKind[], logsOf: (name: Named) => object[]): unknown => {
  if (Array.isArray(value)) return value.map((one) => filled(one, kinds, logsOf));
  if (!isObject(value)) return value;
  const fields = Object.entries(value).map(([field, one]) => [field, filled(one, kinds, logsOf)]);
  const name = isEntity(value) ? nameOf(value, kinds) : null;
  return { ...Object.fromEntries(fields), ...(name === null ? {} : { auditLogs: logsOf(name) }) };
};

/**
 * Fills the audit logs of all objects in an answer, however deep, as many as `audit` asks for. An object is of the first kind
 * whose field it has. `look` is asked once, and not for NONE.
 */
export const auditedAnswer = async (
  answer: unknown,
  level: AuditLevel,
  {
    kinds,
    look,
  }: { readonly kinds: readonly AuditedKind[]; readonly look: (ids: readonly string[]) => ReturnType<Look> },
): Promise<unknown> => {
  const names = level === 'NONE' ? [] : namesIn(answer, kinds);
  if (names.length === 0) return answer;
  const logs = auditLogsOf(await look([...new Set(names.map(({ objectId }) => objectId))]), level);
  return filled(answer, kinds, (name) => logs(name));
};

const levelOf = ({ method, query }: FastifyRequest): AuditLevel => {
  const given = (query as Readonly<Record<string, unknown>>)['audit'];
  if (method !== 'GET' || given === undefined || given === '') return 'NONE';
  const level = auditLevelFrom(given);
  if (level !== null) return level;
  const message = 'audit must be one of NONE, MINIMAL, FULL';
  const errors = [{ pointer: 'query:audit', code: 'is-in', message }];
  throw new ProblemException({ status: 400, code: 'invalid-request', detail: message, errors });
};

/** `audit=MINIMAL` and `audit=FULL` for every answer of a service, where the service's own trail knows the objects. */
export const auditedAnswers = (kinds: readonly AuditedKind[], look: Look): NestInterceptor => ({
  intercept: (context: ExecutionContext, next: CallHandler) => {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const level = levelOf(request);
    if (level === 'NONE') return next.handle();
    const { tenantId } = requestContextOf(request);
    const of = { kinds, look: (ids: readonly string[]) => look(tenantId, ids) };
    return next.handle().pipe(mergeMap((answer: unknown) => from(auditedAnswer(answer, level, of))));
  },
});
