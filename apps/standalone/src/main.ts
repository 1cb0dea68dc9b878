import { PlatformConfig, loadConfig } from '@billstream/config';
import { createLogger } from '@billstream/observability';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { startStandalone } from './standalone';

/** `npm start`. */
const main = async (): Promise<void> => {
  const config = loadConfig(PlatformConfig, process.env);
  const logger = createLogger({ service: 'standalone', level: config.LOG_LEVEL });
  const fatal = (error: unknown): void => {
    logger.fatal({ err: error }, 'stopping on an error nobody expected');
    process.exit(1);
  };
  process.on('uncaughtException', fatal).on('unhandledRejection', fatal);

  const standalone = await startStandalone(config, logger, { threads: true });
  const { url, emulatorUrl, inner } = standalone;
  const runFile = path.join(path.resolve(config.DATA_DIR), 'run.json');
  // Holds the embedded database's password.
  writeFileSync(runFile, JSON.stringify({ pid: process.pid, url, emulatorUrl, ...inner }, null, 2), { mode: 0o600 });
  process.stdout.write(
    `\nBillstream is ready at ${url}\n  API: ${url}/api.html\n  payment gateway emulator: ${emulatorUrl || 'not used'}\n  data: ${path.resolve(config.DATA_DIR)}\n\n`,
  );

  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), 30_000).unref();
    void standalone.stop().then(() => process.exit(0), fatal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
};

main().catch((error: unknown) => {
  process.stderr.write(`Billstream cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
