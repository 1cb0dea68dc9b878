import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { currentLogContext } from './context';

/** Never on a line, wherever it stands in an object: what opens a door or identifies a card. */
const secretNames = [
  'password',
  'secret',
  'apiSecret',
  'authorization',
  'cookie',
  'card',
  'cardNumber',
  'cvc',
  'billingKey',
  'secretsKey',
  'innerSecret',
  'accessToken',
  'signature',
];

const redactedPaths = [
  ...secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  'headers["x-killbill-apisecret"]',
  'headers["x-billstream-inner"]',
];

export type LoggerChoices = {
  readonly service: string;
  /** trace, debug, info, warn, error or silent. */
  readonly level?: string;
  /** Lines for people instead of JSON; default: when standard output is a terminal. */
  readonly pretty?: boolean;
  /** Where lines go instead of standard output. */
  readonly destination?: DestinationStream;
};

const prettyTransport = {
  target: 'pino-pretty',
  options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', singleLine: true },
};

/**
 * One JSON line per event of interest, on standard output. The message is a constant text, the facts are fields; the
 * log context of the current request or message is on every line.
 */
export const createLogger = ({ service, level = 'info', pretty, destination }: LoggerChoices): Logger => {
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => ({ ...currentLogContext() }),
    redact: { paths: redactedPaths, censor: '[redacted]' },
  };
  if (destination) return pino(options, destination);
  if (pretty ?? process.stdout.isTTY) return pino({ ...options, formatters: {}, transport: prettyTransport });
  return pino(options, pino.destination({ fd: 1, sync: false }));
};

/** Writes no lines: for tests that look at outcomes. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
