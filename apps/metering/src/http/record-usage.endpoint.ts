import { ProblemException, RequestCtx, type RequestContext, headerOf } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IngestAnswer } from '../ingest/ingest';
import { TooMuchWaiting } from '../ingest/usage-writer';
import { type Metering, meteringToken } from '../metering';
import { invalidField, prefersMinimal } from './problems';

/**
 * Takes a JSON array of records `{unit, user, amount, time?, id?, source?}`. 202 once all that was understood is durable;
 * `Prefer: return=minimal` gives the empty 200 of the original.
 */
@Controller('meter/record')
export class RecordUsageEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Post('json')
  @HttpCode(202)
  async recordUsage(
    @Body() body: unknown,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IngestAnswer | undefined> {
    if (!Array.isArray(body)) throw invalidField('', 'the body is a JSON array of usage records');
    const batch: readonly unknown[] = body;
    const answer = await this.metering.ingest({ tenantId, batch, requestKey: requestKeyOf(request) }).catch(overloaded);
    this.measure(answer);
    if (!prefersMinimal(request)) return answer;
    void reply.status(200).header('preference-applied', 'return=minimal');
    return undefined;
  }

  private measure({ accepted, duplicates, rejected }: IngestAnswer): void {
    const { metrics } = this.metering.runtime;
    metrics.count('usage_records_total', { outcome: 'accepted' }, accepted);
    metrics.count('usage_records_total', { outcome: 'duplicate' }, duplicates);
    metrics.count('usage_records_total', { outcome: 'rejected' }, rejected.length);
  }
}

const keyLengthMax = 200;

/** The client's name of the request, if it gave one that can be part of a record's id. */
const requestKeyOf = (request: FastifyRequest): string | null => {
  const key = headerOf(request, 'idempotency-key') ?? headerOf(request, 'x-request-id') ?? '';
  if (key.length > keyLengthMax) throw invalidField('header:X-Request-Id', `is longer than ${keyLengthMax} characters`);
  return key === '' ? null : key;
};

const overloaded = (error: unknown): never => {
  if (!(error instanceof TooMuchWaiting)) throw error;
  throw new ProblemException({
    status: 503,
    code: 'overloaded',
    detail: 'More usage is waiting to be written than can be taken now; send it again',
  });
};
