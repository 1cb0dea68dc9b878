import { deadLetters } from '@billstream/rabbitmq';
import type { Connections } from './connections';
import { contexts } from './contexts';
import { print, table } from './output';

const short = (text: string | null, length: number): string =>
  text === null ? '' : text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** Every service's dead letters, oldest first; `behind` ones only wait for the one that failed before them. */
export const listDeadLetters = async ({ databaseOf }: Connections, service?: string): Promise<void> => {
  const rows: string[][] = [];
  for (const { name } of contexts.filter((context) => service === undefined || context.name === service))
    for (const letter of await deadLetters(databaseOf(name)).list())
      rows.push([
        name,
        letter.messageId,
        letter.type,
        letter.key ?? '',
        letter.reason,
        String(letter.attempts),
        letter.at,
        short(letter.error, 60),
      ]);
  if (rows.length === 0) print('no dead letters');
  else table(['service', 'message', 'type', 'key', 'reason', 'attempts', 'since', 'error'], rows);
};

export const showDeadLetter = async ({ databaseOf }: Connections, messageId: string): Promise<void> => {
  for (const { name } of contexts) {
    const letter = await deadLetters(databaseOf(name)).show(messageId);
    if (letter === null) continue;
    const { body, stack, ...facts } = letter;
    for (const [fact, value] of Object.entries({ service: name, ...facts })) print(`${fact.padEnd(12)} ${value ?? ''}`);
    print(`\n${stack ?? ''}\n`);
    print(body);
    return;
  }
  throw new Error(`no dead letter ${messageId}`);
};

/** Asks the running service to handle them again, in log order per key. */
export const resendDeadLetters = async (
  { databaseOf }: Connections,
  service: string,
  keys: readonly string[] | null,
): Promise<void> => {
  if (!contexts.some(({ name }) => name === service))
    throw new Error(`no service ${service}; there are ${contexts.map(({ name }) => name).join(', ')}`);
  const asked = await deadLetters(databaseOf(service)).resend(keys);
  print(`${asked} keys are handled again by ${service}`);
};

export const discardDeadLetter = async ({ databaseOf }: Connections, messageId: string, by: string): Promise<void> => {
  for (const { name } of contexts)
    if (await deadLetters(databaseOf(name)).discard(messageId, by)) {
      print(`${messageId} will not be handled by ${name}`);
      return;
    }
  throw new Error(`no dead letter ${messageId}`);
};
