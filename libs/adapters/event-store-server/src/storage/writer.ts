import { createBatch, currentRevision, type Batch, type Draft } from './batch';
import { ANY, STREAM_EXISTS } from './expectation';
import type { EventLog } from './event-log';
import { LogUnavailable } from './event-log';
import type { Head } from './head';
import type { ProposedEvent, StoredEvent } from './stored-event';

export type WriteResult =
  | { readonly kind: 'written'; readonly revision: number; readonly position: number | undefined }
  | { readonly kind: 'conflict'; readonly current: number }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'too-late' };

export interface WriteRequest {
  readonly kind: 'append' | 'delete' | 'tombstone';
  readonly stream: string;
  readonly expected: number;
  readonly events: readonly ProposedEvent[];
  readonly deadlineMs: number;
  done(result: WriteResult): void;
  /** The outcome is unknown: the events may have been written or not. */
  failed(error: Error): void;
}

export interface Writer {
  readonly submit: (request: WriteRequest) => void;
  /** Refuses what comes from now on; resolves when everything accepted before is answered. */
  drain(): Promise<void>;
}

/** Enough to amortise a commit, small enough that nobody waits long behind it. */
const GROUP_EVENTS_MAX = 2_000;
const GROUP_BYTES_MAX = 4 * 1_024 * 1_024;

type Answer = () => void;
type ReadStored = (stream: string, from: number, limit: number) => Promise<readonly StoredEvent[]>;

interface WriterParts {
  readonly head: Head;
  readonly log: EventLog;
  /** Events of a stream from a revision on, for comparing ids. */
  readonly readStored: ReadStored;
}

interface Deciding extends WriterParts {
  submit(request: WriteRequest): void;
}

/**
 * The only writer. Everything that waits when a commit begins goes into that commit (group commit), one commit at a
 * time; expectations are judged against what is committed plus what this batch already holds.
 */
export const createWriter = (parts: WriterParts): Writer => {
  let queue: WriteRequest[] = [];
  let running = false;
  let stopped: (() => void) | undefined;
  let refusing = false;

  const submit = (request: WriteRequest): void => {
    if (refusing) {
      request.failed(new LogUnavailable('the server is stopping'));
      return;
    }
    queue.push(request);
    if (running) return;
    running = true;
    // Not at once: the other requests of this turn of the event loop join the same commit.
    setImmediate(() => void run());
  };

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      const waiting = queue;
      queue = [];
      const group = gather({ ...parts, submit }, waiting, (request) => queue.push(request));
      try {
        const written = group.batch.events.length > 0 ? parts.log.write(group.batch.events) : undefined;
        if (written) await written;
      } catch (error) {
        failAll([...group.requests, ...queue.splice(0)], error);
        continue;
      }
      parts.head.apply(group.batch.events);
      for (const answer of group.answers) answer();
    }
    running = false;
    stopped?.();
  };

  return {
    submit,
    drain: () => {
      refusing = true;
      return running ? new Promise((resolve) => (stopped = resolve)) : Promise.resolve();
    },
  };
};

interface Group {
  readonly batch: Batch;
  readonly requests: readonly WriteRequest[];
  readonly answers: readonly Answer[];
}

const failAll = (requests: readonly WriteRequest[], cause: unknown): void => {
  const error = cause instanceof Error ? cause : new LogUnavailable(String(cause));
  for (const request of requests) request.failed(error);
};

const gather = (parts: Deciding, waiting: readonly WriteRequest[], later: (request: WriteRequest) => void): Group => {
  const nowMs = Date.now();
  const batch = createBatch(parts.head, nowMs);
  const requests: WriteRequest[] = [];
  const answers: Answer[] = [];
  for (const request of waiting) {
    const full = batch.events.length >= GROUP_EVENTS_MAX || batch.bytes >= GROUP_BYTES_MAX;
    const decision = full ? 'later' : decide(parts, batch, request, nowMs);
    if (decision === 'later') later(request);
    else if (decision !== 'elsewhere') {
      requests.push(request);
      answers.push(decision);
    }
  }
  return { batch, requests, answers };
};

/** How to answer once the batch is committed; or that the request waits for the next batch, or is answered elsewhere. */
const decide = (
  parts: Deciding,
  batch: Batch,
  request: WriteRequest,
  nowMs: number,
): Answer | 'later' | 'elsewhere' => {
  if (request.deadlineMs < nowMs) return () => request.done({ kind: 'too-late' });
  const draft = batch.draft(request.stream);
  const verdict = batch.judge(draft, request.expected);
  if (verdict.kind === 'deleted') return () => request.done({ kind: 'deleted' });
  const conflict: WriteResult = { kind: 'conflict', current: currentRevision(draft) };
  if (verdict.kind === 'write') return decideWrite(parts.head, batch, draft, request);
  if (verdict.kind === 'conflict' || request.kind !== 'append' || request.events.length === 0) {
    return () => request.done(conflict);
  }
  // The ids to compare with may be part of this very batch; they can be read once it is committed.
  if (draft.added.length > 0) return 'later';
  void compare(parts, request, { ...verdict, conflict }).catch((error: unknown) => failAll([request], error));
  return 'elsewhere';
};

const decideWrite = (head: Head, batch: Batch, draft: Draft, request: WriteRequest): Answer | 'later' => {
  if (request.kind !== 'append') return decideRemoval(batch, draft, request);
  if (request.expected === ANY || request.expected === STREAM_EXISTS) {
    const [first] = request.events;
    if (first && draft.added.some((event) => event.id === first.id)) return 'later';
    const repeated = repetition(head, draft, request);
    if (repeated) return () => request.done(repeated);
  }
  batch.append(draft, request.events);
  const revision = currentRevision(draft);
  const position = request.events.length > 0 ? draft.added.at(-1)?.position : undefined;
  return () => request.done({ kind: 'written', revision, position });
};

const decideRemoval = (batch: Batch, draft: Draft, request: WriteRequest): Answer => {
  if (request.kind === 'tombstone') batch.tombstone(draft);
  else if (draft.next === 0 && draft.metadata === undefined) {
    return () => request.done({ kind: 'conflict', current: currentRevision(draft) });
  } else batch.delete(draft);
  const [revision, position] = [currentRevision(draft), batch.events.at(-1)?.position];
  return () => request.done({ kind: 'written', revision, position });
};

/** Without an exact expectation only ids seen lately can tell a repetition; that is best effort by contract. */
const repetition = (head: Head, draft: Draft, { events, stream }: WriteRequest): WriteResult | undefined => {
  const [first] = events;
  if (!first || head.seen(first.id)?.stream !== stream) return undefined;
  const known = events.map((event) => head.seen(event.id));
  const last = known.at(-1);
  if (!last || known.some((seen) => seen?.stream !== stream))
    return { kind: 'conflict', current: currentRevision(draft) };
  return { kind: 'written', revision: last.revision, position: last.position };
};

interface Comparison {
  readonly from: number;
  readonly otherwise: 'write' | 'conflict';
  readonly conflict: WriteResult;
}

/**
 * An append that comes late is a repetition if the stream already holds exactly its ids at its place. Committed ids
 * never change, so this needs no turn in the writer, and a storm of conflicts does not slow the others.
 */
const compare = async (parts: Deciding, request: WriteRequest, comparison: Comparison): Promise<void> => {
  const stored = await parts.readStored(request.stream, comparison.from, request.events.length);
  const last = stored.at(-1);
  const same = request.events.every((event, index) => stored[index]?.id === event.id);
  const differsAtOnce = stored[0]?.id !== request.events[0]?.id;
  if (same && last) request.done({ kind: 'written', revision: last.revision, position: last.position });
  else if (differsAtOnce && comparison.otherwise === 'write') parts.submit({ ...request, expected: ANY });
  else request.done(comparison.conflict);
};
