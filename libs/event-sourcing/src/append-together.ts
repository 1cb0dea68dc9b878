import type { CommandContext } from './handle-command';
import type { Folded } from './folded-streams';
import type { SeenCommand } from './snapshots';

type Asked = { readonly context: CommandContext; readonly ifRevision: bigint | undefined };

type Settled<Event, Answer> =
  { readonly answer: Answer } | { readonly repeats: SeenCommand } | { readonly events: readonly Event[] };

export type Decided<Request, Event> = { readonly request: Request; readonly events: readonly Event[] };

/** What a group of commands needs of the loop that handles one. */
export type GroupStep<Request extends Asked, Event, State, Answer> = {
  readonly remembered: (stream: string) => Folded<State>;
  readonly load: (stream: string) => Promise<Folded<State>>;
  /** Null: what is folded does not tell; the loop itself has to look. */
  readonly decide: (folded: Folded<State>, request: Request) => Settled<Event, Answer> | null;
  /** One append of all that was decided, with an answer to each. */
  readonly append: (
    stream: string,
    folded: Folded<State>,
    decided: readonly Decided<Request, Event>[],
  ) => Promise<readonly Answer[]>;
  readonly evolve: (state: State, event: Event) => State;
  readonly forget: (stream: string) => void;
  /** The loop itself, for what cannot share. */
  readonly alone: (stream: string, request: Request) => Promise<Answer>;
};

type Waiting<Request, Answer> = {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/** Events of a few hundred bytes each stay far below what a store takes at once. */
const groupMax = 100;

/**
 * Group commit of commands on one stream: those that wait while another append is under way are decided one after the
 * other, each on what the ones before it decided, and appended at once. The append proves the state that all of them were
 * decided on, the refused ones too. Where it fails, nothing was answered yet, and each goes its way alone.
 */
export const inGroups = <Request extends Asked, Event, State, Answer>(
  inTurn: <T>(key: string, work: () => Promise<T>) => Promise<T>,
  step: GroupStep<Request, Event, State, Answer>,
): ((stream: string, request: Request) => Promise<Answer>) => {
  const waiting = new Map<string, Waiting<Request, Answer>[]>();
  const takeTurn = async (stream: string): Promise<void> => {
    const all = waiting.get(stream) ?? [];
    const group = all.splice(0, groupMax);
    if (all.length === 0) waiting.delete(stream);
    const rest = group.length > 1 ? await together(step, stream, group) : group;
    for (const one of rest) await step.alone(stream, one.request).then(one.resolve, one.reject);
  };
  return (stream, request) =>
    new Promise((resolve, reject) => {
      const queue = waiting.get(stream) ?? [];
      waiting.set(stream, queue);
      queue.push({ request, resolve, reject });
      // As many turns as commands: one that finds its command answered has nothing to do.
      void inTurn(stream, () => takeTurn(stream));
    });
};

/** Gives back those that could not be answered together. */
const together = async <Request extends Asked, Event, State, Answer>(
  step: GroupStep<Request, Event, State, Answer>,
  stream: string,
  group: readonly Waiting<Request, Answer>[],
): Promise<readonly Waiting<Request, Answer>[]> => {
  try {
    const fromMemory = decideAll(step, step.remembered(stream), group);
    if (fromMemory.decided.length > 0) return await settle(step, stream, fromMemory);
    // Nothing to append proves what is remembered, so it is read, once for all of them.
    return await settle(step, stream, decideAll(step, await step.load(stream), group));
  } catch {
    step.forget(stream);
    return group;
  }
};

type Outcome<Request, Event, State, Answer> = {
  readonly folded: Folded<State>;
  readonly decided: readonly (Decided<Request, Event> & { readonly one: Waiting<Request, Answer> })[];
  readonly answers: readonly { readonly one: Waiting<Request, Answer>; readonly answer: Answer }[];
  readonly left: readonly Waiting<Request, Answer>[];
};

const decideAll = <Request extends Asked, Event, State, Answer>(
  step: GroupStep<Request, Event, State, Answer>,
  folded: Folded<State>,
  group: readonly Waiting<Request, Answer>[],
): Outcome<Request, Event, State, Answer> => {
  const decided: (Decided<Request, Event> & { readonly one: Waiting<Request, Answer> })[] = [];
  const answers: { readonly one: Waiting<Request, Answer>; readonly answer: Answer }[] = [];
  const left: Waiting<Request, Answer>[] = [];
  const named = new Set<string>();
  let now = folded;
  for (const one of group) {
    const { request } = one;
    const { commandId } = request.context;
    const isKnown = named.has(commandId) || request.ifRevision !== undefined;
    named.add(commandId);
    const settled = isKnown ? null : step.decide(now, request);
    if (settled === null || 'repeats' in settled) left.push(one);
    else if ('answer' in settled) answers.push({ one, answer: settled.answer });
    else {
      const { events } = settled;
      decided.push({ request, events, one });
      const revision = now.revision + BigInt(events.length);
      now = { ...now, state: events.reduce(step.evolve, now.state), revision };
    }
  }
  return { folded, decided, answers, left };
};

const settle = async <Request extends Asked, Event, State, Answer>(
  step: GroupStep<Request, Event, State, Answer>,
  stream: string,
  { folded, decided, answers, left }: Outcome<Request, Event, State, Answer>,
): Promise<readonly Waiting<Request, Answer>[]> => {
  const appended = decided.length === 0 ? [] : await step.append(stream, folded, decided);
  decided.forEach(({ one }, index) => {
    const answer = appended[index];
    if (answer !== undefined) one.resolve(answer);
  });
  for (const { one, answer } of answers) one.resolve(answer);
  return left;
};
