import { type Instant, derivedId, newId, wallTime } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decider, Rejection } from './decider';
import { AppendOutcomeUnknown, type EventStore, RevisionConflict } from './event-store';
import { oneAtATime } from './one-at-a-time';
import { type Folded, foldedStreams } from './folded-streams';
import type { Actor, DomainEvent, Metadata, StoredEvent } from './message';
import type { Schema } from './schema';

/** Everything about a command that is not the command: who, for which tenant, when, and the id that makes a retry the same. */
export type CommandContext = {
  readonly commandId: string;
  readonly tenantId: string;
  readonly actor: Actor;
  readonly at: Instant;
  readonly correlationId: string;
  readonly causationId?: string;
  /** Digest of the request body: the same command id with another body is a mistake worth naming. */
  readonly commandHash?: string;
  readonly traceparent?: string;
};

export type Handled<Event, State, Refusal> =
  | {
      readonly outcome: 'accepted';
      readonly events: readonly Event[];
      readonly state: State;
      readonly revision: bigint;
      /** Null when the command changed nothing. Wait for read models to pass it to read your own write. */
      readonly position: bigint | null;
      /** The command had been handled before; `events` are those of then. */
      readonly repeated: boolean;
    }
  | { readonly outcome: 'rejected'; readonly rejection: Refusal }
  | { readonly outcome: 'revision-conflict'; readonly revision: bigint }
  | { readonly outcome: 'command-id-reused' };

export type Handle<Command, Event, State, Refusal> = (
  stream: string,
  command: Command,
  context: CommandContext,
  options?: { readonly ifRevision?: bigint },
) => Promise<Handled<Event, State, Refusal>>;

export type HandlerParts<Command, Event extends DomainEvent, State, Refusal extends Rejection> = {
  readonly store: EventStore;
  readonly decider: Decider<Command, Event, State, Refusal>;
  readonly schema: Schema<Event>;
  /** Told of each append conflict, for the metric. */
  readonly onConflict?: (stream: string) => void;
  /** Only a test that proves what the check is for switches it off. */
  readonly recogniseRepeats?: boolean;
};

const attemptsMax = 6;
const isWorthRepeating = (error: unknown): boolean =>
  error instanceof RevisionConflict || error instanceof AppendOutcomeUnknown;

/**
 * The loop around every decision: read, fold, decide, append at that revision; again on a conflict. A command id that the
 * stream has seen answers with what it did then, so every command can be sent again after any crash. Commands on one
 * stream run one after the other within the process; between processes the revision check decides.
 *
 * A stream is decided upon as this process knows it, one that it does not know as if it were new: the append proves that
 * nothing was added since, and spares the read. Whatever is answered without an append is decided on a fresh read,
 * because nothing else proves it.
 */
export const commandHandler = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  parts: HandlerParts<Command, Event, State, Refusal>,
): Handle<Command, Event, State, Refusal> => {
  const streams = foldedStreams(parts);
  const inTurn = oneAtATime();
  const decideOn = async (stream: string, request: Request<Command>, mayRemember: boolean) => {
    if (mayRemember) {
      const folded = streams.remembered(stream);
      const settled = decide(parts, folded, request);
      if (!('answer' in settled)) return { folded, settled, fromMemory: true };
    }
    const folded = await streams.load(stream);
    return { folded, settled: decide(parts, folded, request), fromMemory: false };
  };
  return (stream, command, context, options = {}) =>
    inTurn(stream, async () => {
      const { commandId, commandHash: hash, tenantId } = context;
      // Nobody's event could be projected by nobody's tables, and would hold up everybody's.
      if (tenantId === '') throw new TypeError(`a command on ${stream} belongs to no tenant`);
      const request = { command, context, ifRevision: options.ifRevision };
      // Attempt 0 is the one from memory: when it fails, the stream has to be read after all.
      for (let attempt = 0; ; attempt += 1) {
        const { folded, settled, fromMemory } = await decideOn(stream, request, attempt === 0);
        if ('answer' in settled) return settled.answer;
        const idOf = eventIds(stream, commandId, fromMemory ? newId() : null);
        const events = settled.events.map((event, index) => stored(parts.schema.encode(event), idOf(index), context));
        try {
          const appended = await parts.store.append(stream, folded.revision < 0n ? 'none' : folded.revision, events);
          const { state } = streams.extend(stream, folded, settled.events, { ...appended, commandId, hash });
          return { outcome: 'accepted', events: settled.events, state, ...appended, repeated: false };
        } catch (error) {
          streams.forget(stream);
          if (!isWorthRepeating(error) || attempt === attemptsMax) throw error;
          if (fromMemory && error instanceof RevisionConflict) continue;
          parts.onConflict?.(stream);
          // Another process may be writing without a pause and be faster every time; a random wait finds a gap.
          if (attempt > 1) await sleep(Math.random() * 2 ** attempt);
        }
      }
    });
};

type Request<Command> = {
  readonly command: Command;
  readonly context: CommandContext;
  readonly ifRevision: bigint | undefined;
};

const decide = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  { decider, recogniseRepeats = true }: HandlerParts<Command, Event, State, Refusal>,
  folded: Folded<Event, State>,
  { command, context, ifRevision }: Request<Command>,
): { readonly answer: Handled<Event, State, Refusal> } | { readonly events: readonly Event[] } => {
  const { state, revision } = folded;
  const earlier = recogniseRepeats ? folded.commands.get(context.commandId) : undefined;
  if (earlier && earlier.hash !== context.commandHash) return { answer: { outcome: 'command-id-reused' } };
  if (earlier) return { answer: { outcome: 'accepted', state, ...earlier, repeated: true } };
  if (ifRevision !== undefined && ifRevision !== revision)
    return { answer: { outcome: 'revision-conflict', revision } };
  const decision = decider.decide(command, state);
  if ('rejected' in decision) return { answer: { outcome: 'rejected', rejection: decision.rejected } };
  if (decision.events.length === 0)
    return { answer: { outcome: 'accepted', events: [], state, revision, position: null, repeated: false } };
  return decision;
};

/**
 * Ids that the same decision gives again. What was decided from memory gets ids that nothing else has (`attempt`): the
 * very command may have been handled before, by another process or by this one before it forgot the stream. The store
 * would take equal ids for a repetition and hide the difference, where a conflict makes this process read.
 */
const eventIds =
  (stream: string, commandId: string, attempt: string | null) =>
  (index: number): string =>
    attempt === null
      ? derivedId(stream, commandId, String(index))
      : derivedId(stream, commandId, String(index), attempt);

const stored = (
  form: { readonly type: string; readonly data: object },
  id: string,
  context: CommandContext,
): StoredEvent => ({ ...form, id, metadata: metadataOf(context) });

/** The metadata that every event of a command carries. */
export const metadataOf = (context: CommandContext): Metadata => ({
  $correlationId: context.correlationId,
  $causationId: context.causationId ?? context.commandId,
  commandId: context.commandId,
  ...(context.commandHash === undefined ? {} : { commandHash: context.commandHash }),
  tenantId: context.tenantId,
  actor: context.actor,
  at: context.at,
  recordedAt: wallTime(),
  ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
});
