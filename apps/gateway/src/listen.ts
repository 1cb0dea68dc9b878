import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GatewayParts, gatewayHandler } from './gateway';

export type Gateway = {
  /** Ports in the order asked for; where 0 was asked for, the one given. */
  readonly ports: readonly number[];
  /** Stops taking connections and resolves when those that are open have been answered. */
  close(): Promise<void>;
};

export type ListenOptions = GatewayParts & {
  readonly host: string;
  /** PORT, and KILLBILL_PORT when it is set: the same API on each. */
  readonly ports: readonly number[];
};

const headerBytesMax = 16 * 1024;

/** Opens the public face. Rejects with a message for people when a port is taken. */
export const startGateway = async ({ host, ports, ...parts }: ListenOptions): Promise<Gateway> => {
  const handler = gatewayHandler(parts);
  const servers: Server[] = [];
  const open = new Set<ServerResponse>();
  const close = async (): Promise<void> => {
    const closing = servers.map(closed);
    for (const response of open) if (isEndless(response)) response.destroy();
    await Promise.all(closing);
  };
  try {
    for (const port of new Set(ports)) {
      const server = createServer(
        { maxHeaderSize: headerBytesMax, headersTimeout: 10_000, requestTimeout: 120_000, keepAliveTimeout: 65_000 },
        (request, response) => {
          open.add(response);
          response.once('close', () => open.delete(response));
          handler(request, response);
        },
      );
      await listening(server, host, port);
      servers.push(server);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { ports: servers.map(portOf), close };
};

/** Server-sent events end when one side leaves; who listens knows how to come back. */
const isEndless = (response: ServerResponse): boolean =>
  String(response.getHeader('content-type')).startsWith('text/event-stream');

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} on ${host} is taken by another program: stop it, or set PORT (or KILLBILL_PORT) to a free one`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });

/** A connection that was busy at the time is idle only later, and a client would keep it open for a minute. */
const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const sweeping = setInterval(() => {
      server.closeIdleConnections();
    }, 50);
    server.close(() => {
      clearInterval(sweeping);
      resolve();
    });
    server.closeIdleConnections();
  });

const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null;
const portOf = (server: Server): number => {
  const address = server.address();
  return isAddress(address) ? address.port : 0;
};
