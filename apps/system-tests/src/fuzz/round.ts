import type { Tenant } from '../system';
import type { Request } from './requests';

export type Outcome = Request & {
  readonly status: number;
  readonly answer: string;
  readonly correlationId: string;
  readonly tookMs: number;
};

export type Target = { readonly url: string; readonly tenant: Tenant };

const send = async ({ url, tenant }: Target, request: Request, correlationId: string): Promise<Outcome> => {
  const headers = {
    Authorization: `Basic ${Buffer.from('admin:password').toString('base64')}`,
    'X-Killbill-ApiKey': tenant.apiKey,
    'X-Killbill-ApiSecret': tenant.apiSecret,
    'X-Killbill-CreatedBy': 'fuzz',
    'X-Request-Id': correlationId,
    'Content-Type': request.type,
  };
  const { method, body } = request;
  const startedAt = performance.now();
  const ask = async () => {
    const signal = AbortSignal.timeout(patienceMs);
    const sent = { method, headers, signal, redirect: 'manual' as const, ...(body === null ? {} : { body }) };
    const response = await fetch(`${url}${request.path}`, sent);
    return { status: response.status, answer: await answerOf(response) };
  };
  // A connection that was idle may be closed just as it is used. One that breaks again was broken by the request.
  const answered = await ask().catch(() => ask().catch(unanswered));
  return { ...request, ...answered, correlationId, tookMs: performance.now() - startedAt };
};

/** A request without an answer for so long counts as one whose connection broke. */
const patienceMs = 60_000;

/** A stream of events has no end to wait for. */
const answerOf = async (response: Response): Promise<string> => {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  await response.body?.cancel();
  return '';
};

/** The status of a request whose connection broke. */
export const noAnswer = 0;

const unanswered = (error: unknown) => ({
  status: noAnswer,
  answer: error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error),
});

const lanes = 8;

/** Sends the requests, several at a time. Their correlation ids begin with `label`. */
export const sendAll = async (
  target: Target,
  requests: readonly Request[],
  label: string,
): Promise<readonly Outcome[]> => {
  const lane = async (start: number): Promise<Outcome[]> => {
    const done: Outcome[] = [];
    for (let i = start; i < requests.length; i += lanes)
      done.push(await send(target, requests[i]!, `${label}-${String(i)}`));
    return done;
  };
  return (await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i)))).flat();
};

const said = (outcome: Outcome): Readonly<Record<string, unknown>> | null => {
  try {
    return JSON.parse(outcome.answer === '' ? 'null' : outcome.answer) as Readonly<Record<string, unknown>> | null;
  } catch {
    return null;
  }
};

/** What a payment gateway did is told by the status: 402, 502, 503 and 504 are answers, and leave a payment behind. */
export const isPaymentOutcome = (outcome: Outcome): boolean =>
  [402, 502, 503, 504].includes(outcome.status) && /PaymentApiException$/.test(String(said(outcome)?.['className']));

/** A sentence, Kill Bill's body, a problem, or nothing at all where Kill Bill says nothing. */
export const saysWhy = (outcome: Outcome): boolean => {
  const { status, answer } = outcome;
  if (status < 400 || ((status === 404 || status === 408) && answer === '')) return true;
  if (/^[A-Z][a-z ]{10}/.test(answer)) return true;
  const body = said(outcome);
  return body !== null && ('message' in body || 'detail' in body);
};

export const told = ({ method, path, type, body, status, answer }: Outcome): string =>
  `${method} ${path}\n  ${type}: ${String(body).slice(0, 300)}\n  ${String(status)}: ${answer.slice(0, 300)}`;
