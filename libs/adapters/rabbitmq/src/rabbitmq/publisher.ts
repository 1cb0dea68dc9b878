import type { ConfirmChannel, Options } from 'amqplib';
import type { Logger } from 'pino';
import { pause, unlessAborted } from '../back-off';
import { PublishFailed } from '../bus';
import { asError } from '../failures';
import type { Report } from '../measures';
import type { Connection } from './connection';

export type Frame = { readonly routingKey: string; readonly body: Buffer; readonly options: Options.Publish };

export type Publisher = {
  /** In order, pipelined; resolves when the broker has confirmed every one of them. */
  readonly send: (exchange: string, frames: readonly Frame[]) => Promise<void>;
};

type Parts = {
  readonly connection: Connection;
  readonly declare: (channel: ConfirmChannel) => Promise<void>;
  readonly report: Report;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly confirmTimeoutMs: number;
};

/** Unconfirmed messages at a time: enough to keep the broker's disk busy, little enough to stay out of its flow control. */
const inFlightMax = 1_000;

/**
 * One confirm channel at a time. Whatever goes wrong with one message (nack, return, channel or connection lost, no
 * answer) fails the whole call and throws the channel away: only sending all of them again keeps the order.
 */
export const publisher = ({ connection, declare, report, logger, signal, confirmTimeoutMs }: Parts): Publisher => {
  let current: Promise<ConfirmChannel> | null = null;

  const open = async (): Promise<ConfirmChannel> => {
    const channel = await connection.model.createConfirmChannel();
    channel.on('error', (error) => logger.warn({ err: error }, 'publishing channel failed'));
    await declare(channel);
    return channel;
  };

  const channelOf = (): Promise<ConfirmChannel> => {
    if (current) return current;
    const opening = open();
    const forget = (): void => {
      if (current === opening) current = null;
    };
    opening.then((channel) => channel.on('close', forget), forget);
    current = opening;
    return opening;
  };

  const unblocked = async (): Promise<void> => {
    while (connection.connected() && !connection.usable() && (await pause(100, signal)));
  };

  return {
    send: async (exchange, frames) => {
      if (frames.length === 0) return;
      const channel = await unlessAborted(channelOf(), signal, () => {
        throw new PublishFailed('the bus was closed');
      });
      await unblocked();
      const started = performance.now();
      report({ kind: 'published', messages: frames.length });
      try {
        await sendAll({ channel, exchange, frames, report, usable: connection.usable, confirmTimeoutMs, signal });
        report({ kind: 'confirmed', messages: frames.length, ms: performance.now() - started });
      } catch (error) {
        report({ kind: 'publish-failed' });
        current = null;
        channel.close().catch(() => undefined);
        throw error;
      }
    },
  };
};

type Sending = {
  readonly channel: ConfirmChannel;
  readonly exchange: string;
  readonly frames: readonly Frame[];
  readonly report: Report;
  readonly usable: () => boolean;
  readonly confirmTimeoutMs: number;
  readonly signal: AbortSignal;
};

const sendAll = ({ channel, exchange, frames, report, usable, confirmTimeoutMs, signal }: Sending): Promise<void> =>
  new Promise((resolve, reject) => {
    let sent = 0;
    let confirmed = 0;
    let progressAt = Date.now();

    const finish = (error: Error | null): void => {
      clearInterval(watchdog);
      channel.off('return', returned);
      signal.removeEventListener('abort', closed);
      if (error) reject(error);
      else resolve();
    };
    // The broker confirms what it could not route, too, and sends the return first.
    const returned = (): void => {
      report({ kind: 'returned', messages: 1 });
      finish(new PublishFailed('the broker returned a message: neither a queue nor the alternate exchange took it'));
    };
    const closed = (): void => finish(new PublishFailed('the bus was closed'));
    const watchdog = setInterval(
      () => {
        if (!usable()) progressAt = Date.now();
        else if (Date.now() - progressAt > confirmTimeoutMs) finish(new PublishFailed('the broker does not confirm'));
      },
      Math.min(1_000, confirmTimeoutMs),
    );

    const confirm = (error: unknown): void => {
      if (error) {
        finish(new PublishFailed('a message was not confirmed', { cause: asError(error) }));
        return;
      }
      confirmed += 1;
      progressAt = Date.now();
      if (confirmed === frames.length) finish(null);
      else pump();
    };
    const pump = (): void => {
      try {
        for (let frame = frames[sent]; frame && sent - confirmed < inFlightMax; frame = frames[sent]) {
          sent += 1;
          channel.publish(exchange, frame.routingKey, frame.body, { ...frame.options, mandatory: true }, confirm);
        }
      } catch (error) {
        finish(new PublishFailed('a message could not be sent', { cause: asError(error) }));
      }
    };
    channel.on('return', returned);
    signal.addEventListener('abort', closed, { once: true });
    pump();
  });
