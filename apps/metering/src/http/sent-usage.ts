import { headerOf } from '@billstream/http';
import { type PartForm, cloudEventOf } from '@billstream/metering-domain';
import type { FastifyRequest } from 'fastify';
import { invalidField } from './problems';

/** Usage as it was sent over HTTP: records in their form; `isBatch`: as a list, however long. */
export type Sent = { readonly batch: readonly unknown[]; readonly form: PartForm; readonly isBatch: boolean };

/** What the media type and the headers say the body is, as the HTTP binding of CloudEvents 1.0 has it. */
export const sentIn = (request: FastifyRequest, body: unknown): Sent => {
  const type = (headerOf(request, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/cloudevents-batch+json')
    return { batch: listIn(body, 'a JSON array of CloudEvents'), form: 'CLOUD_EVENT', isBatch: true };
  if (type === 'application/cloudevents+json') return { batch: [body], form: 'CLOUD_EVENT', isBatch: false };
  if (headerOf(request, 'ce-specversion') !== undefined)
    return { batch: [cloudEventOf(decoded(request.headers), 'ce-', body)], form: 'CLOUD_EVENT', isBatch: false };
  if (Array.isArray(body)) return { batch: body, form: 'OWN', isBatch: true };
  if (typeof body !== 'object' || body === null)
    throw invalidField('', 'the body is a usage record, or a JSON array of them');
  return { batch: [body], form: 'OWN', isBatch: false };
};

const listIn = (body: unknown, what: string): readonly unknown[] => {
  if (!Array.isArray(body)) throw invalidField('', `the body is ${what}`);
  return body;
};

/** Header values of the binary mode are percent-encoded where they are more than ASCII. */
const decoded = (headers: FastifyRequest['headers']): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (!name.startsWith('ce-') || typeof value !== 'string') return [name, value];
      try {
        return [name, decodeURIComponent(value)];
      } catch {
        throw invalidField(`header:${name}`, 'is percent-encoded');
      }
    }),
  );
