import { Pool } from 'undici';
import type { World } from './world';

export type Answer = { readonly status: number; readonly location: string; readonly text: string };

/** Keep-alive connections to a world's public face, one request at a time on each. */
export const callerOf = (world: Pick<World, 'url' | 'headers'>, connections: number) => {
  const pool = new Pool(world.url, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
  const ask = async (method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> => {
    const headers = body === undefined ? world.headers : { ...world.headers, 'content-type': 'application/json' };
    const answer = await pool.request({ method, path, headers, body: body ?? null });
    const { location } = answer.headers;
    return {
      status: answer.statusCode,
      location: typeof location === 'string' ? location : '',
      text: await answer.body.text(),
    };
  };
  return {
    expect: async (status: number, method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> => {
      const answer = await ask(method, path, body);
      if (answer.status !== status)
        throw new Error(`${method} ${path}: expected ${status}, got ${answer.status}: ${answer.text.slice(0, 400)}`);
      return answer;
    },
    close: () => pool.close(),
  };
};

export type Caller = ReturnType<typeof callerOf>;
