import { Command, InvalidArgumentError } from 'commander';
import { type Connections, connect } from './connections';
import { listConsumers } from './consumers';
import { discardDeadLetter, listDeadLetters, resendDeadLetters, showDeadLetter } from './dead-letters';
import { rebuild, targetsOf } from './rebuild';
import { listStreams, showStream } from './streams';
import { verify } from './verify';

const number = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
};
const revision = (text: string): bigint => BigInt(number(text));

const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

/** Runs one verb on open connections. A number is what it found wrong: more than none makes the exit status 1. */
const on = async (work: (connections: Connections) => Promise<unknown>): Promise<void> => {
  const connections = connect(process.env);
  try {
    const found = await work(connections);
    process.exitCode = typeof found === 'number' && found > 0 ? 1 : 0;
  } finally {
    await connections.close();
  }
};

const program = new Command('replay').description(
  'Operators’ verbs over event streams, read models and dead letters of a running system.',
);

program
  .command('streams')
  .description('categories with their streams and events, or the streams of one prefix')
  .option('--prefix <prefix>', 'e.g. bundle-')
  .option('--limit <n>', 'at most so many rows', number, 50)
  .action((options: { prefix?: string; limit: number }) => on(({ store }) => listStreams(store, options)));

program
  .command('consumers')
  .description('relays, read models and reactions with their position and lag')
  .action(() => on(listConsumers));

program
  .command('show <stream>')
  .description('the events of a stream')
  .option('--type <part>', 'only stored types that contain this')
  .option('--from <revision>', 'from this revision on', revision)
  .option('--since <instant>', 'business time, inclusive')
  .option('--until <instant>', 'business time, exclusive')
  .option('--max <n>', 'at most so many', number, 1_000)
  .option('--json', 'one JSON object a line', false)
  .action((stream: string, options: { max: number; json: boolean }) =>
    on(({ store }) => showStream(store, stream, options)),
  );

for (const purpose of ['swap', 'compare'] as const)
  program
    .command(purpose === 'swap' ? 'rebuild [readModel]' : 'compare [readModel]')
    .description(
      purpose === 'swap'
        ? 'builds a read model (context/name), a context’s, or all of them again, compares, and swaps'
        : 'the same without the swap',
    )
    .option('--fresh', 'forgets what an interrupted run has built', false)
    .action((name: string | undefined, { fresh }: { fresh: boolean }) =>
      on((connections) => rebuild(connections, targetsOf(name), { purpose, fresh, signal: stopping.signal })),
    );

program
  .command('verify')
  .description('replays every aggregate twice and compares')
  .action(() => on((connections) => verify(connections, stopping.signal)));

const dead = program.command('dead-letters').description('messages whose handlers gave up');
dead
  .command('list')
  .option('--service <name>')
  .action(({ service }: { service?: string }) => on((connections) => listDeadLetters(connections, service)));
dead.command('show <messageId>').action((id: string) => on((connections) => showDeadLetter(connections, id)));
dead
  .command('resend <service> [keys...]')
  .description('handle them again; without keys: all of the service')
  .action((service: string, keys: string[]) =>
    on((connections) => resendDeadLetters(connections, service, keys.length === 0 ? null : keys)),
  );
dead
  .command('discard <messageId>')
  .requiredOption('--by <name>', 'who decided it')
  .action((id: string, { by }: { by: string }) => on((connections) => discardDeadLetter(connections, id, by)));

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
