import {
  AccessDeniedError,
  InvalidArgumentError,
  InvalidTransactionError,
  MaxAppendSizeExceededError,
  RequiredMetadataPropertyMissingError,
  StreamDeletedError,
  UnsupportedError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import {
  AppendOutcomeUnknown,
  AppendTooLarge,
  type ExpectedRevision,
  RevisionConflict,
} from '@billstream/event-sourcing';
import { setTimeout as sleep } from 'node:timers/promises';

/** Answers that will not be other ones next time. */
const isFinal = (error: unknown): boolean =>
  [
    AccessDeniedError,
    InvalidArgumentError,
    InvalidTransactionError,
    MaxAppendSizeExceededError,
    RequiredMetadataPropertyMissingError,
    StreamDeletedError,
    UnsupportedError,
  ].some((kind) => error instanceof kind);

/**
 * What an append's failure means to who decides again. Whatever is neither a conflict nor a refusal of these very
 * events (a lost connection, a timeout, a stopping server, another leader) leaves open whether they were written.
 */
export const appendFailure = (error: unknown, stream: string, expected: ExpectedRevision): unknown => {
  if (error instanceof WrongExpectedVersionError) return new RevisionConflict(stream, expected);
  if (error instanceof MaxAppendSizeExceededError) return new AppendTooLarge(stream, { cause: error });
  return isFinal(error) ? error : new AppendOutcomeUnknown(stream, { cause: error });
};

export type BackOff = { readonly firstMs: number; readonly lastMs: number };

/** Doubles from the first to the last, with up to a half of it taken off so that many waiters do not come back at once. */
export const backOffMs = ({ firstMs, lastMs }: BackOff, attempt: number): number =>
  Math.min(lastMs, firstMs * 2 ** Math.min(attempt - 1, 16)) * (0.5 + Math.random() / 2);

const readAttemptsMax = 7;
const readBackOff = { firstMs: 50, lastMs: 2_000 };

/** Reading again is harmless: some seconds of patience before the caller hears of it. */
export const retryRead = async <T>(read: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (isFinal(error) || attempt === readAttemptsMax) throw error;
      await sleep(backOffMs(readBackOff, attempt));
    }
  }
};
