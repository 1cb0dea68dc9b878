import { RequestCtx, type RequestContext } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IngestAnswer } from '../ingest/ingest';
import { type Metering, meteringToken } from '../metering';
import { invalidField, prefersMinimal } from './problems';
import { measureIngest, overloaded, requestKeyOf } from './taking-usage';
import { takeRecords } from '../corrections/take-records';

/**
 * Takes a JSON array of records `{unit, user, amount, time?, id?, source?}`; one of a SUM unit whose amount is negative
 * takes back usage of the record that `corrects` names. 202 once all that was understood is durable; `Prefer:
 * return=minimal` gives the empty 200 of the original.
 */
@Controller('meter/record')
export class RecordUsageEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Post('json')
  @HttpCode(202)
  async recordUsage(
    @Body() body: unknown,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IngestAnswer | undefined> {
    if (!Array.isArray(body)) throw invalidField('', 'the body is a JSON array of usage records');
    const batch: readonly unknown[] = body;
    const asked = { context, batch, requestKey: requestKeyOf(request) };
    const answer = await takeRecords(this.metering, asked).catch(overloaded);
    measureIngest(this.metering, answer);
    if (!prefersMinimal(request)) return answer;
    void reply.status(200).header('preference-applied', 'return=minimal');
    return undefined;
  }
}
