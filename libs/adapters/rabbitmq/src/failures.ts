/** A thing that was thrown, as far as it can tell what it is. */
type Clues = {
  readonly code?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
};

const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_DESTROYED',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * SQLSTATE of a server that is away, full, or undid the work for another's sake: connection exceptions (08), operator
 * intervention (57P), insufficient resources (53), serialization failure and deadlock (40001, 40P01), read-only (25006,
 * a standby that is being promoted).
 */
const sqlStates = /^(08\w{3}|57P\w\w|53\w{3}|40001|40P01|25006)$/;

/** gRPC: UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED. */
const grpcCodes = new Set([14, 4, 8]);

const names = new Set([
  'AppendOutcomeUnknown',
  'UnavailableError',
  'DeadlineExceededError',
  'NotLeaderError',
  'IllegalOperationError',
  'PublishFailed',
]);

/** The PostgreSQL driver gives these no code. */
const messages =
  /^(connection terminated|timeout exceeded when trying to connect|client has encountered a connection error)/i;

const isClues = (value: unknown): value is Clues => typeof value === 'object' && value !== null;

const looksLikeIt = ({ code, name, message }: Clues): boolean =>
  (typeof code === 'string' && (socketCodes.has(code) || sqlStates.test(code))) ||
  (typeof code === 'number' && grpcCodes.has(code)) ||
  (typeof name === 'string' && names.has(name)) ||
  (typeof message === 'string' && messages.test(message));

/**
 * True when nothing is wrong with the message: something it needs is away. Such a failure says nothing about the
 * message, so it is waited out instead of counted.
 */
export const isInfrastructure = (error: unknown, depth = 0): boolean => {
  if (!isClues(error) || depth > 4) return false;
  if (looksLikeIt(error)) return true;
  const parts: readonly unknown[] = Array.isArray(error.errors) ? error.errors : [];
  return isInfrastructure(error.cause, depth + 1) || parts.some((part) => isInfrastructure(part, depth + 1));
};

export const asError = (thrown: unknown): Error => {
  if (thrown instanceof Error) return thrown;
  return new Error(isClues(thrown) && typeof thrown.message === 'string' ? thrown.message : String(thrown), {
    cause: thrown,
  });
};
