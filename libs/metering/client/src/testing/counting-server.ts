import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { MeteringClientOptions } from '../options';

export type SentRecord = { unit: string; user: string; id: string; source: string; time: number; amount?: number };

/** A limit as `GET /v1/users/{user}/limits` names it. */
export type ServedLimit = {
  unit: string;
  state: 'LIMITED' | 'RELEASED';
  exhausted: boolean;
  current: string;
  limit: string;
  remaining: string;
  resetAt: string | null;
  changedAt: string | null;
};

type Refusal = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

/** What the API promises of usage and limits, over HTTP, with the faults that a test asks for. */
export const countingServer = async () => {
  const counted = new Map<string, SentRecord>();
  const batches: number[] = [];
  const limits = new Map<string, ServedLimit[]>();
  const listeners = new Set<ServerResponse>();
  const lastEventIds: (string | undefined)[] = [];
  const faults: {
    /** Answers instead of the server's own; null: its own. */
    usage: (records: readonly SentRecord[], request: IncomingMessage) => Refusal | 'CUT' | null;
    /** Records that are rejected one by one. */
    isRejected: (record: SentRecord) => boolean;
    limits: () => Refusal | 'SILENT' | null;
    events: () => Refusal | null;
  } = { usage: () => null, isRejected: () => false, limits: () => null, events: () => null };
  let limitRequests = 0;
  const answer = (response: ServerResponse, { status, body = {}, headers = {} }: Refusal): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const takeUsage = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const records = JSON.parse(await bodyOf(request)) as SentRecord[];
    const fault = faults.usage(records, request);
    if (fault === 'CUT') {
      request.socket.destroy();
      return;
    }
    if (fault !== null) {
      answer(response, fault);
      return;
    }
    const before = counted.size;
    const rejected: object[] = [];
    records.forEach((record, index) => {
      if (faults.isRejected(record)) rejected.push({ index, field: 'amount', code: 'negative', message: 'no' });
      else counted.set(`${record.source} ${record.id}`, counted.get(`${record.source} ${record.id}`) ?? record);
    });
    batches.push(records.length);
    const accepted = counted.size - before;
    const duplicates = records.length - rejected.length - accepted;
    answer(response, { status: 202, body: { accepted, duplicates, rejected, deduplicated: true } });
  };
  const serveLimits = (user: string, response: ServerResponse): void => {
    limitRequests += 1;
    const fault = faults.limits();
    if (fault === 'SILENT') return;
    const served = { user, at: new Date().toISOString(), freshness: { position: '1', ageMs: 0 }, next: null };
    answer(response, fault ?? { status: 200, body: { ...served, limits: limits.get(user) ?? [] } });
  };
  const serveEvents = (request: IncomingMessage, response: ServerResponse): void => {
    const fault = faults.events();
    if (fault !== null) {
      answer(response, fault);
      return;
    }
    lastEventIds.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 2000\n\n');
    listeners.add(response);
    response.on('close', () => listeners.delete(response));
  };
  const server = createServer((request, response) => {
    const [, user] = /^\/v1\/users\/([^/]+)\/limits/.exec(request.url ?? '') ?? [];
    if (request.url === '/v1/usage/events') void takeUsage(request, response);
    else if (request.url === '/v1/limits/events') serveEvents(request, response);
    else serveLimits(decodeURIComponent(user ?? ''), response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Records by source and id, as they came first. */
    counted,
    /** Sizes of the batches that were taken. */
    batches,
    limits,
    faults,
    listeners,
    lastEventIds,
    limitRequests: () => limitRequests,
    tell: (id: number, data: object): void => {
      for (const listener of listeners) listener.write(`id: ${id}\nevent: change\ndata: ${JSON.stringify(data)}\n\n`);
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
};

export const newFolder = (): string => mkdtempSync(path.join(os.tmpdir(), 'metering-client-'));

/** Options of a client that loses no time. */
export const quickOptions = (url: string, directory = newFolder()): MeteringClientOptions => ({
  ...{ url, directory },
  credentials: { user: 'u', password: 'p', apiKey: 'k', apiSecret: 's' },
  shipping: { lingerMs: 0, retryMs: 5, retryMaxMs: 20 },
});
