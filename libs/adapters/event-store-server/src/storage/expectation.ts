import { isDeleted, type Retention } from './stream-state';

/** Expectations as numbers, as the error trailers of the protocol write them; from zero up it is an exact revision. */
export const ANY = -2;
export const NO_STREAM = -1;
export const STREAM_EXISTS = -4;

export interface StreamView {
  readonly next: number;
  readonly tombstoned: boolean;
  readonly retention: Retention;
  readonly hasMetadata: boolean;
}

export type Verdict =
  | { readonly kind: 'write' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'conflict' }
  /** Perhaps a repetition: compare the ids with those stored from this revision on. */
  | { readonly kind: 'compare'; readonly from: number; readonly otherwise: 'write' | 'conflict' };

const WRITE: Verdict = { kind: 'write' };
const CONFLICT: Verdict = { kind: 'conflict' };
const DELETED: Verdict = { kind: 'deleted' };

const judgeNoStream = (stream: StreamView): Verdict => {
  if (stream.next === 0) return WRITE;
  return { kind: 'compare', from: 0, otherwise: isDeleted(stream.retention) ? 'write' : 'conflict' };
};

const judgeStreamExists = (stream: StreamView): Verdict => {
  if (isDeleted(stream.retention)) return DELETED;
  return stream.next > 0 || stream.hasMetadata ? WRITE : CONFLICT;
};

/** Whether an append with this expectation may be written to the stream as it is now. */
export const judge = (stream: StreamView, expected: number): Verdict => {
  if (stream.tombstoned) return DELETED;
  if (expected === ANY) return WRITE;
  if (expected === NO_STREAM) return judgeNoStream(stream);
  if (expected === STREAM_EXISTS) return judgeStreamExists(stream);
  if (expected === stream.next - 1) return WRITE;
  if (expected >= stream.next) return CONFLICT;
  return { kind: 'compare', from: expected + 1, otherwise: 'conflict' };
};
