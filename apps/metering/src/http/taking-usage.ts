import { ProblemException, headerOf } from '@billstream/http';
import type { FastifyRequest } from 'fastify';
import type { IngestAnswer } from '../ingest/ingest';
import { TooMuchWaiting } from '../ingest/usage-writer';
import type { Metering } from '../metering';
import { invalidField } from './problems';

/** Entries of a request; more are refused, so that one answer stays short and one client cannot hold up the others. */
export const batchMax = 1_000;

export const tooLarge = (what: string, count: number): ProblemException =>
  new ProblemException({
    status: 413,
    code: 'batch-too-large',
    detail: `A request holds at most ${batchMax} ${what}, this one holds ${count}`,
  });

const keyLengthMax = 200;

/** The client's name of the request, if it gave one that can be part of a record's id. */
export const requestKeyOf = (request: FastifyRequest): string | null => {
  const key = headerOf(request, 'idempotency-key') ?? headerOf(request, 'x-request-id') ?? '';
  if (key.length > keyLengthMax) throw invalidField('header:X-Request-Id', `is longer than ${keyLengthMax} characters`);
  return key === '' ? null : key;
};

export const overloaded = (error: unknown): never => {
  if (!(error instanceof TooMuchWaiting)) throw error;
  throw new ProblemException({
    status: 503,
    code: 'overloaded',
    detail: 'More usage is waiting to be written than can be taken now; send it again',
  });
};

export const measureIngest = (
  { runtime: { metrics } }: Metering,
  { accepted, duplicates, rejected }: IngestAnswer,
): void => {
  metrics.count('usage_records_total', { outcome: 'accepted' }, accepted);
  metrics.count('usage_records_total', { outcome: 'duplicate' }, duplicates);
  metrics.count('usage_records_total', { outcome: 'rejected' }, rejected.length);
};
