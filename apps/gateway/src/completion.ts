import { ProblemException } from '@billstream/http';
import type { IncomingHttpHeaders } from 'node:http';
import { answerEmpty, pathOf, queryOf } from './answers';
import { type Conductor, within } from './conductor';
import type { Dispatch, Exchange } from './dispatch';
import { methodOf } from './http-dispatch';

const bodyBytesMax = 1024 * 1024;
const roundsMax = 20;

/** Whether a call asks to be answered only when invoice and payment are through; how many seconds it will wait (Kill Bill 0.24). */
export const completionOf = ({ request }: Exchange): number | null => {
  const query = queryOf(request);
  const { method = '' } = request;
  if (query.get('callCompletion')?.toLowerCase() !== 'true' || !['POST', 'PUT', 'DELETE'].includes(method)) return null;
  if (!/^\/1\.0\/kb\/subscriptions(\/|$)/.test(pathOf(request))) return null;
  const seconds = Number(query.get('callTimeoutSec') ?? (method === 'DELETE' ? '5' : '3'));
  return seconds >= 0 && seconds <= 600 ? seconds : 3;
};

type Completion = { readonly conductor: Conductor; readonly tenantId: string; readonly seconds: number };

/**
 * Holds the service's answer back until the tenant has come to rest; 408 without a body when that takes too long (the
 * operation itself is done). A refusal is answered at once.
 */
export const forwardCompletely = async (
  service: Dispatch,
  { request, response }: Exchange,
  headers: IncomingHttpHeaders,
  { conductor, tenantId, seconds }: Completion,
): Promise<void> => {
  const until = Date.now() + seconds * 1000;
  const body = await bodyOf(request);
  if (body === null)
    throw new ProblemException({
      status: 413,
      code: 'body-too-large',
      detail: `the body has more than ${bodyBytesMax} bytes`,
    });
  const answer = await service.call({ method: methodOf(request), path: request.url ?? '/', headers, body });
  const isDone =
    answer.status >= 300 || (await within(seconds, conductor.settleNow(tenantId, { until, roundsMax }))) === true;
  if (isDone) response.writeHead(answer.status, answer.headers).end(answer.body);
  else answerEmpty(response, 408);
};

/** A request's whole body; null when it is too large. */
export const bodyOf = async (request: Exchange['request']): Promise<Buffer | null> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    const buffer = Buffer.from(part as Uint8Array);
    bytes += buffer.length;
    if (bytes > bodyBytesMax) return null;
    parts.push(buffer);
  }
  return Buffer.concat(parts);
};
