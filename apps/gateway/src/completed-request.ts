import { ProblemException } from '@billstream/http';
import type { ContextName } from '@billstream/service-runtime';
import type { IncomingHttpHeaders } from 'node:http';
import { pathOf } from './answers';
import { bodyOf } from './completion';
import type { Exchange, InnerAnswer, Upstreams } from './dispatch';
import { methodOf } from './http-dispatch';

type Completed = {
  readonly method: string;
  readonly path: string;
  readonly by: readonly ContextName[];
  readonly to: ContextName;
};

/**
 * Requests that one service alone cannot understand: those of `by` get them first, one after the other, under a path that
 * no client reaches, and each answers with the body that the next one is to get, the last one's going to `to`. What the
 * bodies say is between those services (ADR 0015).
 */
const completedRequests: readonly Completed[] = [
  {
    method: 'POST',
    path: '/1.0/kb/invoices/dryRun',
    // What is planned; which usage that needs; how much that was.
    by: ['subscriptions', 'invoicing', 'metering'],
    to: 'invoicing',
  },
];

export const completedRequestOf = ({ request }: Exchange): Completed | null => {
  const path = pathOf(request).replace(/\/$/, '');
  return completedRequests.find((one) => one.method === request.method && one.path === path) ?? null;
};

/** The body goes on as JSON and with a length of its own. */
const withoutLength = (headers: IncomingHttpHeaders): IncomingHttpHeaders => ({
  'content-type': 'application/json',
  ...Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding'),
  ),
});

/** The first refusal is the answer; without one, the last service's is. */
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
  const rewritten = withoutLength(headers);
  const steps = [...by.map((of) => ({ of, path: inner })), { of: to, path }];
  let text: Buffer | string = body.length === 0 ? '{}' : body;
  let answer: InnerAnswer = { status: 200, headers: {}, body };
  for (const step of steps) {
    answer = await upstreams[step.of].call({ method, path: step.path, headers: rewritten, body: text });
    if (answer.status >= 300) break;
    text = answer.body;
  }
  response.writeHead(answer.status, answer.headers).end(answer.body);
};
