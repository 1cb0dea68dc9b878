import { ProblemException, innerHeaders } from '@billstream/http';
import { digest } from '@billstream/kernel';
import type { ContextName } from '@billstream/service-runtime';
import type { IncomingHttpHeaders } from 'node:http';
import { pathOf } from './answers';
import { bodyOf } from './completion';
import type { Exchange, InnerAnswer, Upstreams } from './dispatch';
import { methodOf } from './http-dispatch';

type Completed = {
  readonly method: string;
  readonly path: RegExp;
  readonly by: readonly ContextName[];
  readonly to: ContextName;
};

const below = (method: string, path: string, steps: Pick<Completed, 'by' | 'to'>): Completed => ({
  method,
  path: new RegExp(`^/1\\.0/kb/${path}/?$`),
  ...steps,
});

/**
 * Requests that one service alone cannot understand: those of `by` get them first, one after the other, under a path that
 * no client reaches, and each answers with the body that the next one is to get, the last one's going to `to`. What the
 * bodies say is between those services (ADR 0015).
 */
const completedRequests: readonly Completed[] = [
  // What is planned; which usage that needs; how much that was.
  below('POST', 'invoices/dryRun', { by: ['subscriptions', 'invoicing', 'metering'], to: 'invoicing' }),
  // Whose invoice it is; who that is and which language they read.
  below('GET', 'invoices/[^/]+/html', { by: ['invoicing', 'accounts'], to: 'invoicing' }),
  // What is left of the items that the refund adjusts.
  below('POST', 'invoicePayments/[^/]+/refunds', { by: ['invoicing'], to: 'payments' }),
  // Whoever pays, or is to agree to that, may be an account that is made on the way.
  below('POST', 'payments/combo', { by: ['accounts'], to: 'payments' }),
  below('POST', 'paymentGateways/hosted/form', { by: ['accounts'], to: 'payments' }),
];

export const completedRequestOf = ({ request }: Exchange): Completed | null => {
  const path = pathOf(request);
  return completedRequests.find((one) => one.method === request.method && one.path.test(path)) ?? null;
};

/** Under which method and path a step gets the request. A read brings no body along, so what answers it is asked by POST too. */
const stepsOf = ({ by, to }: Completed, request: Exchange['request']) => {
  const path = request.url ?? '/';
  const inner = path.replace('/1.0/kb/', '/1.0/kb/internal/');
  const asked = by.map((of) => ({ of, method: 'POST' as const, path: inner }));
  return request.method === 'GET'
    ? [...asked, { of: to, method: 'POST' as const, path: inner.replace(/\/?(\?|$)/, '/answer$1') }]
    : [...asked, { of: to, method: methodOf(request), path }];
};

/** The body goes on as JSON and with a length of its own. A read that becomes a POST on the way changes nothing, so nobody has to say who does. */
export const withoutLength = (headers: IncomingHttpHeaders, method: string | undefined): IncomingHttpHeaders => ({
  ...(method === 'GET' ? { 'x-killbill-createdby': 'reader' } : {}),
  'content-type': 'application/json',
  ...Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding'),
  ),
});

export const wholeBodyOf = async (request: Exchange['request']): Promise<Buffer> => {
  const body = await bodyOf(request);
  if (body === null)
    throw new ProblemException({ status: 413, code: 'body-too-large', detail: 'the body is too large' });
  return body;
};

/** The first refusal is the answer; without one, the last service's is. */
export const forwardCompleted = async (
  upstreams: Upstreams,
  { request, response }: Exchange,
  headers: IncomingHttpHeaders,
  completed: Completed,
): Promise<void> => {
  const body = await wholeBodyOf(request);
  const rewritten = {
    ...withoutLength(headers, request.method),
    [innerHeaders.asked]: digest(body.toString('base64')),
  };
  let text: Buffer | string = body.length === 0 ? '{}' : body;
  let answer: InnerAnswer = { status: 200, headers: {}, body };
  for (const { of, method, path } of stepsOf(completed, request)) {
    answer = await upstreams[of].call({ method, path, headers: rewritten, body: text });
    if (answer.status >= 300) break;
    text = answer.body;
  }
  response.writeHead(answer.status, answer.headers).end(answer.body);
};
