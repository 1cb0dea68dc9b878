import type { ContextName } from '@billstream/service-runtime';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A request as it came in and the answer as it goes out, both streams. */
export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

export type InnerRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD' | 'OPTIONS';
  /** Path with query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body?: Buffer | string;
};

export type InnerAnswer = { readonly status: number; readonly headers: OutgoingHttpHeaders; readonly body: Buffer };

/** A way to one service: a process of its own behind HTTP, or the same process. */
export type Dispatch = {
  /** Streams a request there and the answer back, under these headers. Rejects with `Unreachable` before anything was answered. */
  forward(exchange: Exchange, headers: IncomingHttpHeaders): Promise<void>;
  /** Asks and waits for the whole answer. */
  call(request: InnerRequest): Promise<InnerAnswer>;
};

export type Upstreams = Readonly<Record<ContextName, Dispatch>>;

/**
 * The service did not answer. `down`: nothing reached it; `slow`: it did not answer in time; `lost`: the connection broke
 * after the request went out, so a change may or may not have happened.
 */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  constructor(
    readonly reason: 'down' | 'slow' | 'lost',
    options?: { cause: unknown },
  ) {
    super(`the service is ${reason}`, options);
  }
}

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that belong to one connection and never travel on (RFC 9110 §7.6.1). */
export const withoutHopByHop = <Value>(headers: NodeJS.Dict<Value>): NodeJS.Dict<Value> => {
  const named = String(headers['connection'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named.includes(name)));
};
