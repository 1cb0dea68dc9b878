import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import type { Logger } from 'pino';
import { backOffMs, hasEnded, pause, unlessAborted } from '../back-off';
import type { Intake, IntakeMessage, IntakeOptions } from '../intake';
import type { Connection } from './connection';

export type IntakeParts = {
  readonly connection: Connection;
  /** Sets the names of one installation apart; empty: none. */
  readonly prefix: string;
  readonly logger: Logger;
  /** Ends as a crash would. */
  readonly signal: AbortSignal;
};

/** One channel takes messages and answers them, so that an answer is confirmed before its message is acknowledged. */
export const rabbitMqIntake =
  ({ connection, prefix, logger, signal: ended }: IntakeParts): Intake =>
  async (options) => {
    const signal = AbortSignal.any([options.signal, ended]);
    const names = { exchange: prefix + options.exchange, answers: prefix + options.answers };
    for (let failures = 0; !hasEnded(signal); failures += 1) {
      let channel: ConfirmChannel | null = null;
      try {
        channel = await unlessAborted(connection.model.createConfirmChannel(), signal, () => null);
        if (channel === null) return;
        await takeUntilLost(channel, { ...options, ...names, signal }, { ended, logger });
        failures = 0;
      } catch (error) {
        if (!hasEnded(signal) && connection.connected())
          logger.warn({ err: error, exchange: names.exchange }, 'intake lost, will be opened again');
      } finally {
        channel?.close().catch(() => undefined);
      }
      await pause(backOffMs(failures), signal);
    }
  };

const quorum = { 'x-queue-type': 'quorum' };
/** Each lost connection counts as a delivery; whether a message is any good is for `take` to say. */
const intakeArguments = { ...quorum, 'x-delivery-limit': 1_000_000 };
const answersMax = 100_000;

const declare = async (channel: ConfirmChannel, { exchange, answers }: IntakeOptions): Promise<void> => {
  await channel.assertExchange(exchange, 'topic', { durable: true });
  await channel.assertQueue(exchange, { durable: true, arguments: intakeArguments });
  await channel.bindQueue(exchange, exchange, '#');
  await channel.assertExchange(answers, 'topic', { durable: true });
  const bounded = { ...quorum, 'x-max-length': answersMax, 'x-overflow': 'drop-head' };
  await channel.assertQueue(answers, { durable: true, arguments: bounded });
  await channel.bindQueue(answers, answers, '#');
};

const takeUntilLost = async (
  channel: ConfirmChannel,
  options: IntakeOptions,
  { ended, logger }: Pick<IntakeParts, 'logger'> & { readonly ended: AbortSignal },
): Promise<void> => {
  const { exchange, prefetch, signal } = options;
  const running = new Set<Promise<void>>();
  const lost = new Promise<void>((resolve, reject) => {
    channel.on('error', reject);
    channel.on('close', () => resolve());
    channel.on('cancel', () => reject(new Error('cancelled by the broker')));
  });
  await declare(channel, options);
  await channel.prefetch(prefetch);
  const { consumerTag } = await channel.consume(exchange, (message) => {
    if (message === null) return;
    const work = takeOne(channel, message, options, logger).finally(() => running.delete(work));
    running.add(work);
  });
  await unlessAborted(lost, signal, () => undefined);
  if (!hasEnded(signal)) return;
  // An orderly end finishes what was begun; what is left goes to another process, or waits.
  await channel.cancel(consumerTag).catch(() => undefined);
  await unlessAborted(Promise.allSettled(running), ended, () => undefined);
};

const takeOne = async (
  channel: ConfirmChannel,
  message: ConsumeMessage,
  { answers, take, signal }: IntakeOptions,
  logger: Logger,
): Promise<void> => {
  try {
    const answer = await take(messageOf(message));
    if (answer !== null) await send(channel, { message, answers, body: Buffer.from(JSON.stringify(answer)) });
    channel.ack(message);
  } catch (error) {
    logger.warn({ err: error, redelivered: message.fields.redelivered }, 'message could not be taken, will come again');
    await pause(retryMs, signal);
    returned(channel, message);
  }
};

const retryMs = 1_000;

/** A channel that is closed has given back all its messages already. */
const returned = (channel: ConfirmChannel, message: ConsumeMessage): void => {
  try {
    channel.nack(message, false, true);
  } catch {
    // IllegalOperationError, which the channel's 'close' event says too.
  }
};

type Sending = { readonly message: ConsumeMessage; readonly answers: string; readonly body: Buffer };

const send = async (channel: ConfirmChannel, { message, answers, body }: Sending): Promise<void> => {
  const { properties, fields } = message;
  const options: Options.Publish = {
    persistent: true,
    contentType: 'application/json',
    ...(text(properties.correlationId) === null ? {} : { correlationId: String(properties.correlationId) }),
  };
  const publish = (exchange: string, routingKey: string): Promise<void> =>
    new Promise((resolve, reject) => {
      channel.publish(exchange, routingKey, body, options, (error: unknown) =>
        error ? reject(error instanceof Error ? error : new Error('the broker refused an answer')) : resolve(),
      );
    });
  const replyTo = text(properties.replyTo);
  await Promise.all([publish(answers, fields.routingKey), ...(replyTo === null ? [] : [publish('', replyTo)])]);
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const messageOf = ({ content, fields, properties }: ConsumeMessage): IntakeMessage => ({
  routingKey: fields.routingKey,
  content,
  contentType: text(properties.contentType) ?? 'application/json',
  headers: properties.headers ?? {},
  messageId: text(properties.messageId),
  correlationId: text(properties.correlationId),
});
