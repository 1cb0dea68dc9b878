import { status } from '@grpc/grpc-js';
import { ANY, NO_STREAM, STREAM_EXISTS } from '../storage/expectation';
import type { EventStore } from '../storage/event-store';
import type { ProposedEvent } from '../storage/stored-event';
import type { WriteResult } from '../storage/writer';
import type { AppendLimits } from './append-service';
import type { Dialogue, Outlet } from './calls';
import { CallFailure, invalidArgument } from './failures';
import { readProposal, sizeOf, streamNameIn } from './proposals';
import {
  bytesField,
  cursorOf,
  decode,
  EMPTY,
  hasMore,
  message,
  messageField,
  numberField,
  readBytes,
  readUuid,
  readVarint,
  skipField,
  textField,
  varintSize,
  writeVarint,
} from './wire';

interface PendingAppend {
  /** As they came, for the answer. */
  readonly correlation: Buffer;
  readonly identifier: Buffer;
  readonly stream: string;
  readonly expected: number;
  readonly deadlineMs: number;
  readonly events: ProposedEvent[];
  bytes: number;
  /** Answered already; what still comes of it is dropped. */
  refused: boolean;
}

interface Chunk {
  correlation: Buffer;
  options: Buffer | undefined;
  readonly proposals: Buffer[];
  isFinal: boolean;
}

const readChunk = (request: Buffer): Chunk => {
  const cursor = cursorOf(request);
  const chunk: Chunk = { correlation: EMPTY, options: undefined, proposals: [], isFinal: false };
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    if (tag === 26) chunk.proposals.push(readBytes(cursor));
    else if (tag === 10) chunk.correlation = readBytes(cursor);
    else if (tag === 18) chunk.options = readBytes(cursor);
    else if (tag === 32) chunk.isFinal = readVarint(cursor) !== 0;
    else skipField(cursor, tag);
  }
  return chunk;
};

const deadlineIn = (timestamp: Buffer): number => {
  const fields = decode(timestamp);
  return fields.number(1) * 1_000 + fields.number(2) / 1_000_000;
};

/** Tags 16 revision, 26 none, 34 any, 42 exists, 50 deadline as a point in time. */
const readOptions = (correlation: Buffer, options: Buffer): PendingAppend => {
  const cursor = cursorOf(options);
  let identifier: Buffer = EMPTY;
  let expected = 0;
  let deadlineMs = Number.POSITIVE_INFINITY;
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    if (tag === 10) identifier = readBytes(cursor);
    else if (tag === 16) expected = readVarint(cursor);
    else if (tag === 50) deadlineMs = deadlineIn(readBytes(cursor));
    else {
      if (tag === 26) expected = NO_STREAM;
      else if (tag === 34) expected = ANY;
      else if (tag === 42) expected = STREAM_EXISTS;
      skipField(cursor, tag);
    }
  }
  const stream = streamNameIn(identifier);
  return { correlation, identifier, stream, expected, deadlineMs, events: [], bytes: 0, refused: false };
};

const echoOf = (append: PendingAppend): { readonly head: Buffer; readonly tail: Buffer } => ({
  head: bytesField(1, append.correlation),
  tail: bytesField(4, append.identifier),
});

const successOf = (append: PendingAppend, revision: number, position: number | undefined): Buffer => {
  const { head, tail } = echoOf(append);
  if (position === undefined || revision < 0) {
    const current = revision < 0 ? messageField(2) : numberField(1, revision);
    return message(head, messageField(3, current, messageField(4)), tail);
  }
  // The usual answer, in one buffer: 3 { 1 revision, 3 { 1 commit, 2 prepare } }.
  const pair = 2 * (1 + varintSize(position));
  const inner = 1 + varintSize(revision) + 2 + pair;
  const buffer = Buffer.allocUnsafe(head.length + 2 + inner + tail.length);
  let at = head.copy(buffer, 0);
  buffer[at++] = 0x1a;
  buffer[at++] = inner;
  buffer[at++] = 0x08;
  at = writeVarint(buffer, at, revision);
  buffer[at++] = 0x1a;
  buffer[at++] = pair;
  buffer[at++] = 0x08;
  at = writeVarint(buffer, at, position);
  buffer[at++] = 0x10;
  at = writeVarint(buffer, at, position);
  tail.copy(buffer, at);
  return buffer;
};

interface Refusal {
  readonly code: number;
  readonly text: string;
  /** The client recognises errors by the name of this type. */
  readonly type: string;
  readonly details: Buffer;
}

const errorOf = (append: PendingAppend, { code, text, type, details }: Refusal): Buffer => {
  const { head, tail } = echoOf(append);
  const any = messageField(3, textField(1, `type.googleapis.com/event_store.client.${type}`), bytesField(2, details));
  return message(head, messageField(2, numberField(1, code), textField(2, text), any), tail);
};

const conflictDetails = (expected: number, current: number): Buffer => {
  const field = new Map([
    [ANY, 4],
    [STREAM_EXISTS, 5],
    [NO_STREAM, 6],
  ]).get(expected);
  return message(
    current < 0 ? messageField(2) : numberField(1, current),
    field === undefined ? numberField(3, expected) : messageField(field),
  );
};

const refusalOf = (append: PendingAppend, result: Exclude<WriteResult, { kind: 'written' }>): Refusal => {
  switch (result.kind) {
    case 'conflict': {
      const details = conflictDetails(append.expected, result.current);
      return { code: status.ALREADY_EXISTS, text: 'Wrong expected version', type: 'WrongExpectedVersion', details };
    }
    case 'deleted': {
      const details = bytesField(1, append.identifier);
      return { code: status.NOT_FOUND, text: 'Stream deleted', type: 'StreamDeleted', details };
    }
    case 'too-late':
      return { code: status.DEADLINE_EXCEEDED, text: 'Deadline exceeded', type: 'Timeout', details: EMPTY };
  }
};

const tooLarge = (limit: number): Refusal => ({
  code: status.INVALID_ARGUMENT,
  text: `Maximum append size of ${limit} bytes exceeded`,
  type: 'MaximumAppendSizeExceeded',
  details: numberField(1, limit),
});

const malformed = (cause: CallFailure): Refusal => ({
  code: status.INVALID_ARGUMENT,
  text: cause.message,
  type: 'BadRequest',
  details: textField(1, cause.message),
});

/**
 * One long call per client carries all its appends, told apart by a correlation id. Each is answered exactly once: a
 * second answer, or one that nobody waits for, is an uncaught error inside the client.
 */
export const batchAppend =
  (store: EventStore, { maxAppendSizeBytes }: AppendLimits) =>
  (outlet: Outlet): Dialogue => {
    const pending = new Map<string, PendingAppend>();

    const refuse = (append: PendingAppend, refusal: Refusal): void => {
      append.refused = true;
      void outlet.send(errorOf(append, refusal));
    };

    const settle = (append: PendingAppend, result: WriteResult): void => {
      if (result.kind === 'written') void outlet.send(successOf(append, result.revision, result.position));
      else refuse(append, refusalOf(append, result));
    };

    const take = (append: PendingAppend, proposals: readonly Buffer[]): void => {
      for (const proposal of proposals) {
        const event = readProposal(proposal);
        append.bytes += sizeOf(event);
        if (append.bytes > maxAppendSizeBytes) {
          refuse(append, tooLarge(maxAppendSizeBytes));
          return;
        }
        append.events.push(event);
      }
    };

    const appendOf = (key: string, chunk: Chunk): PendingAppend => {
      const known = pending.get(key);
      if (known) return known;
      if (!chunk.options) throw invalidArgument('the first part of an append carries its options');
      const append = readOptions(chunk.correlation, chunk.options);
      if (!chunk.isFinal) pending.set(key, append);
      return append;
    };

    return {
      receive: (request) => {
        const chunk = readChunk(request);
        const key = readUuid(chunk.correlation);
        const append = appendOf(key, chunk);
        if (append.deadlineMs < Date.now() && !append.refused) refuse(append, refusalOf(append, { kind: 'too-late' }));
        try {
          if (!append.refused) take(append, chunk.proposals);
        } catch (cause) {
          if (!(cause instanceof CallFailure)) throw cause;
          refuse(append, malformed(cause));
        }
        if (!chunk.isFinal) return;
        pending.delete(key);
        if (append.refused) return;
        const { stream, expected, events, deadlineMs } = append;
        const done = (result: WriteResult): void => settle(append, result);
        // Whether it was written is not known: only the end of the whole call says that to this client.
        store.submit({ kind: 'append', stream, expected, events, deadlineMs, done, failed: outlet.fail });
      },
    };
  };
