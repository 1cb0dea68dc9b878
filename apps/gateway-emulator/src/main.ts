import { startEmulator } from './emulator';

const log = (line: Readonly<Record<string, unknown>>): void => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), service: 'gateway-emulator', ...line })}\n`);
};

const explain = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' ? `${message}: choose another port with EMULATOR_PORT` : message;
};

const main = async (): Promise<void> => {
  const { EMULATOR_PORT = '8090', HOST = '127.0.0.1', EMULATOR_JOURNAL } = process.env;
  const port = Number(EMULATOR_PORT);
  if (!/^\d+$/.test(EMULATOR_PORT) || port > 65535) throw new Error(`EMULATOR_PORT is not a port: ${EMULATOR_PORT}`);
  const emulator = await startEmulator({ port, host: HOST, journal: EMULATOR_JOURNAL || undefined, log });
  log({ event: 'listening', url: emulator.url, journal: EMULATOR_JOURNAL ?? 'memory' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      emulator.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
};

main().catch((error: unknown) => {
  log({ event: 'start-failed', reason: explain(error) });
  process.exitCode = 1;
});
