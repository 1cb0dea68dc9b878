import { ProblemException, RequestCtx, type RequestContext, headerOf } from '@billstream/http';
import { type RecordForm, cloudEventOf } from '@billstream/metering-domain';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IngestAnswer } from '../ingest/ingest';
import { type Metering, meteringToken } from '../metering';
import { invalidField } from './problems';
import { batchMax, measureIngest, overloaded, requestKeyOf, tooLarge } from './taking-usage';

type Sent = { readonly batch: readonly unknown[]; readonly form: RecordForm; readonly isBatch: boolean };

/**
 * Takes a usage record, or a JSON array of up to 1,000; or a CloudEvent in structured, batched or binary mode. 202 once
 * all that was understood is durable: what was not is in `rejected`, by its place in the batch and the field. A single
 * record that was not understood is a 400.
 */
@Controller('v1/usage/events')
export class UsageEventsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Post()
  @HttpCode(202)
  async take(
    @Body() body: unknown,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
  ): Promise<IngestAnswer> {
    const { batch, form, isBatch } = sentIn(request, body);
    if (batch.length > batchMax) throw tooLarge('records', batch.length);
    const answer = await this.metering
      .ingest({ tenantId, batch, requestKey: requestKeyOf(request), form })
      .catch(overloaded);
    measureIngest(this.metering, answer);
    const [fault] = answer.rejected;
    if (fault === undefined || isBatch) return answer;
    throw new ProblemException({
      status: 400,
      code: 'invalid-request',
      detail: `${fault.field}: ${fault.message}`,
      errors: [{ pointer: `/${fault.field.replaceAll('.', '/')}`, code: fault.code, message: fault.message }],
    });
  }
}

/** What the media type and the headers say the body is, as the HTTP binding of CloudEvents 1.0 has it. */
const sentIn = (request: FastifyRequest, body: unknown): Sent => {
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
