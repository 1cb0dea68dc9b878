import { AppendOutcomeUnknown, AppendTooLarge, RevisionConflict } from '@billstream/event-sourcing';
import { type ArgumentsHost, type ExceptionFilter, HttpException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type Problem, ProblemException } from './problem';
import { correlationIdOf } from './request-context';

/** Paths whose clients expect Kill Bill's manners: its error body, its lenience, its required header. */
export const isKillBillPath = (url: string): boolean => url.startsWith('/1.0/kb') || url.startsWith('/plugins/');

/** The last stop of every exception of a request: says what the client may know, logs what it may not. */
export const problemFilter = (logger: Logger): ExceptionFilter => ({
  catch: (error: unknown, host: ArgumentsHost): void => {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    answerProblem(error, request, reply, logger);
  },
});

export const answerProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void => {
  const correlationId = correlationIdOf(request);
  const problem = problemOf(error, correlationId);
  if (problem.status >= 500)
    logger.error({ err: error, correlationId, route: request.routeOptions.url }, 'request failed');
  if (problem.status === 503) void reply.header('retry-after', '1');
  if (problem.code === 'malformed-json' && request.url.startsWith('/plugins/')) {
    // What Kill Bill's plugins (Sinatra applications, up to 0.20) answer to a body they cannot parse.
    void reply.status(problem.status).header('content-type', 'text/plain; charset=utf-8').send(problem.detail);
    return;
  }
  const [type, body] = isKillBillPath(request.url)
    ? (['application/json', killBillBody(problem)] as const)
    : (['application/problem+json', problemBody(problem, correlationId)] as const);
  void reply.status(problem.status).header('content-type', type).send(body);
};

const problemOf = (error: unknown, correlationId: string): Problem => {
  if (error instanceof ProblemException) return error.problem;
  if (error instanceof HttpException) return problemOfNest(error);
  if (error instanceof RevisionConflict)
    return { status: 409, code: 'conflict', detail: 'Others changed this at the same time; please try again' };
  if (error instanceof AppendOutcomeUnknown)
    return {
      status: 503,
      code: 'outcome-unknown',
      detail: 'It is not known whether this was recorded; repeat it with the same Idempotency-Key',
    };
  if (error instanceof AppendTooLarge)
    return {
      status: 413,
      code: 'change-too-large',
      detail: 'This would record more than the log takes at once (1 MiB); ask for less at a time',
    };
  const status = clientErrorStatus(error);
  if (status !== null) return { status, code: codes[status] ?? 'bad-request', detail: messageOf(error) };
  return {
    status: 500,
    code: 'unexpected-error',
    detail: `An unexpected error; its log lines carry the correlation id ${correlationId}`,
  };
};

/** What the framework itself refuses: malformed JSON, unknown routes, bodies too large, foreign media types. */
const problemOfNest = (error: HttpException): Problem => {
  const status = error.getStatus();
  if (status >= 500) return { status, code: 'unexpected-error', detail: STATUS_CODES[status] ?? 'Server error' };
  return { status, code: codes[status] ?? 'bad-request', detail: messageOf(error) };
};

const codes: Readonly<Record<number, string>> = {
  400: 'malformed-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  413: 'body-too-large',
  414: 'url-too-long',
  415: 'unsupported-media-type',
};

/** Fastify's own errors carry a status; anything else that does is not to be believed above 499. */
const clientErrorStatus = (error: unknown): number | null => {
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : null;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** RFC 9457. */
const problemBody = ({ status, code, detail, errors }: Problem, correlationId: string): object => ({
  type: `urn:problem:${code}`,
  title: STATUS_CODES[status] ?? code,
  status,
  detail,
  instance: correlationId,
  code,
  ...(errors === undefined ? {} : { errors }),
});

/** Kill Bill's BillingExceptionJson (0.24). A stack never leaves, so `withStackTrace` changes nothing. */
const killBillBody = ({ status, detail, killBill }: Problem): object => ({
  className:
    killBill?.className ?? (status < 500 ? 'java.lang.IllegalArgumentException' : 'java.lang.IllegalStateException'),
  code: killBill?.code ?? null,
  message: detail,
  causeClassName: null,
  causeMessage: null,
  stackTrace: [],
});
