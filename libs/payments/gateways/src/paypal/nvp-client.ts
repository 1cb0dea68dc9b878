import type { Evidence, NotExecuted, Unknown } from '../gateway-port';

export type PayPalCredentials = { readonly login: string; readonly password: string; readonly signature: string };

export type NvpConnection = {
  readonly endpoint: string;
  readonly credentials: PayPalCredentials;
  readonly timeoutMs: number;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
};

export type NvpFields = Readonly<Record<string, string | undefined>>;

/** PayPal gave a verdict. Whether it is a good one is for the caller to say. */
export type NvpVerdict = {
  readonly kind: 'Verdict';
  readonly success: boolean;
  readonly get: (name: string) => string | undefined;
  /** The first error, or the first warning of a success. */
  readonly code: string | undefined;
  readonly evidence: Evidence;
};

export type NvpResult = NvpVerdict | NotExecuted | Unknown;

/** Older than the API's MSGSUBID support no longer matters; 204 is the newest that is widely used. */
const VERSION = '204';

/** One POST, form in and form out. Nothing is repeated here: whether a repeat is safe only the caller knows. */
export const callNvp = async (nvp: NvpConnection, method: string, fields: NvpFields): Promise<NvpResult> => {
  const since = nvp.now().toISOString();
  try {
    const response = await nvp.fetch(nvp.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: form(nvp.credentials, method, fields),
      // A followed redirect would hand the credentials to whoever it names.
      redirect: 'manual',
      signal: AbortSignal.timeout(nvp.timeoutMs),
    });
    const refused = refusedByStatus(response.status, since);
    if (refused) {
      await response.body?.cancel();
      return refused;
    }
    return parseVerdict(await response.text()) ?? unknown(since, 'unreadable-answer');
  } catch (error) {
    return neverSent(error) ? notExecuted('unreachable', errorCode(error)) : unknown(since, errorCode(error));
  }
};

const form = ({ login, password, signature }: PayPalCredentials, method: string, fields: NvpFields): string => {
  const pairs = new URLSearchParams({ METHOD: method, VERSION, USER: login, PWD: password, SIGNATURE: signature });
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) pairs.set(name, value);
  return pairs.toString();
};

/** NVP answers 200 even to a failure, so any other status comes from something in between. */
const refusedByStatus = (status: number, since: string): NotExecuted | Unknown | undefined => {
  if (status === 200) return undefined;
  if (status === 429) return notExecuted('rateLimited', 'http-429');
  const ambiguous = status >= 500 || status === 408 || status < 300;
  return ambiguous ? unknown(since, `http-${status}`) : notExecuted('misconfigured', `http-${status}`);
};

const parseVerdict = (body: string): NvpVerdict | undefined => {
  const pairs = new URLSearchParams(body);
  const get = (name: string): string | undefined => pairs.get(name) ?? undefined;
  const ack = get('ACK');
  const success = ack === 'Success' || ack === 'SuccessWithWarning';
  if (!success && ack !== 'Failure' && ack !== 'FailureWithWarning') return undefined;
  return { kind: 'Verdict', success, get, code: firstCode(get, success), evidence: evidenceOf(get, success) };
};

type Get = (name: string) => string | undefined;

/** A failure may list warnings before its cause. */
const firstIndex = (get: Get, success: boolean): number => {
  for (let index = 0; get(`L_ERRORCODE${index}`) !== undefined; index++)
    if (success || get(`L_SEVERITYCODE${index}`) !== 'Warning') return index;
  return 0;
};

const firstCode = (get: Get, success: boolean): string | undefined => get(`L_ERRORCODE${firstIndex(get, success)}`);

const evidenceOf = (get: Get, success: boolean): Evidence => {
  const index = firstIndex(get, success);
  const code = get(`L_ERRORCODE${index}`);
  const message = get(`L_LONGMESSAGE${index}`) ?? get(`L_SHORTMESSAGE${index}`);
  const correlationId = get('CORRELATIONID');
  return { ...(code ? { code } : {}), ...(message ? { message } : {}), ...(correlationId ? { correlationId } : {}) };
};

export const notExecuted = (why: NotExecuted['why'], code: string): NotExecuted => ({
  kind: 'NotExecuted',
  why,
  evidence: { code },
});

export const unknown = (since: string, code: string): Unknown => ({ kind: 'Unknown', since, evidence: { code } });

/** Failures that come before the first byte of a request can leave. */
const BEFORE_SENDING = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

type Failure = {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
};

const isFailure = (value: unknown): value is Failure => typeof value === 'object' && value !== null;

/** By shape and not by class: an error may come from another realm, where `instanceof` is false. */
const causeOf = (error: unknown): Failure => {
  if (!isFailure(error)) return {};
  return isFailure(error.cause) ? error.cause : error;
};

const neverSent = (error: unknown): boolean => {
  const cause = causeOf(error);
  const each = Array.isArray(cause.errors) && cause.errors.length > 0 ? (cause.errors as readonly Failure[]) : [cause];
  return each.every((one) => BEFORE_SENDING.has(String(one.code)) || one.syscall === 'connect');
};

/** A code and never the message: messages of a client library may quote what was sent. */
const errorCode = (error: unknown): string => {
  const cause = causeOf(error);
  if (typeof cause.code === 'string') return cause.code;
  return typeof cause.name === 'string' ? cause.name : 'failed';
};
