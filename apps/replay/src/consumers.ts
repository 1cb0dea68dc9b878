import type { EventStore } from '@billstream/event-sourcing';
import { loadCheckpoints } from '@billstream/postgres';
import { deadLetters, relayCheckpoint } from '@billstream/rabbitmq';
import type { Connections } from './connections';
import { contexts } from './contexts';
import { table } from './output';

const lagMax = 10_000;

/** Events of these streams after a position, counted up to a bound: a lag in events, not in positions. */
const lagOf = async (store: EventStore, prefixes: readonly string[], after: bigint | null): Promise<string> => {
  const page = await store.readAll({ after: after === null || after < 0n ? null : after, prefixes, max: lagMax });
  return page.events.length >= lagMax && !page.caughtUp ? `>${lagMax}` : String(page.events.length);
};

/** Every reader of the log with where it stands, and every consumer of public events with its dead letters. */
export const listConsumers = async ({ store, databaseOf }: Connections): Promise<void> => {
  const head = await store.head();
  const rows: (readonly (string | bigint)[])[] = [];
  for (const context of contexts) {
    const database = databaseOf(context.name);
    const position = await relayCheckpoint(database, context.name).load();
    rows.push([
      context.name,
      'relay',
      position ?? -1n,
      await lagOf(
        store,
        context.streams.filter((prefix) => !context.private.includes(prefix)),
        position,
      ),
      '',
    ]);
    const checkpoints = await loadCheckpoints(database);
    for (const model of context.readModels) {
      const at = checkpoints.get(model.name)?.position ?? -1n;
      rows.push([context.name, `read model ${model.name}`, at, await lagOf(store, model.prefixes, at), '']);
    }
    const { letters, keys } = await deadLetters(database).count();
    rows.push([
      context.name,
      `reactions to ${context.hears.join(', ')}`,
      head,
      '',
      letters === 0 ? 'no dead letters' : `${letters} dead letters, ${keys} keys blocked`,
    ]);
  }
  table(['context', 'consumer', 'position', 'lag in events', ''], rows);
};
