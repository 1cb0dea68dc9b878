import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { LogUnavailable } from '../storage/event-log';
import { MalformedMessage } from './wire';

export type Trailers = Readonly<Record<string, string>>;

/** A call that ends with a status. The `exception` trailer is what the client turns into its error classes. */
export class CallFailure extends Error {
  constructor(
    readonly code: status,
    details: string,
    readonly trailers: Trailers = {},
  ) {
    super(details);
  }
}

/** Metadata is ASCII by the rules of HTTP/2; a name in another script must not bring the call down. */
const ascii = (value: string): string => value.replace(/[^\x20-\x7e]/g, '?');

const failure = (code: status, exception: string, details: string, trailers: Trailers = {}): CallFailure =>
  new CallFailure(code, details, { exception, ...trailers });

export const streamDeleted = (stream: string): CallFailure =>
  failure(status.FAILED_PRECONDITION, 'stream-deleted', `Event stream '${stream}' is deleted.`, {
    'stream-name': stream,
  });

export const wrongExpectedVersion = (stream: string, expected: number, actual: number): CallFailure =>
  failure(
    status.FAILED_PRECONDITION,
    'wrong-expected-version',
    `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    { 'stream-name': stream, 'expected-version': String(expected), 'actual-version': actual < 0 ? '' : String(actual) },
  );

export const maximumAppendSizeExceeded = (limit: number): CallFailure =>
  failure(status.INVALID_ARGUMENT, 'maximum-append-size-exceeded', `Maximum Append Size of ${limit} Exceeded.`, {
    'maximum-append-size': String(limit),
  });

export const missingMetadata = (): CallFailure =>
  failure(status.INVALID_ARGUMENT, 'missing-required-metadata-property', 'Required Metadata Property Missing', {
    'required-metadata-properties': 'type,content-type',
  });

export const accessDenied = (): CallFailure => failure(status.PERMISSION_DENIED, 'access-denied', 'Access Denied');

export const notAuthenticated = (): CallFailure => new CallFailure(status.UNAUTHENTICATED, 'Wrong user or password');

export const invalidArgument = (details: string): CallFailure => new CallFailure(status.INVALID_ARGUMENT, details);

export const notFound = (details: string): CallFailure => new CallFailure(status.NOT_FOUND, details);

export const unsupported = (what: string): CallFailure =>
  new CallFailure(status.UNIMPLEMENTED, `${what} is not part of the embedded event store`);

export const tooLate = (): CallFailure => new CallFailure(status.DEADLINE_EXCEEDED, 'The deadline has passed');

interface GroupName {
  readonly stream: string;
  readonly group: string;
}

const groupTrailers = ({ stream, group }: GroupName): Trailers => ({ 'stream-name': stream, 'group-name': group });

export const groupDoesNotExist = (name: GroupName): CallFailure =>
  failure(
    status.NOT_FOUND,
    'persistent-subscription-does-not-exist',
    `Subscription group ${name.group} on stream ${name.stream} does not exist.`,
    groupTrailers(name),
  );

export const groupExists = (name: GroupName): CallFailure =>
  failure(
    status.ALREADY_EXISTS,
    'persistent-subscription-exists',
    `Subscription group ${name.group} on stream ${name.stream} exists.`,
    groupTrailers(name),
  );

export const groupIsFull = (name: GroupName): CallFailure =>
  failure(
    status.FAILED_PRECONDITION,
    'maximum-subscribers-reached',
    `Maximum subscriptions reached for subscription group ${name.group} on stream ${name.stream}.`,
    groupTrailers(name),
  );

export const groupDropped = (name: GroupName): CallFailure =>
  failure(
    status.CANCELLED,
    'persistent-subscription-dropped',
    `Subscription group ${name.group} on stream ${name.stream} was dropped.`,
    groupTrailers(name),
  );

/** The status of a call for whatever was thrown while it was served. */
export const failureOf = (cause: unknown): CallFailure => {
  if (cause instanceof CallFailure) return cause;
  if (cause instanceof MalformedMessage) return invalidArgument(cause.message);
  const details = cause instanceof Error ? cause.message : String(cause);
  return new CallFailure(cause instanceof LogUnavailable ? status.UNAVAILABLE : status.UNKNOWN, details);
};

export const statusOf = (cause: unknown): Pick<ServiceError, 'code' | 'details' | 'metadata'> => {
  const { code, message, trailers } = failureOf(cause);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, ascii(value));
  return { code, details: message, metadata };
};
