import { ProblemException, RequestCtx, type RequestContext } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IngestAnswer } from '../ingest/ingest';
import { type Metering, meteringToken } from '../metering';
import { sentIn } from './sent-usage';
import { batchMax, measureIngest, overloaded, requestKeyOf, tooLarge } from './taking-usage';

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
