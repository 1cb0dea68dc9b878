import { ProblemException, apiMinorOf } from '@billstream/http';
import type { IncomingHttpHeaders } from 'node:http';
import { pathOf } from './answers';
import { bodyOf } from './completion';
import type { Dispatch, Exchange, InnerAnswer, InnerRequest } from './dispatch';
import { methodOf } from './http-dispatch';

type Changed = {
  readonly method: InnerRequest['method'];
  readonly path: RegExp;
  /** What was changed is the answer. */
  readonly isShown?: true;
};

const below = (path: string): RegExp => new RegExp(`^/1\\.0/kb/${path}/?$`);

/** Where Kill Bill answers 204 since 0.19.16, and 200 before. Paths and verbs of its own the older dialect has besides. */
const changed: readonly Changed[] = [
  { method: 'PUT', path: below('bundles/[^/]+/(pause|resume)') },
  { method: 'PUT', path: below('subscriptions/[^/]+/(uncancel|bcd)') },
  { method: 'PUT', path: below('accounts/[^/]+/paymentMethods/[^/]+/setDefault') },
  { method: 'DELETE', path: below('(subscriptions|accounts|paymentMethods)/[^/]+') },
  { method: 'DELETE', path: below('[^/]+/[^/]+/(tags|customFields)') },
  { method: 'PUT', path: below('(subscriptions|accounts)/[^/]+'), isShown: true },
];

const isOlder = (headers: IncomingHttpHeaders): boolean => apiMinorOf(headers) < 20;

const ofBody = ['content-length', 'content-type', 'transfer-encoding'];

const withStatus = async (service: Dispatch, request: InnerRequest, { isShown }: Changed): Promise<InnerAnswer> => {
  const answer = await service.call(request);
  if (answer.status !== 204) return answer;
  const empty = { status: 200, headers: { ...answer.headers, 'content-length': 0 }, body: Buffer.alloc(0) };
  if (isShown !== true) return empty;
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !ofBody.includes(name)));
  return service.call({ method: 'GET', path: request.path.split('?', 1)[0] ?? '/', headers });
};

/** The service as a client of the older dialect sees it; the service itself where the two dialects agree. */
export const inDialectOf = ({ request }: Exchange, service: Dispatch): Dispatch => {
  const known = isOlder(request.headers)
    ? changed.find(({ method, path }) => method === request.method && path.test(pathOf(request)))
    : undefined;
  if (known === undefined) return service;
  const call = (inner: InnerRequest): Promise<InnerAnswer> => withStatus(service, inner, known);
  return {
    call,
    forward: async (exchange, headers) => {
      const body = await bodyOf(exchange.request);
      if (body === null)
        throw new ProblemException({ status: 413, code: 'body-too-large', detail: 'the body is too large' });
      const { url: path = '/' } = exchange.request;
      const answer = await call({ method: methodOf(exchange.request), path, headers, body });
      exchange.response.writeHead(answer.status, answer.headers).end(answer.body);
    },
  };
};
