import {
  type Decider,
  type DomainEvent,
  type EventStore,
  type Rejection,
  type Schema,
  type StoredEvent,
  metadataOf,
} from '@billstream/event-sourcing';
import { type Instant, derivedId } from '@billstream/kernel';
import { inLanes } from './measure';

const oneTenant = '3f0c3c4e-1c3b-4d61-9a40-000000000001';

/** A stream that is being written by its real decider, without a store: decides, evolves and gives the events. */
export const writer = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  stream: string,
  decider: Decider<Command, Event, State, Refusal>,
  schema: Schema<Event>,
  tenantId = oneTenant,
) => {
  let state = decider.initial;
  let commands = 0;
  const write = (command: Command, at: Instant): readonly StoredEvent[] => {
    const decided = decider.decide(command, state);
    if ('rejected' in decided) throw new Error(`${stream} refused: ${JSON.stringify(decided.rejected)}`);
    state = decided.events.reduce(decider.evolve, state);
    commands += 1;
    const commandId = derivedId(stream, String(commands));
    const metadata = metadataOf({ commandId, correlationId: commandId, tenantId, actor: { createdBy: 'bench' }, at });
    return decided.events.map((event, index) => ({
      ...schema.encode(event),
      id: derivedId(commandId, String(index)),
      metadata,
    }));
  };
  return Object.assign(write, { state: (): State => state });
};

/** What one stream gets at one time. */
export type Chunk = { readonly stream: string; readonly events: readonly StoredEvent[] };

/** One who joins, and then gives the same kind of events each month. */
export type Subject = { joins(): readonly Chunk[]; month(turn: number): readonly Chunk[] };

/** Writes everybody's months one after the other, so that they are mingled in the log. Gives the events by kind of stream. */
export const appendMonths = async (
  store: EventStore,
  months: number,
  subjects: readonly Subject[],
): Promise<ReadonlyMap<string, number>> => {
  const ends = new Map<string, bigint>();
  const written = new Map<string, number>();
  const append = async ({ stream, events }: Chunk): Promise<void> => {
    const { revision } = await store.append(stream, ends.get(stream) ?? 'none', events);
    ends.set(stream, revision);
    const kind = stream.slice(0, stream.indexOf('-'));
    written.set(kind, (written.get(kind) ?? 0) + events.length);
  };
  for (let turn = -1; turn < months; turn += 1)
    await inLanes(64, subjects.length, async (piece) => {
      const one = subjects[piece];
      const chunks = one === undefined ? [] : turn < 0 ? one.joins() : one.month(turn);
      await Promise.all(chunks.filter(({ events }) => events.length > 0).map(append));
    });
  return written;
};
