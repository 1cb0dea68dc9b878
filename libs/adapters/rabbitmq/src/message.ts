import type { PublicEvent } from '@billstream/event-sourcing';
import { digest } from '@billstream/kernel';
import type { Fence } from './bus';

/** What came in: an event, a fence, or something that is neither. */
export type Incoming =
  | { readonly kind: 'event'; readonly event: PublicEvent }
  | { readonly kind: 'fence'; readonly fence: Fence }
  | {
      readonly kind: 'malformed';
      readonly id: string;
      readonly type: string;
      readonly body: string;
      readonly problem: string;
    };

/** The AMQP message type of a fence; public event types always have a context in front. */
export const fenceMessageType = 'fence';

export const isFence = (message: PublicEvent | Fence): message is Fence => 'fenceId' in message;

/** `accounts.account-created.v1` is published by the context `accounts`. */
export const contextOf = (type: string): string => type.slice(0, Math.max(0, type.indexOf('.')));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The texts that become columns, and how long they may be. */
const texts = { id: 200, type: 200, tenantId: 200, key: 500, at: 40, correlationId: 500, stream: 500, revision: 40 };

const problemOfText = (name: string, text: unknown, max: number): string | null => {
  if (typeof text !== 'string' || text === '') return `${name} is not a text`;
  // PostgreSQL takes no NUL and has a limit for what is in an index: such a message could never be recorded.
  return text.length > max || text.includes('\u0000') ? `${name} is too long or holds a NUL` : null;
};

const problemOfEvent = (value: Readonly<Record<string, unknown>>): string | null => {
  for (const [name, max] of Object.entries(texts)) {
    const problem = problemOfText(name, value[name], max);
    if (problem !== null) return problem;
  }
  if (typeof value['position'] !== 'string' || !/^\d{1,20}$/.test(value['position'])) return 'position is no number';
  if (!isObject(value['data'])) return 'data is not an object';
  const actor = value['actor'];
  if (!isObject(actor) || typeof actor['createdBy'] !== 'string') return 'actor has no createdBy';
  return null;
};

const isPublicEvent = (
  value: Readonly<Record<string, unknown>>,
): value is Readonly<Record<string, unknown>> & PublicEvent => problemOfEvent(value) === null;

const isFenceBody = (value: unknown): value is Fence =>
  isObject(value) &&
  typeof value['fenceId'] === 'string' &&
  typeof value['context'] === 'string' &&
  typeof value['position'] === 'string' &&
  /^\d+$/.test(value['position']);

/** Never throws: a body that cannot be read is a value too, and goes to the dead letters at once. */
export const parseMessage = (type: string, messageId: string | undefined, body: string): Incoming => {
  const malformed = (problem: string): Incoming => ({
    kind: 'malformed',
    id: messageId ?? digest(body),
    type,
    body,
    problem,
  });
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return malformed('the body is no JSON');
  }
  if (type === fenceMessageType) return isFenceBody(value) ? { kind: 'fence', fence: value } : malformed('no fence');
  if (!isObject(value)) return malformed('the body is not an object');
  return isPublicEvent(value) ? { kind: 'event', event: value } : malformed(problemOfEvent(value) ?? '');
};

/** FNV-1a over UTF-16 units: every service must put a key into the same partition, whatever its version of Node. */
export const partitionOf = (key: string, partitions: number): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash ^= key.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  // The lowest bits of FNV mix poorly and few partitions look at nothing else.
  return ((hash ^ (hash >>> 15)) >>> 0) % partitions;
};
