import { ANY, NO_STREAM, STREAM_EXISTS } from '../storage/expectation';
import type { EventStore } from '../storage/event-store';
import type { ProposedEvent } from '../storage/stored-event';
import type { WriteRequest, WriteResult } from '../storage/writer';
import { invalidArgument, maximumAppendSizeExceeded, streamDeleted, tooLate, wrongExpectedVersion } from './failures';
import { expectingIn, readProposal, sizeOf, type Expecting } from './proposals';
import { decode, EMPTY, message, messageField, numberField } from './wire';

export interface AppendLimits {
  readonly maxAppendSizeBytes: number;
}

const write = (
  store: EventStore,
  request: Pick<WriteRequest, 'kind' | 'stream' | 'expected' | 'events'>,
): Promise<WriteResult> =>
  new Promise((done, failed) => {
    store.submit({ ...request, deadlineMs: Number.POSITIVE_INFINITY, done, failed });
  });

/** Commit and prepare are the same here: there are no transactions that a reader could see half of. */
export const positionOf = (position: number): Buffer => message(numberField(1, position), numberField(2, position));

const success = (revision: number, position: number | undefined): Buffer =>
  messageField(
    1,
    revision < 0 ? messageField(2) : numberField(1, revision),
    position === undefined ? messageField(4) : messageField(3, positionOf(position)),
  );

/** Fields 1 to 5 say the same as 6 to 11; the oldest clients read only those. */
const conflict = (expected: number, current: number): Buffer => {
  const old = new Map([
    [ANY, 4],
    [STREAM_EXISTS, 5],
  ]).get(expected);
  const field = new Map([
    [ANY, 9],
    [STREAM_EXISTS, 10],
    [NO_STREAM, 11],
  ]).get(expected);
  return messageField(
    2,
    current < 0 ? message(messageField(2), messageField(7)) : message(numberField(1, current), numberField(6, current)),
    old === undefined ? EMPTY : messageField(old),
    field === undefined ? message(numberField(3, expected), numberField(8, expected)) : messageField(field),
  );
};

const answerTo = ({ stream, expected }: Expecting, result: WriteResult): Buffer => {
  if (result.kind === 'written') return success(result.revision, result.position);
  if (result.kind === 'conflict') return conflict(expected, result.current);
  throw result.kind === 'deleted' ? streamDeleted(stream) : tooLate();
};

/** The call for a single append: options first, then one message per event. A version conflict is a successful call. */
export const beginAppend = (store: EventStore, { maxAppendSizeBytes }: AppendLimits) => {
  let options: Expecting | undefined;
  const events: ProposedEvent[] = [];
  let bytes = 0;
  return {
    receive: (request: Buffer): void => {
      const decoded = decode(request);
      if (decoded.has(1)) options = expectingIn(decoded.message(1));
      if (!decoded.has(2)) return;
      const event = readProposal(decoded.bytes(2));
      bytes += sizeOf(event);
      if (bytes > maxAppendSizeBytes) throw maximumAppendSizeExceeded(maxAppendSizeBytes);
      events.push(event);
    },
    finish: async (): Promise<Buffer> => {
      if (!options) throw invalidArgument('an append begins with its options');
      return answerTo(options, await write(store, { kind: 'append', ...options, events }));
    },
  };
};

/** Delete and Tombstone: a conflict is a failed call here. */
export const remove = async (store: EventStore, kind: 'delete' | 'tombstone', request: Buffer): Promise<Buffer> => {
  const options = expectingIn(decode(request).message(1));
  const result = await write(store, { kind, ...options, events: [] });
  if (result.kind === 'written') return messageField(1, positionOf(result.position ?? 0));
  if (result.kind === 'conflict') throw wrongExpectedVersion(options.stream, options.expected, result.current);
  throw result.kind === 'deleted' ? streamDeleted(options.stream) : tooLate();
};
