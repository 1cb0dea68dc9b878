import { withLogContext } from '@billstream/observability';
import type { DynamicModule, INestApplication, LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { acceptBodies } from './bodies';
import { createdByGuard, innerGate } from './gate';
import { isKillBillPath, problemFilter } from './problem-filter';
import { correlationIdOf, headerOf, innerHeaders } from './request-context';
import { beStrictAbout, validationPipe } from './validation';

export type HttpObservation = {
  readonly method: string;
  /** The route's template, never the raw path; `unmatched` when there was none. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
};

export type HttpOptions = {
  readonly logger: Logger;
  /** Only requests that carry it are answered (health excepted). Left out: this app is the public face itself. */
  readonly innerSecret?: string;
  /** Told of each answer, for the metric. */
  readonly observe?: (observation: HttpObservation) => void;
  /** Level of the line about an answer below 500; the public face says `info`. */
  readonly requestLevel?: 'info' | 'debug';
};

const urlLengthMax = 8 * 1024;

/** A Nest application over Fastify with the house's manners: problems, validation, bodies, limits. Not listening yet. */
export const createHttpApp = async (
  module: Type | DynamicModule,
  options: HttpOptions,
): Promise<NestFastifyApplication> => {
  const adapter = new FastifyAdapter({
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
    requestTimeout: 30_000,
    // A closing service answers what it has begun, and 503 to whatever still comes in over a kept-alive connection.
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  });
  const server = adapter.getInstance<FastifyInstance>();
  acceptBodies(server);
  addHooks(server, options);
  // Nest declares its options as a class, of which nobody makes an instance.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: nestLogger(options.logger),
  });
  app.useGlobalPipes(validationPipe());
  app.useGlobalGuards(createdByGuard());
  app.useGlobalFilters(problemFilter(options.logger));
  return app;
};

/** The server under the application: for raw routes, `inject` and `routing`. */
export const fastifyOf = (app: INestApplication): FastifyInstance => {
  const adapter: unknown = app.getHttpAdapter();
  if (!(adapter instanceof FastifyAdapter)) throw new TypeError('the application does not run on Fastify');
  return adapter.getInstance<FastifyInstance>();
};

const addHooks = (
  server: FastifyInstance,
  { innerSecret, logger, observe, requestLevel = 'debug' }: HttpOptions,
): void => {
  const gate = innerSecret === undefined ? undefined : innerGate(innerSecret);
  server.addHook('onRequest', (request, reply, done) => {
    if (request.url.length > urlLengthMax) void reply.status(414).send();
    // U+0000 fits neither a name nor a value that a database can look for.
    else if (request.url.includes('%00')) void reply.status(400).send();
    else {
      gate?.(request);
      done();
    }
  });
  // Entered after the body was read: its events come from the socket, outside of any context set earlier.
  server.addHook('preHandler', (request, _, done) => {
    if (request.url.startsWith('/v1/')) beStrictAbout(request.query);
    const tenantId = headerOf(request, innerHeaders.tenant);
    const context = { correlationId: correlationIdOf(request), ...(tenantId === undefined ? {} : { tenantId }) };
    withLogContext(context, done);
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const isEmpty = payload === undefined || payload === null || payload === '';
    if (isEmpty && (reply.statusCode === 201 || reply.statusCode === 204) && isKillBillPath(request.url))
      void reply.header('content-type', 'application/json');
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
    const { method } = request;
    const { statusCode: status, elapsedTime: durationMs } = reply;
    observe?.({ method, route, status, seconds: durationMs / 1000 });
    const level = status >= 500 ? 'warn' : requestLevel;
    logger[level]({ method, route, status, durationMs, correlationId: correlationIdOf(request) }, 'request');
    done();
  });
};

/** Nest's own lines: its start-up chatter is for debugging, its warnings are ours. */
const nestLogger = (logger: Logger): LoggerService => {
  const say =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...rest: unknown[]) => {
      logger[level]({ detail: message, from: rest.at(-1) }, 'framework');
    };
  return {
    log: say('debug'),
    debug: say('debug'),
    verbose: say('debug'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('error'),
  };
};
