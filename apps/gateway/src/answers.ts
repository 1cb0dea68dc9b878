import { isKillBillPath } from '@billstream/http';
import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';

/** The path of a request without its query, and its query. */
export const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/';
export const queryOf = ({ url = '/' }: IncomingMessage): URLSearchParams => {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
};

export const answerJson = (response: ServerResponse, status: number, body: unknown): void => {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
};

export const answerEmpty = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { 'Content-Length': 0 }).end();
};

type Refusal = { readonly status: number; readonly code: string; readonly detail: string };

/** A refusal of the gateway itself, in the manner that the path's clients expect. */
export const refuse = (request: IncomingMessage, response: ServerResponse, { status, code, detail }: Refusal): void => {
  const title = STATUS_CODES[status] ?? code;
  if (isKillBillPath(request.url ?? '')) {
    const className = status < 500 ? 'java.lang.IllegalArgumentException' : 'java.lang.IllegalStateException';
    answerJson(response, status, killBillBody(className, detail));
    return;
  }
  const text = JSON.stringify({ type: `urn:problem:${code}`, title, status, detail, code });
  response
    .writeHead(status, { 'Content-Type': 'application/problem+json', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
};

/**
 * The user is known and may not do this: 403, and under `/1.0/kb` 401 with the error body, as Kill Bill answers where
 * Shiro refuses (its ShiroExceptionMapper, 0.24).
 */
export const forbid = (request: IncomingMessage, response: ServerResponse, permission: string): void => {
  const detail = `The user does not have the permission ${permission}`;
  if (!isKillBillPath(request.url ?? '')) refuse(request, response, { status: 403, code: 'forbidden', detail });
  else answerJson(response, 401, killBillBody('org.apache.shiro.authz.UnauthorizedException', detail));
};

const killBillBody = (className: string, message: string): object => ({
  className,
  code: null,
  message,
  causeClassName: null,
  causeMessage: null,
  stackTrace: [],
});

/**
 * 401 with a challenge. Under `/1.0/kb` it is plain text and not the error body: Kill Bill refuses before its API is
 * reached (Shiro, and the container's error page for the tenant).
 */
export const challenge = (request: IncomingMessage, response: ServerResponse, whom: 'user' | 'tenant'): void => {
  response.setHeader('WWW-Authenticate', 'Basic realm="application", charset="UTF-8"');
  const detail =
    whom === 'user'
      ? 'Authenticate with HTTP Basic'
      : 'Name the tenant with the headers X-Killbill-ApiKey and X-Killbill-ApiSecret';
  if (!isKillBillPath(request.url ?? '')) refuse(request, response, { status: 401, code: 'unauthenticated', detail });
  else response.writeHead(401, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${detail}\n`);
};
