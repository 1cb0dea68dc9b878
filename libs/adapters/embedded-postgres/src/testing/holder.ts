import { startEmbeddedPostgres } from '../start';

/** A process to kill: starts PostgreSQL in the directory of its argument, says where, and lives until its input ends. */
const main = async (dataDirectory: string): Promise<void> => {
  const { url, adopted, stop } = await startEmbeddedPostgres({ dataDirectory });
  process.stdout.write(`${JSON.stringify({ url, adopted })}\n`);
  process.stdin.on('end', () => void stop().then(() => process.exit()));
  process.stdin.resume();
};

main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  process.exit(1);
});
