/** A client as a user of the API would write it: fetch, the guide's headers, and patience when asked for. */
export type Target = {
  readonly url: string;
  readonly emulatorUrl: string;
  readonly user: string;
  readonly password: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Repeats what was not answered (no connection, 408, 429, 5xx) until then: for runs in which services are killed. 0: never. */
  readonly patienceMs: number;
  /** How long one request may take unless it says otherwise; 30 s when left out. */
  readonly timeoutMs?: number;
};

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  json<T = unknown>(): T;
};

export type Ask = {
  readonly body?: unknown;
  readonly type?: string;
  /** Makes a repeated write the same write. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
};

export class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const worthRepeating = (status: number): boolean => status === 408 || status === 429 || status >= 500;

export const client = (target: Target) => {
  const headersOf = (ask: Ask): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(`${target.user}:${target.password}`).toString('base64')}`,
    'X-Killbill-ApiKey': target.apiKey,
    'X-Killbill-ApiSecret': target.apiSecret,
    'X-Killbill-CreatedBy': 'demo',
    Accept: 'application/json',
    ...(ask.body === undefined ? {} : { 'Content-Type': ask.type ?? 'application/json' }),
    ...(ask.key === undefined ? {} : { 'Idempotency-Key': ask.key }),
    ...ask.headers,
  });
  const once = async (method: string, path: string, ask: Ask): Promise<Answer> => {
    const response = await fetch(path.startsWith('http') ? path : `${target.url}${path}`, {
      method,
      redirect: 'manual',
      headers: headersOf(ask),
      signal: AbortSignal.timeout(ask.timeoutMs ?? target.timeoutMs ?? 30_000),
      ...(ask.body === undefined ? {} : { body: typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
  };
  const ask = async (method: string, path: string, options: Ask = {}): Promise<Answer> => {
    const deadline = Date.now() + target.patienceMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(1_000, pauseMs * 2)) {
      try {
        const answer = await once(method, path, options);
        if (!worthRepeating(answer.status) || Date.now() >= deadline) return answer;
      } catch (error) {
        if (Date.now() >= deadline) throw error;
      }
      await wait(pauseMs);
    }
  };
  return {
    ask,
    /** Asks, and throws with the whole answer when the status is another one. */
    expect: async (status: number, method: string, path: string, options: Ask = {}): Promise<Answer> => {
      const answer = await ask(method, path, options);
      if (answer.status !== status)
        throw new Unexpected(
          `${method} ${path}: expected ${status}, got ${answer.status}: ${answer.text.slice(0, 600)}`,
        );
      return answer;
    },
    /** Asks again until the answer satisfies, for what other services learn a moment later. */
    until: async <T>(path: string, satisfied: (body: T) => boolean, deadlineMs = 15_000): Promise<T> => {
      const deadline = Date.now() + deadlineMs + target.patienceMs;
      for (;;) {
        const answer = await ask('GET', path);
        if (answer.status === 200 && satisfied(answer.json<T>())) return answer.json<T>();
        if (Date.now() > deadline)
          throw new Unexpected(
            `GET ${path} did not become as expected in time: ${answer.status} ${answer.text.slice(0, 600)}`,
          );
        await wait(50);
      }
    },
  };
};

export type Client = ReturnType<typeof client>;

/** The id at the end of a Location header. */
export const idIn = (answer: Answer): string => {
  const location = answer.headers.get('location');
  const id = location?.split('?')[0]?.split('/').at(-1);
  if (id === undefined || !/^https?:\/\//.test(location ?? ''))
    throw new Unexpected(`no absolute Location: ${location}`);
  return id;
};
