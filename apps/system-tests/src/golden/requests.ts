import type { Answer, Client } from '../../../../tools/day/client';

/** The server did not take a request. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    request: string,
    readonly answer: Answer,
  ) {
    super(`${request} answered ${String(answer.status)} ${answer.text.slice(0, 400)}`);
  }

  /** Kill Bill's number of the error, when the answer gives one. */
  get code(): number | null {
    try {
      const code: unknown = this.answer.json<{ code?: unknown } | null>()?.code;
      return typeof code === 'number' ? code : null;
    } catch {
      return null;
    }
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export type Request = { readonly query?: Query; readonly body?: unknown; readonly type?: string };

export type Requests = {
  /** Throws a Refusal unless the status is a 2xx. */
  send(method: string, path: string, request?: Request): Promise<Answer>;
  get<T>(path: string, query?: Query): Promise<T>;
  /** What a POST made: its Location is asked for it. Null where the answer names none. */
  created<T>(answer: Answer): Promise<T | null>;
};

/** A path below `/1.0/kb`, or one that starts with `/plugins`. */
const addressOf = (path: string, query: Query = {}): string => {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const text = new URLSearchParams(given).toString();
  return `${path.startsWith('/plugins/') ? '' : '/1.0/kb'}${path}${text === '' ? '' : `?${text}`}`;
};

export const requestsOf = (api: Client): Requests => {
  const send = async (method: string, path: string, { query, body, type }: Request = {}): Promise<Answer> => {
    const address = addressOf(path, query);
    const answer = await api.ask(method, address, {
      timeoutMs: 90_000,
      ...(body === undefined ? {} : { body }),
      ...(type === undefined ? {} : { type }),
    });
    if (answer.status < 200 || answer.status > 299) throw new Refusal(`${method} ${address}`, answer);
    return answer;
  };
  return {
    send,
    get: async <T>(path: string, query?: Query) =>
      (await send('GET', path, query === undefined ? {} : { query })).json<T>(),
    created: async <T>(answer: Answer) => {
      const location = answer.headers.get('location');
      if (location === null) return null;
      const { pathname, search } = new URL(location);
      return (await api.expect(200, 'GET', `${pathname}${search}`)).json<T>();
    },
  };
};
