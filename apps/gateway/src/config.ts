import { generousLimits, type RateLimits } from './rate-limit';
import type { ContextName } from '@billstream/service-runtime';

/** What a gateway in a process of its own is told by its environment. */
export type GatewayConfig = {
  readonly host: string;
  readonly ports: readonly number[];
  /** Base URL of each service, e.g. http://accounts:3001. */
  readonly services: Readonly<Record<ContextName, string>>;
  readonly innerSecret: string;
  readonly testClock: boolean;
  readonly limits: RateLimits | null;
  readonly logLevel: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

const secretLengthMin = 16;

/** Reads the environment once and names all that is wrong with it together. */
export const gatewayConfig = (environment: Environment): GatewayConfig => {
  const problems: string[] = [];
  const url = (name: string): string => {
    const text = environment[name] ?? '';
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
      problems.push(`${name} must be the http URL of a service`);
    return text;
  };
  const port = (name: string, text: string): number => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < 0 || number > 65_535) problems.push(`${name} must be a port`);
    return number;
  };
  const { HOST, PORT, KILLBILL_PORT, INNER_SECRET, TEST_CLOCK, RATE_LIMITS, LOG_LEVEL } = environment;
  const config: GatewayConfig = {
    host: HOST ?? '0.0.0.0',
    ports: [
      port('PORT', PORT ?? '8080'),
      ...(KILLBILL_PORT === undefined ? [] : [port('KILLBILL_PORT', KILLBILL_PORT)]),
    ],
    services: {
      accounts: url('ACCOUNTS_URL'),
      subscriptions: url('SUBSCRIPTIONS_URL'),
      metering: url('METERING_URL'),
      invoicing: url('INVOICING_URL'),
      payments: url('PAYMENTS_URL'),
    },
    innerSecret: INNER_SECRET ?? '',
    testClock: TEST_CLOCK === '1',
    limits: RATE_LIMITS === 'off' ? null : generousLimits,
    logLevel: LOG_LEVEL ?? 'info',
  };
  if (config.innerSecret.length < secretLengthMin)
    problems.push(`INNER_SECRET must have at least ${secretLengthMin} characters`);
  if (problems.length > 0)
    throw new Error(`The gateway cannot start:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
  return config;
};
