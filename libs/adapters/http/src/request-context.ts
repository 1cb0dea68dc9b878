import type { Actor, CommandContext } from '@billstream/event-sourcing';
import { type Clock, derivedId, digest, newId } from '@billstream/kernel';
import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProblemException } from './problem';

/** Who asks, for which tenant; put together by the gateway and trusted because only the gateway knows the inner secret. */
export type RequestContext = {
  /** Empty on the few routes that Kill Bill serves without a tenant (tenants, security, nodesInfo). */
  readonly tenantId: string;
  readonly user: string;
  /** `createdBy` is the X-Killbill-CreatedBy header, else the user. */
  readonly actor: Actor;
  readonly correlationId: string;
  /** Derived from Idempotency-Key when one was sent (with tenant, method and path), else random. */
  readonly commandId: string;
  /** Digest of method, path and body; present only with an Idempotency-Key. */
  readonly commandHash?: string;
  readonly traceparent?: string;
};

/** The headers between gateway and services. A service believes them only beside the right inner secret. */
export const innerHeaders = {
  secret: 'x-billstream-inner',
  tenant: 'x-billstream-tenant',
  user: 'x-billstream-user',
  correlation: 'x-billstream-correlation',
  /** Digest of the body as the client sent it, where services complete it on its way (ADR 0015). */
  asked: 'x-billstream-asked',
} as const;

const idempotencyKeyLengthMax = 255;

/** A header's text; a repeated header gives its first value. */
export const headerOf = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

const kept = new WeakMap<FastifyRequest, RequestContext>();

/** The same object for the whole request, so that every part of it uses the same ids. */
export const requestContextOf = (request: FastifyRequest): RequestContext => {
  const known = kept.get(request);
  if (known) return known;
  const context = read(request);
  kept.set(request, context);
  return context;
};

/** The correlation id that the gateway gave, else one of our own; never fails. */
export const correlationIdOf = (request: FastifyRequest): string => {
  const given = headerOf(request, innerHeaders.correlation);
  return given === undefined || given === '' ? request.id : given;
};

const read = (request: FastifyRequest): RequestContext => {
  const tenantId = headerOf(request, innerHeaders.tenant) ?? '';
  const user = headerOf(request, innerHeaders.user) ?? '';
  const traceparent = headerOf(request, 'traceparent');
  return {
    tenantId,
    user,
    actor: actorOf(request, user),
    correlationId: correlationIdOf(request),
    ...commandOf(request, tenantId),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
};

/** X-Killbill-CreatedBy, -Reason and -Comment; X-Killbill-Encoding says when they are base64 (Kill Bill 0.24). */
const actorOf = (request: FastifyRequest, user: string): Actor => {
  const isBase64 = headerOf(request, 'x-killbill-encoding')?.toLowerCase() === 'base64';
  const text = (name: string): string | undefined => {
    const value = headerOf(request, name);
    if (value === undefined || value === '') return undefined;
    return isBase64 ? decodedHeader(name, value) : value;
  };
  const reason = text('x-killbill-reason');
  const comment = text('x-killbill-comment');
  return {
    createdBy: text('x-killbill-createdby') ?? user,
    ...(reason === undefined ? {} : { reason }),
    ...(comment === undefined ? {} : { comment }),
  };
};

/** U+0000 goes into every event of the request, and no read model could ever store it. */
const decodedHeader = (name: string, value: string): string => {
  const text = Buffer.from(value, 'base64').toString('utf8');
  if (!text.includes('\u0000')) return text;
  throw new ProblemException({
    status: 400,
    code: 'text-not-storable',
    detail: `The header ${name} holds U+0000, which cannot be stored`,
    errors: [{ pointer: `header:${name}`, code: 'not-storable', message: 'holds U+0000' }],
  });
};

const commandOf = (request: FastifyRequest, tenantId: string): Pick<RequestContext, 'commandId' | 'commandHash'> => {
  const key = headerOf(request, 'idempotency-key');
  if (key === undefined || key === '') return { commandId: newId() };
  if (key.length > idempotencyKeyLengthMax)
    throw new ProblemException({
      status: 400,
      code: 'idempotency-key-too-long',
      detail: `Idempotency-Key has more than ${String(idempotencyKeyLengthMax)} characters`,
      errors: [{ pointer: 'header:Idempotency-Key', code: 'too-long', message: 'is too long' }],
    });
  const { method, url, body } = request;
  const asked = headerOf(request, innerHeaders.asked) ?? (body === undefined ? '' : JSON.stringify(body));
  return {
    commandId: derivedId('idempotency-key', tenantId, method, url, key),
    commandHash: digest(`${method} ${url}\n${asked}`),
  };
};

/** Endpoint parameter: `@RequestCtx() request: RequestContext`. */
export const RequestCtx = createParamDecorator((_: unknown, context: ExecutionContext) =>
  requestContextOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** The request as the context of a command. Give an id of your own where one request makes several commands. */
export const commandContext = (
  request: RequestContext,
  clock: Clock,
  commandId = request.commandId,
): CommandContext => ({
  commandId,
  tenantId: request.tenantId,
  actor: request.actor,
  at: clock.now(request.tenantId),
  correlationId: request.correlationId,
  ...(request.commandHash === undefined ? {} : { commandHash: request.commandHash }),
  ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
});
