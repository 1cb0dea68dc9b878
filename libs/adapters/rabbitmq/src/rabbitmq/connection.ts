import { connect, type RecoveringChannelModel } from 'amqplib';
import type { Logger } from 'pino';

export type Connection = {
  readonly model: RecoveringChannelModel;
  /** Reachable, and not blocked by an alarm of the broker (memory, disk). */
  readonly usable: () => boolean;
  readonly connected: () => boolean;
  readonly close: () => Promise<void>;
};

const heartbeatSeconds = 10;

/** A dead network is noticed within two heartbeats; the broker's own 60 s would be two minutes. */
const withHeartbeat = (url: string): string => {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(heartbeatSeconds));
  return parsed.toString();
};

/** Comes back by itself for ever; logs a change of state, not each attempt. */
export const openConnection = async (url: string, purpose: string, logger: Logger): Promise<Connection> => {
  let connected = false;
  let blocked = false;
  let lostAt: number | null = null;
  const lost = (error: unknown): void => {
    connected = false;
    if (lostAt !== null) return;
    lostAt = Date.now();
    logger.warn({ purpose, err: error }, 'broker lost');
  };
  const model = await connect(withHeartbeat(url), {
    timeout: 10_000,
    noDelay: true,
    clientProperties: { connection_name: purpose },
    recovery: { initialDelay: 100, maxDelay: 5_000, waitForConnect: false },
  });
  model.on('connect', () => {
    connected = true;
    blocked = false;
    if (lostAt !== null) logger.info({ purpose, afterMs: Date.now() - lostAt }, 'broker back');
    lostAt = null;
  });
  model.on('disconnect', lost);
  model.on('connect-failed', lost);
  model.on('error', () => undefined); // Told by 'disconnect' too; without a listener it would end the process.
  model.on('blocked', (reason) => {
    blocked = true;
    logger.warn({ purpose, reason }, 'broker takes no messages for now');
  });
  model.on('unblocked', () => {
    blocked = false;
    logger.info({ purpose }, 'broker takes messages again');
  });
  return {
    model,
    usable: () => connected && !blocked,
    connected: () => connected,
    close: () => model.close().catch(() => undefined),
  };
};
