import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Api } from './billstream-api';
import { eventReader } from './server-sent-events';

/** A change of status as the server tells it. Amounts are exact decimals, as text. */
export type LimitChange = {
  readonly user: string;
  readonly unit: string;
  readonly to: 'LIMITED' | 'RELEASED';
  readonly current: string;
  readonly limit: string | null;
  readonly at: string;
  readonly resetAt: string | null;
};

/** One connection to the stream of changes. What it brings is complete from its beginning to `heardAtMs`. */
export type Connection = { heardAtMs: number; isOpen: boolean };

export type LimitStream = {
  /** The connection that is open now; null: there is none. */
  current(): Connection | null;
  stop(): void;
};

export type LimitStreamParts = {
  readonly api: Api;
  readonly onChange: (change: LimitChange) => void;
  readonly onError: (error: Error) => void;
};

const path = '/v1/limits/events';
/** The server says something every 15 seconds: three of them missed, and nobody is there. */
const silenceMaxMs = 45_000;
const retryMs = 1_000;
const retryMaxMs = 30_000;

/**
 * Listens to the changes of all users of the tenant, and connects again whenever that ends, from the last change that it
 * heard of on. It does not keep the process alive.
 */
export const listenToLimits = ({ api, onChange, onError }: LimitStreamParts): LimitStream => {
  let connection: Connection | null = null;
  let request: ClientRequest | null = null;
  let lastId = '';
  let failures = 0;
  let isStopped = false;
  const again = (error: Error): void => {
    if (connection !== null) connection.isOpen = false;
    connection = null;
    if (isStopped) return;
    failures += 1;
    onError(error);
    const waitMs = Math.min(retryMaxMs, retryMs * 2 ** Math.min(failures - 1, 10));
    setTimeout(connect, waitMs / 2 + (Math.random() * waitMs) / 2).unref();
  };
  const connect = (): void => {
    if (isStopped) return;
    request = openStream(api, lastId, {
      opened: () => {
        failures = 0;
        connection = { heardAtMs: Date.now(), isOpen: true };
      },
      heard: (id, change) => {
        if (connection !== null) connection.heardAtMs = Date.now();
        if (id === null || change === null) return;
        lastId = id;
        onChange(change);
      },
      ended: again,
    });
  };
  connect();
  return {
    current: () => connection,
    stop: () => {
      isStopped = true;
      request?.destroy();
    },
  };
};

type Listener = {
  readonly opened: () => void;
  /** A change; or nulls: a sign of life. */
  readonly heard: (id: string | null, change: LimitChange | null) => void;
  /** Called once. */
  readonly ended: (error: Error) => void;
};

const openStream = (api: Api, lastId: string, listener: Listener): ClientRequest => {
  const url = new URL(`${api.url}${path}`);
  const headers = {
    ...api.headers,
    accept: 'text/event-stream',
    ...(lastId === '' ? {} : { 'last-event-id': lastId }),
  };
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { headers, agent: false });
  let isEnded = false;
  const end = (error: Error): void => {
    if (isEnded) return;
    isEnded = true;
    request.destroy();
    listener.ended(error);
  };
  request.on('socket', (socket) => socket.unref());
  request.setTimeout(silenceMaxMs, () => end(new Error(`${path} has been silent for ${silenceMaxMs} ms`)));
  request.on('error', end);
  request.on('close', () => end(new Error(`${path} ended`)));
  request.on('response', (answer) => {
    if (answer.statusCode !== 200) {
      answer.resume();
      end(new Error(`${path} answered ${String(answer.statusCode)}`));
      return;
    }
    const read = eventReader();
    answer.setEncoding('utf8');
    listener.opened();
    answer.on('error', end);
    answer.on('data', (text: string) => {
      listener.heard(null, null);
      for (const { id, data } of read(text)) listener.heard(id, changeIn(data));
    });
  });
  request.end();
  return request;
};

/** Null: something that a later server tells and this client does not know. */
const changeIn = (data: string): LimitChange | null => {
  try {
    const change = JSON.parse(data) as LimitChange;
    return ['LIMITED', 'RELEASED'].includes(change.to) ? change : null;
  } catch {
    return null;
  }
};
