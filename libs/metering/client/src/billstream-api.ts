import type { Credentials } from './options';

/** What became of a request: an answer, or why there is none. */
export type Answered =
  | { readonly kind: 'ANSWERED'; readonly status: number; readonly body: unknown; readonly retryAfterMs: number | null }
  | { readonly kind: 'FAILED'; readonly error: Error };

export type Api = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  get(path: string, timeoutMs: number): Promise<Answered>;
  /** `json`: a body that is JSON already. */
  post(path: string, json: string, timeoutMs: number): Promise<Answered>;
  /** Ends all requests that are under way, and those that come. */
  end(): void;
};

export const billstreamApi = (url: string, { user, password, apiKey, apiSecret }: Credentials): Api => {
  const ending = new AbortController();
  const headers = {
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    'x-killbill-apikey': apiKey,
    'x-killbill-apisecret': apiSecret,
  };
  const ask = async (path: string, init: RequestInit, timeoutMs: number): Promise<Answered> => {
    try {
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(timeoutMs)]);
      const answer = await fetch(`${url}${path}`, { ...init, signal, redirect: 'error' });
      const text = await answer.text();
      const retryAfterMs = waitAskedFor(answer.headers.get('retry-after'));
      return { kind: 'ANSWERED', status: answer.status, body: parsed(text), retryAfterMs };
    } catch (error) {
      return { kind: 'FAILED', error: asError(error) };
    }
  };
  return {
    ...{ url, headers },
    get: (path, timeoutMs) => ask(path, { headers }, timeoutMs),
    post: (path, json, timeoutMs) =>
      ask(path, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: json }, timeoutMs),
    end: () => ending.abort(),
  };
};

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Null: it is no JSON, as the page of a proxy is none. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

const waitAskedFor = (text: string | null): number | null =>
  text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : null;
