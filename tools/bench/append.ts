import { type AccountCommand, account, accountSchema, accountStream, noTerms } from '@billstream/accounts-domain';
import { type CommandContext, type Handle, commandHandler } from '@billstream/event-sourcing';
import { eventStoreDb } from '@billstream/eventstoredb';
import { newId, wallTime } from '@billstream/kernel';
import { EventStoreDBClient, NO_STREAM, jsonEvent } from '@eventstore/db-client';
import { type Figure, type Plan, against, inLanes } from './measure';
import { type Ground, startStore } from './world';

const lanesOf = [16, 64] as const;
const pieces = 3_000;

const contextOf = (): CommandContext => {
  const id = newId();
  return {
    commandId: id,
    tenantId: '3f0c3c4e-1c3b-4d61-9a40-000000000001',
    actor: { createdBy: 'bench' },
    at: wallTime(),
    correlationId: id,
  };
};

const create = (accountId: string): AccountCommand => ({
  type: 'CreateAccount',
  data: { accountId, terms: noTerms, parentKnown: true, at: wallTime() },
});
/** Always a change: the day moves on with every command. */
const move = (turn: number): AccountCommand => ({
  type: 'UpdateAccount',
  data: {
    terms: { ...noTerms, billCycleDayLocal: 1 + (turn % 28) },
    parentKnown: true,
    onNull: 'keep',
    mayMoveBillCycleDay: true,
  },
});

type HandleAccount = Handle<AccountCommand, unknown, unknown, unknown>;

const accepted = async (handle: HandleAccount, accountId: string, command: AccountCommand): Promise<void> => {
  const { outcome } = await handle(accountStream(accountId), command, contextOf());
  if (outcome !== 'accepted') throw new Error(`the command was ${outcome}`);
};

/** What the command path writes for such a command, for the bare client to write without it. */
const sampleOf = (
  accountId: string,
): { readonly type: string; readonly data: Record<string, unknown>; readonly metadata: Uint8Array } => {
  const decided = account.decide(create(accountId), null);
  if ('rejected' in decided || !decided.events[0]) throw new Error('an account cannot be created');
  const { type, data } = accountSchema.encode(decided.events[0]);
  const { commandId, correlationId, ...context } = contextOf();
  const metadata = {
    $correlationId: correlationId,
    $causationId: commandId,
    commandId,
    ...context,
    recordedAt: wallTime(),
  };
  return { type, data: { ...data }, metadata: Buffer.from(JSON.stringify(metadata)) };
};

const bareAppends = async (client: EventStoreDBClient, lanes: number): Promise<number> => {
  const streams = Array.from({ length: lanes }, () => ({ name: `bare-${newId()}`, next: 0n }));
  const sample = sampleOf(newId());
  const { seconds } = await inLanes(lanes, pieces, async (_, lane) => {
    const stream = streams[lane] ?? { name: '', next: 0n };
    const expectedRevision = stream.next === 0n ? NO_STREAM : stream.next - 1n;
    await client.appendToStream(stream.name, jsonEvent({ id: newId(), ...sample }), { expectedRevision });
    stream.next += 1n;
  });
  return pieces / seconds;
};

const commandsOnOwnStreams = async (handle: HandleAccount, lanes: number): Promise<number> => {
  const accounts = Array.from({ length: lanes }, () => newId());
  await Promise.all(accounts.map((accountId) => accepted(handle, accountId, create(accountId))));
  const { seconds } = await inLanes(lanes, pieces, (piece, lane) =>
    accepted(handle, accounts[lane] ?? '', move(piece)),
  );
  return pieces / seconds;
};

const commandsOnNewStreams = async (handle: HandleAccount, lanes: number): Promise<number> => {
  const { seconds } = await inLanes(lanes, pieces, () => {
    const accountId = newId();
    return accepted(handle, accountId, create(accountId));
  });
  return pieces / seconds;
};

/**
 * Commands through a service's whole path (read, fold, decide, append at the exact revision; a real decider) against
 * appends of the bare official client to the same server, one event each, of the same type and size.
 */
export const appendBench = async (ground: Ground, plan: Plan): Promise<readonly Figure[]> => {
  const server = await startStore(ground);
  const store = eventStoreDb({ connectionString: server.url });
  // The port shares its client with whoever asks for the same address; the bare one is the same library beside it.
  const bare = EventStoreDBClient.connectionString(server.url);
  try {
    const handle: HandleAccount = commandHandler({ store, decider: account, schema: accountSchema });
    const figures: Figure[] = [];
    for (const lanes of lanesOf) {
      const own = await against(
        plan,
        () => bareAppends(bare, lanes),
        () => commandsOnOwnStreams(handle, lanes),
      );
      figures.push({
        name: `commands on own streams, ${lanes} at once`,
        unit: 'commands/s',
        measured: own.measured,
        floor: { name: 'bare client, appends/s', measured: own.floor, ratio: own.ratio },
      });
    }
    const fresh = await against(
      plan,
      () => bareAppends(bare, 16),
      () => commandsOnNewStreams(handle, 16),
    );
    figures.push({
      name: 'commands that begin a stream, 16 at once',
      unit: 'commands/s',
      measured: fresh.measured,
      floor: { name: 'bare client, appends/s', measured: fresh.floor, ratio: fresh.ratio },
    });
    return figures;
  } finally {
    await store.close();
    await bare.dispose();
    await server.stop();
  }
};
