import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Pool, errors } from 'undici';
import { type Dispatch, type Exchange, type InnerRequest, Unreachable, withoutHopByHop } from './dispatch';

export type HttpDispatchOptions = { readonly connections?: number; readonly timeoutMs?: number };

/** A service in a process of its own: keep-alive connections, bodies streamed both ways. */
export const httpDispatch = (
  origin: string,
  { connections = 64, timeoutMs = 30_000 }: HttpDispatchOptions = {},
): Dispatch & { close(): Promise<void> } => {
  const pool = new Pool(origin, {
    connections,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: 2_000 },
  });
  return {
    forward: (exchange, headers) => forward(pool, exchange, headers),
    call: async ({ method, path, headers, body }) => {
      try {
        const answer = await pool.request({ method, path, headers: withoutHopByHop(headers), body: body ?? null });
        return {
          status: answer.statusCode,
          headers: withoutHopByHop(answer.headers),
          body: Buffer.from(await answer.body.arrayBuffer()),
        };
      } catch (error) {
        throw unreachable(error);
      }
    },
    close: () => pool.close(),
  };
};

const forward = async (pool: Pool, { request, response }: Exchange, headers: IncomingHttpHeaders): Promise<void> => {
  const gone = new AbortController();
  response.once('close', () => {
    // Most close because all was said; an abort then would stop nothing, and its error with its stack costs.
    if (!response.writableFinished) gone.abort();
  });
  const answer = await pool
    .request({
      method: methodOf(request),
      path: request.url ?? '/',
      headers: withoutHopByHop(headers),
      body: hasBody(request) ? request : null,
      signal: gone.signal,
    })
    .catch((error: unknown) => {
      throw unreachable(error);
    });
  response.writeHead(answer.statusCode, withoutHopByHop(answer.headers));
  // The client went away or the service broke off in mid-answer: the status is out, all that is left is to hang up.
  await pipeline(answer.body, response).catch(() => response.destroy());
};

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const methods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']);
const isMethod = (text: string): text is InnerRequest['method'] => methods.has(text);

/** The methods that anything here answers; the gateway refuses others before it comes to this. */
export const methodOf = ({ method = 'GET' }: IncomingMessage): InnerRequest['method'] =>
  isMethod(method) ? method : 'GET';
export const isKnownMethod = (request: IncomingMessage): boolean => methods.has(request.method ?? '');

const unreachable = (error: unknown): Unreachable => {
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
    return new Unreachable('slow', { cause: error });
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const isDown =
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT/.test(code) ||
    error instanceof AggregateError;
  return new Unreachable(isDown ? 'down' : 'lost', { cause: error });
};
