import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type TcpProxy = {
  readonly port: number;
  /** Breaks every connection that is open now, without a word in either direction; new ones are taken. */
  cut(): void;
  /** Breaks every connection and refuses new ones for a time. */
  refuse(ms: number): Promise<void>;
  close(): Promise<void>;
};

/** Stands between a client and a server on this machine, so that a test can break their connection. */
export const tcpProxy = async ({
  targetPort,
  targetHost = '127.0.0.1',
}: {
  readonly targetPort: number;
  readonly targetHost?: string;
}): Promise<TcpProxy> => {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const open = (port: number) => {
    const server = createServer((client) => {
      const upstream = track(connect(targetPort, targetHost));
      track(client).pipe(upstream).pipe(client);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    });
    server.listen(port, '127.0.0.1');
    return server;
  };
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  let server = open(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cut,
    refuse: async (ms) => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
      await new Promise((resolve) => setTimeout(resolve, ms));
      server = open(port);
      await once(server, 'listening');
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
};
