import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Journal } from './emulator-journal';
import { changeOf, type Store } from './emulator-store';
import type { Fault, FaultPlan } from './fault-plan';
import { html, json, notFound, type Answer, type EmulatorRequest } from './http-answer';
import type { Face, Forced, ProviderCall } from './provider-face';

export type Log = (line: Readonly<Record<string, unknown>>) => void;

export type RequestNote = {
  readonly at: string;
  readonly provider: string;
  readonly operation: string;
  readonly invoiceRef?: string | undefined;
  readonly operationKey?: string | undefined;
  readonly fault?: string | undefined;
};

export type ServerParts = {
  readonly faces: readonly Face[];
  readonly control: (request: EmulatorRequest, origin: string | undefined) => Answer;
  readonly faults: FaultPlan;
  readonly store: Store;
  readonly journal: () => Journal;
  readonly note: (note: Omit<RequestNote, 'at'>) => void;
  readonly log: Log;
};

const BODY_BYTES_MAX = 1 << 20;
const PROVIDER_EFFECTS: ReadonlySet<string> = new Set(['fail', 'decline', 'pending', 'rate-limit']);
const TOO_LARGE: Answer = json({ error: 'body-too-large' }, 413);
const BROKEN: Answer = html('<html><body><h1>500 Internal Server Error</h1></body></html>\n', 500);

export const createProviderServer = (parts: ServerParts): Server => {
  const running = new Set<string>();
  return createServer((request, response) => {
    serve(parts, running, { request, response }).catch((error: unknown) => {
      parts.log({ event: 'request-failed', reason: error instanceof Error ? error.message : String(error) });
      // No verdict is better than a wrong one: the journal may not hold what this request did.
      response.destroy();
    });
  });
};

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

const serve = async (parts: ServerParts, running: Set<string>, exchange: Exchange): Promise<void> => {
  const incoming = await read(exchange.request);
  const route = incoming ? routeOf(parts, incoming, exchange.request.headers.origin) : TOO_LARGE;
  if ('call' in route) {
    await play(parts, running, { ...exchange, ...route });
    return;
  }
  await parts.journal().flushed();
  send(exchange, route);
};

type Route = Answer | { readonly provider: string; readonly call: ProviderCall };

const routeOf = (parts: ServerParts, incoming: EmulatorRequest, origin: string | undefined): Route => {
  if (incoming.path === '/health') return json({ status: 'ok' });
  if (incoming.path.startsWith('/control/')) return parts.control(incoming, origin);
  const face = parts.faces.find((candidate) => candidate.owns(incoming.path));
  if (!face) return notFound();
  const page = face.page(incoming);
  if (page) return page;
  const call = face.call(incoming);
  return call ? { provider: face.name, call } : notFound();
};

type Play = Exchange & { readonly provider: string; readonly call: ProviderCall };

const play = async (parts: ServerParts, running: Set<string>, { provider, call, ...exchange }: Play): Promise<void> => {
  const { operation, invoiceRef, operationKey, lock } = call;
  const fault = take(parts, provider, call);
  parts.note({ provider, operation, invoiceRef, operationKey, fault: fault?.effect });
  const answer = lock && running.has(lock) ? call.inProgress() : await execute(running, call, fault);
  await parts.journal().flushed();
  parts.log({ event: 'answered', provider, operation, invoiceRef, fault: fault?.effect });
  if (fault) await breakAnswer(exchange, fault, answer);
  else send(exchange, answer);
};

const execute = async (running: Set<string>, call: ProviderCall, fault: Fault | undefined): Promise<Answer> => {
  if (fault?.effect.endsWith('-before')) return BROKEN;
  if (call.lock) running.add(call.lock);
  try {
    if (fault?.effect === 'delay') await wait(fault.delayMs ?? 1000);
    const answer = call.run(forcedBy(fault));
    return fault?.effect === 'duplicate' ? call.run() : answer;
  } finally {
    if (call.lock) running.delete(call.lock);
  }
};

const take = ({ faults, store }: ServerParts, provider: string, call: ProviderCall): Fault | undefined => {
  const { operation, invoiceRef, credential } = call;
  const fault = faults.match({ provider, operation, invoiceRef, credential });
  if (!fault) return undefined;
  store.commit(changeOf(faults, { type: 'met', id: fault.id }));
  return fault.skip > 0 ? undefined : fault;
};

const forcedBy = (fault: Fault | undefined): Forced | undefined =>
  fault && PROVIDER_EFFECTS.has(fault.effect)
    ? { effect: fault.effect as Forced['effect'], ...(fault.code ? { code: fault.code } : {}) }
    : undefined;

const breakAnswer = async (exchange: Exchange, { effect, delayMs }: Fault, answer: Answer): Promise<void> => {
  if (effect === 'timeout' || effect === 'timeout-before') return hold(exchange, delayMs);
  if (effect === 'reset') return cut(exchange, answer);
  if (effect === 'reset-before') exchange.request.socket.resetAndDestroy();
  else send(exchange, effect === 'error-500' ? BROKEN : answer);
};

/** Says nothing until the client gives up; with `delayMs` the line then drops, as a proxy would do it. */
const hold = async ({ request, response }: Exchange, delayMs: number | undefined): Promise<void> => {
  if (request.socket.destroyed) return;
  const gone = new Promise<void>((done) => response.once('close', done));
  if (delayMs === undefined) return gone;
  await Promise.race([gone, wait(delayMs)]);
  response.destroy();
};

/** Promises the whole length, sends half, and resets: the status line says 200, the body never ends. */
const cut = ({ request, response }: Exchange, { status, headers, body }: Answer): Promise<void> =>
  new Promise((done) => {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.write(body.slice(0, Math.floor(body.length / 2)), () => {
      // A reset that overtakes the data would look like `reset-before` to the client.
      setTimeout(() => {
        request.socket.resetAndDestroy();
        done();
      }, 20);
    });
  });

const send = ({ response }: Exchange, { status, headers, body }: Answer): void => {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
};

const read = async (request: IncomingMessage): Promise<EmulatorRequest | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  const [path = '/', query = ''] = splitAtFirst(request.url ?? '/', '?');
  return {
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    body: Buffer.concat(chunks).toString('utf8'),
  };
};

const splitAtFirst = (text: string, mark: string): readonly string[] => {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};
