import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemException } from './problem';
import { isKillBillPath } from './problem-filter';
import { beStrictAbout } from './validation';

export const bodyBytesMax = 1024 * 1024;
export const usageBodyBytesMax = 5 * 1024 * 1024;
const jsonDepthMax = 32;

/** Usage comes in batches: those routes take larger bodies than the rest. */
const takesUsage = (url: string): boolean => /^\/(meter|v1\/usage|1\.0\/kb\/usages)(\/|$)/.test(url);

/** A payment provider's notification has the form that the provider gives it; only its adapter can read it. */
const isRaw = (url: string): boolean => url.startsWith('/1.0/kb/paymentGateways/notification/');

/**
 * What bodies may look like: JSON, plain text, XML and HTML as raw text, and forms where a payment provider posts them.
 * An empty JSON body or form is no body: HTTP clients call it so when they have nothing to send, Kill Bill's own
 * JavaScript client (axios) among them. Anything else is 415. Call it before routes are added.
 */
export const acceptBodies = (fastify: FastifyInstance): void => {
  fastify.addHook('onRoute', (route) => {
    route.bodyLimit ??= takesUsage(route.url) ? usageBodyBytesMax : bodyBytesMax;
  });
  fastify.addHook('onRequest', (request, _, done) => {
    if (isRaw(request.url)) request.headers['content-type'] = 'text/plain';
    done();
  });
  fastify.removeAllContentTypeParsers();
  const parseJson = fastify.getDefaultJsonParser('error', 'ignore');
  const json = /^application\/([\w.-]+\+)?json(\s*;|$)/i;
  fastify.addContentTypeParser(json, { parseAs: 'string' }, (request, body: string, done) => {
    if (body.trim() === '') {
      done(null, undefined);
      return;
    }
    void parseJson(request, body, (error, value: unknown) => {
      if (error) done(malformed(error));
      else if (isDeeperThan(value, jsonDepthMax)) done(tooDeep());
      else if (holdsUnstorableText(value)) done(unstorable());
      else done(null, judged(request, value));
    });
  });
  const text = ['text/plain', 'text/xml', 'application/xml', 'text/html'];
  fastify.addContentTypeParser(text, { parseAs: 'string' }, (_, body: string, done) => {
    if (isUnstorable(body)) done(unstorable());
    else done(null, body);
  });
  const form = 'application/x-www-form-urlencoded';
  fastify.addContentTypeParser(form, { parseAs: 'string' }, (request, body: string, done) => {
    const fields = Object.fromEntries(new URLSearchParams(body));
    if (body === '') done(null, undefined);
    else if (isKillBillPath(request.url) && !request.url.startsWith('/plugins/')) done(unsupported(form));
    else if (holdsUnstorableText(fields)) done(unstorable());
    else done(null, fields);
  });
};

const judged = (request: FastifyRequest, body: unknown): unknown => {
  if (request.url.startsWith('/v1/')) beStrictAbout(body);
  return body;
};

const isDeeperThan = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  for (const inner of Object.values(value)) if (isDeeperThan(inner, depth - 1)) return true;
  return false;
};

/**
 * PostgreSQL keeps neither U+0000 nor half of a surrogate pair. Accepted into an event, such a text would stop every read
 * model that comes to it, for ever; so it is refused at the door.
 */
const isUnstorable = (text: string): boolean => /\u0000|\p{Surrogate}/u.test(text);

/** The same for every text in a JSON value. */
export const holdsUnstorableText = (value: unknown): boolean => {
  if (typeof value === 'string') return isUnstorable(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => isUnstorable(name) || holdsUnstorableText(inner));
};

const unstorable = (): ProblemException =>
  new ProblemException({
    status: 400,
    code: 'text-not-storable',
    detail: 'The body holds a text with U+0000 or half of a surrogate pair, which cannot be stored',
  });

const malformed = (error: Error): ProblemException =>
  new ProblemException({ status: 400, code: 'malformed-json', detail: `The body is not valid JSON: ${error.message}` });

const tooDeep = (): ProblemException =>
  new ProblemException({
    status: 400,
    code: 'json-too-deep',
    detail: `The body is nested deeper than ${String(jsonDepthMax)} levels`,
  });

const unsupported = (type: string): ProblemException =>
  new ProblemException({ status: 415, code: 'unsupported-media-type', detail: `Unsupported media type: ${type}` });
