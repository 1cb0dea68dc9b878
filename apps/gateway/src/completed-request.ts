import { ProblemException } from '@billstream/http';
import type { ContextName } from '@billstream/service-runtime';
import type { IncomingHttpHeaders } from 'node:http';
import { pathOf } from './answers';
import { bodyOf } from './completion';
import type { Exchange, Upstreams } from './dispatch';
import { methodOf } from './http-dispatch';

type Completed = { readonly method: string; readonly path: RegExp; readonly by: ContextName; readonly to: ContextName };

/**
 * Requests that one service alone cannot understand: `by` gets them first, under a path that no client reaches, and answers with the body
 * that `to` is to get. What the bodies say is between those two (ADR 0015).
 */
const completedRequests: readonly Completed[] = [
  { method: 'POST', path: /^\/1\.0\/kb\/invoices\/dryRun$/, by: 'subscriptions', to: 'invoicing' },
  { method: 'POST', path: /^\/1\.0\/kb\/invoicePayments\/[^/]+\/refunds$/, by: 'invoicing', to: 'payments' },
];

export const completedRequestOf = ({ request }: Exchange): Completed | null => {
  const path = pathOf(request).replace(/\/$/, '');
  return completedRequests.find((one) => one.method === request.method && one.path.test(path)) ?? null;
};

/** The body goes on as JSON and with a length of its own. */
const withoutLength = (headers: IncomingHttpHeaders): IncomingHttpHeaders => ({
  'content-type': 'application/json',
  ...Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding'),
  ),
});

/** A refusal of the first service is the answer; else the second one's is. */
export const forwardCompleted = async (
  upstreams: Upstreams,
  { request, response }: Exchange,
  headers: IncomingHttpHeaders,
  { by, to }: Completed,
): Promise<void> => {
  const body = await bodyOf(request);
  if (body === null)
    throw new ProblemException({ status: 413, code: 'body-too-large', detail: 'the body is too large' });
  const method = methodOf(request);
  const path = request.url ?? '/';
  const inner = path.replace('/1.0/kb/', '/1.0/kb/internal/');
  const text = body.length === 0 ? '{}' : body;
  const rewritten = withoutLength(headers);
  const completed = await upstreams[by].call({ method, path: inner, headers: rewritten, body: text });
  const answer =
    completed.status >= 300
      ? completed
      : await upstreams[to].call({ method, path, headers: rewritten, body: completed.body });
  response.writeHead(answer.status, answer.headers).end(answer.body);
};
