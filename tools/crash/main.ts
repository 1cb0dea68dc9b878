/**
 * `npm run test:crash`: plays the day for many accounts while processes are killed and connections cut, then holds the
 * result against an oracle. `--mode services` (the default where DATABASE_URL and RABBITMQ_URL are set) plays on every
 * service as a process of its own, `--mode standalone` on `npm start`. Exit status 0: everything is as it must be.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isGood, linesOf } from './report';
import { type CrashOptions, crashRun } from './run';

const given = (name: string): string | null =>
  process.env[name] === undefined || process.env[name] === '' ? null : process.env[name];

const whole = (text: string, option: string): number => {
  if (!/^\d+$/.test(text)) throw new Error(`--${option} is a whole number`);
  return Number(text);
};

const optionsOf = (args: readonly string[]): CrashOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      accounts: { type: 'string', default: '200' },
      kills: { type: 'string', default: '100' },
      cuts: { type: 'string', default: '50' },
      seed: { type: 'string', default: randomBytes(4).toString('hex') },
      mode: { type: 'string' },
      'gap-ms': { type: 'string', default: '3000' },
      negative: { type: 'boolean', default: false },
      'keep-logs': { type: 'boolean', default: false },
    },
  });
  const databaseUrl = given('DATABASE_URL');
  const rabbitMqUrl = given('RABBITMQ_URL');
  const mode = values.mode ?? (databaseUrl === null || rabbitMqUrl === null ? 'standalone' : 'services');
  if (mode !== 'services' && mode !== 'standalone') throw new Error('--mode is services or standalone');
  const began = Date.now();
  return {
    mode,
    databaseUrl,
    rabbitMqUrl,
    accounts: whole(values.accounts, 'accounts'),
    kills: whole(values.kills, 'kills'),
    cuts: whole(values.cuts, 'cuts'),
    gapMs: whole(values['gap-ms'], 'gap-ms'),
    seed: values.seed,
    isNegative: values.negative,
    keepsLogs: values['keep-logs'],
    say: (text) => console.log(`${((Date.now() - began) / 1000).toFixed(0).padStart(5)} s  ${text}`),
  };
};

const chainOf = (error: unknown): string =>
  error instanceof Error
    ? `${error.message}${error.cause === undefined ? '' : `\n  because: ${chainOf(error.cause)}`}`
    : String(error);

const main = async (): Promise<void> => {
  const report = await crashRun(optionsOf(process.argv.slice(2)));
  for (const line of linesOf(report)) console.log(line);
  process.exitCode = isGood(report) ? 0 : 1;
};

main().catch((error: unknown) => {
  console.error(chainOf(error));
  process.exit(1);
});
