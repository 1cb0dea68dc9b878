import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Dispatch, InnerRequest } from './dispatch';
import { inDialectOf } from './older-dialect';

/** A service that answers changes with 204, and reads with what was read. */
const between = async () => {
  const asked: string[] = [];
  const service: Dispatch = {
    forward: (exchange) => {
      exchange.response.writeHead(204).end();
      return Promise.resolve();
    },
    call: ({ method, path, body }: InnerRequest) => {
      asked.push(`${method} ${path} ${String(body ?? '')}`.trim());
      const isRead = method === 'GET';
      const headers = { 'content-type': 'application/json' };
      return Promise.resolve({ status: isRead ? 200 : 204, headers, body: Buffer.from(isRead ? '{"a":1}' : '') });
    },
  };
  const server = createServer((request, response) => {
    void inDialectOf({ request, response }, service).forward({ request, response }, request.headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const ask = async (method: string, path: string, version?: string) => {
    const headers = version === undefined ? {} : { 'x-killbill-api-version': version };
    const answer = await fetch(`${origin}/1.0/kb/${path}`, { method, headers, body: '{}' });
    return [answer.status, await answer.text()];
  };
  return { asked, ask, close: () => new Promise((resolve) => server.close(resolve)) };
};

describe('a client of Kill Bill before 0.20', () => {
  it.each([
    ['PUT', 'bundles/1/pause'],
    ['PUT', 'subscriptions/1/bcd'],
    ['DELETE', 'subscriptions/1?callCompletion=false'],
    ['DELETE', 'bundles/1/tags?tagList=1'],
  ])('gets 200 without a body of %s %s', async (method, path) => {
    const { ask, asked, close } = await between();
    expect([await ask(method, path, '0.18.15'), asked]).toEqual([[200, ''], [`${method} /1.0/kb/${path} {}`]]);
    await close();
  });

  it.each(['subscriptions/1', 'accounts/1'])('gets what it has changed of %s', async (path) => {
    const { ask, asked, close } = await between();
    expect(await ask('PUT', `${path}?callCompletion=false`, '0.18')).toEqual([200, '{"a":1}']);
    expect(asked).toEqual([`PUT /1.0/kb/${path}?callCompletion=false {}`, `GET /1.0/kb/${path}`]);
    await close();
  });

  it.each([undefined, '0.20', '0.24.1', 'old', '1.18'])('is not one that says %s', async (version) => {
    const { ask, close } = await between();
    expect(await ask('PUT', 'subscriptions/1', version)).toEqual([204, '']);
    await close();
  });
});
