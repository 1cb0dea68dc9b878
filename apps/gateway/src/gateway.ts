import { type Problem, ProblemException } from '@billstream/http';
import type { Logger } from 'pino';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { allowOrigins } from './cors';
import { answerEmpty, answerJson, challenge, forbid, pathOf, refuse } from './answers';
import { answerTogether } from './answer-together';
import { answerApiPage } from './api-page';
import { type Caller, authenticator } from './authenticate';
import { completionOf, forwardCompletely } from './completion';
import { conductor } from './conductor';
import { type Upstreams, Unreachable } from './dispatch';
import { correlationOf, forwardedHeaders } from './forwarded-headers';
import { answerHealth } from './health';
import { isKnownMethod } from './http-dispatch';
import { innerApi } from './inner-api';
import { loggedPath } from './logged-path';
import { loginAttempts } from './login-attempts';
import { wholeOpenApi } from './openapi';
import { isGranted, permissionsFor } from './permissions';
import { inDialectOf } from './older-dialect';
import { plainUrl } from './plain-url';
import { type RateLimits, rateLimiter } from './rate-limit';
import { classOf, serviceFor } from './routes';
import { answerTestClock, isTestClockPath } from './test-clock';

export type GatewayParts = {
  readonly upstreams: Upstreams;
  readonly innerSecret: string;
  readonly logger: Logger;
  /** Test endpoints move clocks; else they answer as Kill Bill does with a real clock. */
  readonly testClock: boolean;
  /** Embedded mode: whose the metering calls without credentials are. */
  readonly defaultTenant: { readonly apiKey: string; readonly apiSecret: string } | null;
  /** Null: no limits. */
  readonly limits: RateLimits | null;
};

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

const urlBytesMax = 8 * 1024;
const bodyBytesMax = 8 * 1024 * 1024;

/** Everything between a connection and a service, as the handler of a Node HTTP server. */
export const gatewayHandler = (parts: GatewayParts): RequestHandler => {
  const answer = answering(parts);
  return (request, response) => {
    const startedAt = performance.now();
    const correlationId = correlationOf(request);
    response.setHeader('X-Request-Id', correlationId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    allowOrigins(request, response);
    response.once('close', () => {
      const facts = {
        method: request.method,
        path: loggedPath(pathOf(request)),
        status: response.statusCode,
        correlationId,
      };
      parts.logger.info({ ...facts, durationMs: Math.round(performance.now() - startedAt) }, 'request');
    });
    answer(request, response, correlationId).catch((error: unknown) => {
      failed(request, response, error);
      if (!(error instanceof Unreachable || error instanceof ProblemException))
        parts.logger.error({ err: error, correlationId }, 'request failed');
    });
  };
};

const answering = ({ upstreams, innerSecret, logger, testClock, defaultTenant, limits }: GatewayParts) => {
  const api = innerApi(upstreams, innerSecret);
  const clocks = conductor(api);
  const authenticate = authenticator({
    authenticate: (credentials) => api.authenticate(credentials),
    defaultTenant,
    // Whatever the limits are: nobody may guess passwords.
    attempts: loginAttempts(),
  });
  const limiter = limits === null ? null : rateLimiter(limits);

  const isAnsweredHere = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> => {
    if (request.method === 'OPTIONS') answerEmpty(response, 200);
    else if (!['GET', 'HEAD'].includes(request.method ?? '')) return false;
    else if (path === '/openapi.json' || path === '/swagger.json')
      answerJson(response, 200, await wholeOpenApi(upstreams, innerSecret));
    else return (await answerHealth(path, response, upstreams)) || (await answerApiPage(path, response));
    return true;
  };

  /** Who asks, once they may; null: the request is answered, with why they may not. */
  const admitted = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<Caller | null> => {
    const { method = '', socket } = request;
    const address = socket.remoteAddress ?? '';
    const caller = await authenticate(path, request.headers, address);
    if ('refused' in caller) {
      if (caller.refused === 'attempts') throw tooMany(response, caller.waitSeconds);
      challenge(request, response, caller.refused);
      return null;
    }
    const seconds = limiter?.(caller.tenantId || address, classOf(method, path)) ?? null;
    if (seconds !== null) throw tooMany(response, seconds);
    const missing = permissionsFor(method, path).find((permission) => !isGranted(caller.permissions, permission));
    if (missing === undefined) return caller;
    forbid(request, response, missing);
    return null;
  };

  return async (request: IncomingMessage, response: ServerResponse, correlationId: string): Promise<void> => {
    checkForm(request);
    request.url = plainUrlOf(request);
    const path = pathOf(request);
    if (await isAnsweredHere(request, response, path)) return;
    const name = serviceFor(path);
    if (name === null && !isTestClockPath(path)) throw problem(404, 'not-found', `nothing answers ${path}`);
    const caller = await admitted(request, response, path);
    if (caller === null) return;
    const { tenantId } = caller;
    if (name === null) {
      await answerTestClock({ conductor: clocks, enabled: testClock, logger }, { request, response, tenantId });
      return;
    }
    const headers = forwardedHeaders(request, { caller, correlationId, innerSecret });
    const exchange = { request, response };
    if (await answerTogether(upstreams, exchange, headers)) return;
    const service = inDialectOf(exchange, upstreams[name]);
    const completion = completionOf(exchange);
    if (completion === null) await service.forward(exchange, headers);
    else await forwardCompletely(service, exchange, headers, { conductor: clocks, tenantId, seconds: completion });
  };
};

const problem = (status: number, code: string, detail: string): ProblemException =>
  new ProblemException({ status, code, detail });

const tooMany = (response: ServerResponse, seconds: number): ProblemException => {
  response.setHeader('Retry-After', String(seconds));
  return problem(429, 'too-many-requests', `try again in ${seconds} s`);
};

/** Refuses what no service should have to look at. */
const checkForm = (request: IncomingMessage): void => {
  const { method = '', url = '', headers } = request;
  if (!isKnownMethod(request)) throw problem(405, 'method-not-allowed', `${method} is not allowed`);
  if (url.length > urlBytesMax) throw problem(414, 'url-too-long', `the URL has more than ${urlBytesMax} bytes`);
  if (Number(headers['content-length'] ?? 0) > bodyBytesMax)
    throw problem(413, 'body-too-large', `the body has more than ${bodyBytesMax} bytes`);
};

const plainUrlOf = ({ url = '/' }: IncomingMessage): string => {
  const plain = plainUrl(url);
  if (plain === null) throw problem(400, 'path-not-plain', 'the path must not hold the segments . or ..');
  return plain;
};

/** What a client is told when a service did not answer. When the answer had begun, hanging up is all that is left. */
const failed = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const told = toldOf(error, request.method === 'GET' || request.method === 'HEAD');
  if (told.status === 503) response.setHeader('Retry-After', '1');
  // What is left of a body that nobody will read must not be taken for the next request.
  if (told.status === 413) response.setHeader('Connection', 'close');
  refuse(request, response, told);
};

const toldOf = (error: unknown, isSafe: boolean): Problem => {
  if (error instanceof ProblemException) return error.problem;
  if (!(error instanceof Unreachable)) return { status: 500, code: 'unexpected-error', detail: 'An unexpected error' };
  if (error.reason === 'slow') return { status: 504, code: 'timeout', detail: 'The service did not answer in time' };
  if (error.reason === 'down' || isSafe)
    return { status: 503, code: 'service-unavailable', detail: 'The service cannot be reached' };
  return {
    status: 502,
    code: 'outcome-unknown',
    detail: 'The connection to the service broke; it is not known whether this was recorded',
  };
};
