import { holdsUnstorableText } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { type RecordForm, type RejectedRecord, cloudEventOf } from '@billstream/metering-domain';
import { isKnownTenant } from '@billstream/metering-read-models';
import type { IntakeAnswer, IntakeMessage } from '@billstream/rabbitmq';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { batchMax, measureIngest } from '../http/taking-usage';
import { type Metering, meteringOf } from '../metering';
import { tenantCheck } from './tenant-check';

/** Where internal services send usage to, and where they are told of what was not taken. */
export const usageExchange = 'billstream.usage';
export const rejectsExchange = 'billstream.usage.rejects';

/** Messages at a time; what they hold is written together, one append a partition. */
const prefetch = 200;

/** Takes usage from the broker, where there is one, until the signal aborts. */
export const takeUsage = async (runtime: ServiceRuntime, signal: AbortSignal): Promise<void> => {
  const metering = meteringOf(runtime);
  const standingOf = tenantCheck({
    isKnown: (tenantId) => isKnownTenant(runtime.database, tenantId),
    nowMs: () => performance.now(),
  });
  await runtime.intake?.({
    exchange: usageExchange,
    answers: rejectsExchange,
    prefetch,
    take: (message) => takeMessage(metering, message, standingOf),
    signal,
  });
};

type Refused = {
  readonly index: number | null;
  readonly field: string;
  readonly code: string;
  readonly message: string;
};

/** Resolves once what was understood of a message is durable, with what the publisher is told of the rest. */
const takeMessage = async (
  metering: Metering,
  message: IntakeMessage,
  standingOf: ReturnType<typeof tenantCheck>,
): Promise<IntakeAnswer> => {
  const { routingKey, messageId } = message;
  const tenantId = parseUuid(routingKey.split('.', 1)[0] ?? '');
  if (tenantId === null)
    return answerOf(message, null, [
      refusal('routing-key', 'invalid', 'the routing key begins with the id of the tenant'),
    ]);
  const standing = await standingOf(tenantId);
  // Thrown, the message is given back and comes again, until the tenant is known or was waited for.
  if (standing === 'NOT_YET') throw new Error(`nobody has told of the tenant ${tenantId} yet`);
  if (standing === 'UNKNOWN')
    return answerOf(message, tenantId, [refusal('routing-key', 'unknown-tenant', 'there is no tenant of that id')]);
  const sent = sentIn(message);
  if ('code' in sent) return answerOf(message, tenantId, [sent]);
  const { batch, form } = sent;
  if (batch.length > batchMax)
    return answerOf(message, tenantId, [refusal('', 'batch-too-large', `a message holds at most ${batchMax} records`)]);
  const records = batch.map((raw, index) => ({ raw, index }));
  const nameless = messageId === null && form === 'OWN' ? records.filter(({ raw }) => isNameless(raw)) : [];
  const named = records.filter((one) => !nameless.includes(one));
  const requestKey = messageId === null ? null : `amqp ${messageId}`;
  const answer = await metering.ingest({ tenantId, batch: named.map(({ raw }) => raw), requestKey, form });
  const rejected = [
    ...answer.rejected.map((one) => ({ ...one, index: named[one.index]?.index ?? one.index })),
    ...nameless.map(({ index }): RejectedRecord => ({
      index,
      field: 'id',
      code: 'required',
      message: namelessMessage,
    })),
  ].toSorted((a, b) => a.index - b.index);
  measureIngest(metering, { ...answer, rejected });
  return rejected.length === 0 ? null : answerOf(message, tenantId, rejected);
};

const refusal = (field: string, code: string, message: string): Refused => ({ index: null, field, code, message });

const answerOf = (
  { messageId, correlationId }: IntakeMessage,
  tenantId: string | null,
  rejected: readonly Refused[],
) => ({
  messageId,
  correlationId,
  tenantId,
  rejected,
});

type Sent = { readonly batch: readonly unknown[]; readonly form: RecordForm };

/** The forms of the HTTP API, and CloudEvents in AMQP's binary mode: attributes are headers with `cloudEvents:` or `cloudEvents_`. */
const sentIn = ({ content, contentType, headers }: IntakeMessage): Sent | Refused => {
  const body = jsonOf(content);
  if (body === undefined)
    return refusal('', 'malformed-json', 'the body is JSON in UTF-8, without U+0000 and halves of surrogate pairs');
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase();
  const prefix = ['cloudEvents:', 'cloudEvents_'].find((one) => `${one}specversion` in headers);
  if (type === 'application/cloudevents+json') return { batch: [body], form: 'CLOUD_EVENT' };
  if (type === 'application/cloudevents-batch+json')
    return Array.isArray(body)
      ? { batch: body, form: 'CLOUD_EVENT' }
      : refusal('', 'invalid', 'the body is a JSON array of CloudEvents');
  if (prefix !== undefined) return { batch: [cloudEventOf(headers, prefix, body)], form: 'CLOUD_EVENT' };
  return { batch: Array.isArray(body) ? body : [body], form: 'OWN' };
};

const jsonOf = (content: Buffer): unknown => {
  try {
    const body: unknown = JSON.parse(content.toString('utf8'));
    return holdsUnstorableText(body) ? undefined : body;
  } catch {
    return undefined;
  }
};

const namelessMessage = 'a record needs an id, or its message a message-id: what comes again must be recognised';

const isNameless = (raw: unknown): boolean =>
  typeof raw === 'object' && raw !== null && ((raw as { readonly id?: unknown }).id ?? null) === null;
