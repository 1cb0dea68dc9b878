import { type Instant, derivedId, newId, wallTime } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decider, Rejection } from './decider';
import { AppendOutcomeUnknown, type EventStore, RevisionConflict } from './event-store';
import { oneAtATime } from './one-at-a-time';
import { appendInParts } from './append-in-parts';
import { type GroupStep, inGroups } from './append-together';
import { type Folded, foldedStreams } from './folded-streams';
import type { Actor, DomainEvent, Metadata, StoredEvent } from './message';
import type { Schema } from './schema';
import { type SeenCommand, type SnapshotRules, isSnapshotDue, markOf, writeSnapshot } from './snapshots';

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

/** The loop of a kind of streams, and a look at one of them by what the loop remembers and what was appended since. */
export type CommandLoop<Command, Event, State, Refusal> = Handle<Command, Event, State, Refusal> & {
  /** A stream's state now, for who looks and does not decide: after the commands that came before, in turn with those after. */
  readonly stateOf: (stream: string) => Promise<State>;
};

export type HandlerParts<Command, Event extends DomainEvent, State, Refusal extends Rejection> = {
  readonly store: EventStore;
  readonly decider: Decider<Command, Event, State, Refusal>;
  readonly schema: Schema<Event>;
  /** Told of each append conflict, for the metric. */
  readonly onConflict?: (stream: string) => void;
  /** For streams that grow long. Without it they are folded from their beginning whenever they are not in memory. */
  readonly snapshots?: SnapshotRules;
  readonly keptBytesMax?: number;
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
): CommandLoop<Command, Event, State, Refusal> => {
  const { store, decider } = parts;
  const streams = foldedStreams(parts);
  const inTurn = oneAtATime();
  const decideOn = async (stream: string, request: Request<Command>, mayRemember: boolean) => {
    const remembered = streams.remembered(stream);
    if (mayRemember && !isForgotten(remembered, request.context)) {
      const folded = remembered;
      const settled = decide(parts, folded, request);
      if (!('answer' in settled) && !('repeats' in settled)) return { folded, settled, fromMemory: true };
    }
    const known = await streams.load(stream);
    // A snapshot keeps no more of it than that it may have been here: all events say whether it was, and what it did.
    const folded = isForgotten(known, request.context) ? await streams.whole(stream) : known;
    return { folded, settled: decide(parts, folded, request), fromMemory: false };
  };
  const repeated = async (
    stream: string,
    { commandId }: CommandContext,
    { state }: Folded<State>,
    seen: SeenCommand,
  ) => {
    const { from, revision, position } = seen;
    const recorded = await store.read(stream, from, Number(revision - from) + 1);
    const events = recorded.filter(({ metadata }) => metadata.commandId === commandId).map(streams.decode);
    const decided = events.filter((event) => !decider.isPart?.(event));
    return { outcome: 'accepted' as const, events: decided, state, revision, position, repeated: true };
  };
  const keepSnapshot = snapshotKeeper(parts, streams);
  const alone = async (stream: string, request: Request<Command>): Promise<Handled<Event, State, Refusal>> => {
    const { context } = request;
    const { commandId, commandHash: hash } = context;
    // Attempt 0 is the one from memory: when it fails, the stream has to be read after all.
    for (let attempt = 0; ; attempt += 1) {
      const { folded, settled, fromMemory } = await decideOn(stream, request, attempt === 0);
      if ('answer' in settled) return settled.answer;
      if ('repeats' in settled) return repeated(stream, context, folded, settled.repeats);
      const isPart = settled.events.map((event) => decider.isPart?.(event) ?? false);
      // Parts of an attempt that was cut off have ids of their own: they stay in the log.
      const salt = isPart.includes(true) ? String(folded.revision) : null;
      const idOf = eventIds(stream, commandId, fromMemory ? newId() : salt);
      const events = settled.events.map((event, index) => stored(parts.schema.encode(event), idOf(index), context));
      try {
        const appended = await appendInParts(store, stream, folded.revision, { events, isPart });
        const from = appended.revision - BigInt(events.length - 1);
        const extended = streams.extend(stream, folded, settled.events, { ...appended, from, commandId, hash });
        keepSnapshot(stream, extended, context);
        return { outcome: 'accepted', events: settled.events, state: extended.state, ...appended, repeated: false };
      } catch (error) {
        streams.forget(stream);
        if (!isWorthRepeating(error) || attempt === attemptsMax) throw error;
        if (fromMemory && error instanceof RevisionConflict) continue;
        parts.onConflict?.(stream);
        // Another process may be writing without a pause and be faster every time; a random wait finds a gap.
        if (attempt > 1) await sleep(Math.random() * 2 ** attempt);
      }
    }
  };
  const run =
    decider.appendsTogether === true ? inGroups(inTurn, groupStep(parts, { streams, keepSnapshot, alone })) : undefined;
  const handle: Handle<Command, Event, State, Refusal> = async (stream, command, context, options = {}) => {
    // Nobody's event could be projected by nobody's tables, and would hold up everybody's.
    if (context.tenantId === '') throw new TypeError(`a command on ${stream} belongs to no tenant`);
    const request = { command, context, ifRevision: options.ifRevision };
    return run === undefined ? inTurn(stream, () => alone(stream, request)) : run(stream, request);
  };
  return Object.assign(handle, {
    stateOf: (stream: string) => inTurn(stream, async () => (await streams.load(stream)).state),
  });
};

type Streams<State, Event extends DomainEvent> = ReturnType<typeof foldedStreams<unknown, Event, State, Rejection>>;
type KeepSnapshot<State> = (stream: string, folded: Folded<State>, context: CommandContext) => void;

/** In the background: nobody waits for a snapshot, and one that fails is only missing. */
const snapshotKeeper =
  <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
    { store, snapshots }: HandlerParts<Command, Event, State, Refusal>,
    streams: Streams<State, Event>,
  ): KeepSnapshot<State> =>
  (stream, { state, revision, commands, older, snapshotAt }, context) => {
    if (snapshots === undefined || !isSnapshotDue(snapshots, revision, snapshotAt)) return;
    streams.noteSnapshot(stream, revision);
    const kept = { state, revision, commands: new Map(commands), older, version: snapshots.version };
    writeSnapshot(store, stream, { ...kept, metadata: metadataOf(context) }).catch(() => undefined);
  };

const groupStep = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  parts: HandlerParts<Command, Event, State, Refusal>,
  {
    streams,
    keepSnapshot,
    alone,
  }: {
    readonly streams: Streams<State, Event>;
    readonly keepSnapshot: KeepSnapshot<State>;
    readonly alone: (stream: string, request: Request<Command>) => Promise<Handled<Event, State, Refusal>>;
  },
): GroupStep<Request<Command>, Event, State, Handled<Event, State, Refusal>> => ({
  remembered: streams.remembered,
  load: streams.load,
  decide: (folded, request) => (isForgotten(folded, request.context) ? null : decide(parts, folded, request)),
  append: async (stream, folded, decided) => {
    // Ids of their own, as everything that is decided from memory has.
    const events = decided.flatMap(({ request: { context }, events: own }) => {
      const idOf = eventIds(stream, context.commandId, newId());
      return own.map((event, index) => stored(parts.schema.encode(event), idOf(index), context));
    });
    const { revision } = folded;
    const { position } = await parts.store.append(stream, revision < 0n ? 'none' : revision, events);
    let extended = folded;
    const answers = decided.map(({ request: { context }, events: own }) => {
      const end = { revision: extended.revision + BigInt(own.length), position };
      const done = { ...end, from: extended.revision + 1n, commandId: context.commandId, hash: context.commandHash };
      extended = streams.extend(stream, extended, own, done);
      return { outcome: 'accepted' as const, events: own, state: extended.state, ...end, repeated: false };
    });
    const last = decided.at(-1);
    if (last !== undefined) keepSnapshot(stream, extended, last.request.context);
    return answers;
  },
  evolve: parts.decider.evolve,
  forget: streams.forget,
  alone,
});

const isForgotten = <State>({ older, commands }: Folded<State>, { commandId }: CommandContext): boolean =>
  older.size > 0 && !commands.has(commandId) && older.has(markOf(commandId));

type Request<Command> = {
  readonly command: Command;
  readonly context: CommandContext;
  readonly ifRevision: bigint | undefined;
};

const decide = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  { decider, recogniseRepeats = true }: HandlerParts<Command, Event, State, Refusal>,
  folded: Folded<State>,
  { command, context, ifRevision }: Request<Command>,
):
  | { readonly answer: Handled<Event, State, Refusal> }
  | { readonly repeats: SeenCommand }
  | { readonly events: readonly Event[] } => {
  const { state, revision } = folded;
  const earlier = recogniseRepeats ? folded.commands.get(context.commandId) : undefined;
  if (earlier && earlier.hash !== context.commandHash) return { answer: { outcome: 'command-id-reused' } };
  if (earlier) return { repeats: earlier };
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
