import type { InjectOptions } from 'fastify';
import { meteringUnderTest } from './metering-under-test';

// Answers are looked into by their fields; a wrong field is undefined, which no expectation takes.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Loose = any;

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The service with a tenant that has the units every tenant begins with. */
export const meteringWithTenant = async (now: string) => {
  const system = await meteringUnderTest(now);
  await system.facts.defineUnits(
    system.heard('accounts.tenant-created.v1', {
      tenantId: system.tenantId,
      apiKey: 'k',
      externalKey: 'k',
      useGlobalDefault: true,
    }),
  );
  await system.runtime.caughtUp();
  return system;
};

/** What a test asks of the service over HTTP; the service may be made later than this. */
export const overHttp = (system: () => Awaited<ReturnType<typeof meteringUnderTest>>) => {
  const json = async (method: Method, url: string, payload?: InjectOptions['payload'], headers = {}) => {
    const answer = await system().call({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      body: answer.body === '' ? undefined : answer.json(),
    };
  };
  return {
    json,
    record: (records: readonly unknown[], headers = {}) => json('POST', '/meter/record/json', [...records], headers),
    unit: (name: string, countingMethod: string, rules: readonly object[]) =>
      json('POST', '/meter/units', { name, countingMethod, rules }),
  };
};

/** Listens to a stream of events like a browser. `name`: a pattern of the events' names, when others are not to be seen. */
export const listenTo = async <Data>(url: string, headers: Record<string, string>, name = '.*') => {
  const ending = new AbortController();
  const answer = await fetch(url, { headers, signal: ending.signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const pattern = new RegExp(`id: (\\d+)\\nevent: (${name})\\ndata: (.*)\\n\\n`, 'g');
  let text = '';
  const events = () =>
    [...text.matchAll(pattern)].map(([, id, event, data]) => ({
      id: id!,
      event: event!,
      ...(JSON.parse(data!) as Data),
    }));
  return {
    type: answer.headers.get('content-type'),
    /** What has come once so many events have, or the stream has ended. */
    until: async (count: number) => {
      while (events().length < count) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
      }
      return events();
    },
    leave: () => ending.abort(),
  };
};
