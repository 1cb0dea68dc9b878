import { ProblemException, RequestCtx, type RequestContext } from '@billstream/http';
import { instantOfMs, toNumber } from '@billstream/kernel';
import { type CorrectionView, correctionsPage } from '@billstream/metering-read-models';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { correctUsage } from '../corrections/correct-usage';
import type { CorrectionsAnswer } from '../corrections/record-corrections';
import { type Metering, meteringToken } from '../metering';
import { PageQuery, cursorIn, nextCursor } from './pages';
import { invalidField } from './problems';
import { batchMax, requestKeyOf, tooLarge } from './taking-usage';

class CorrectionsQuery extends PageQuery {
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(255) readonly source?: string;
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(255) readonly id?: string;
}

/**
 * Corrections of usage that was taken: `{action: VOID | REPLACE, source?, id, reason, correctionId?, replacement?}`, one or
 * a JSON array of up to 1,000. Queries, limits and bills follow; periods that are billed are counted again.
 */
@Controller('v1/usage/corrections')
export class UsageCorrectionsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Post()
  @HttpCode(202)
  async correct(
    @Body() body: unknown,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
  ): Promise<CorrectionsAnswer> {
    const batch = batchIn(body);
    const answer = await correctUsage(this.metering, { context, batch, requestKey: requestKeyOf(request) });
    const [fault] = answer.rejected;
    if (fault === undefined || Array.isArray(body)) return answer;
    throw new ProblemException({
      status: fault.code === 'unknown-record' ? 404 : 400,
      code: fault.code === 'unknown-record' ? fault.code : 'invalid-request',
      detail: `${fault.field}: ${fault.message}`,
      errors: [{ pointer: `/${fault.field.replaceAll('.', '/')}`, code: fault.code, message: fault.message }],
    });
  }

  /** What was corrected, oldest first; with `id` (and `source`) of one record. */
  @Get()
  async list(@Query() query: CorrectionsQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { source = 'meter', id, limit } = query;
    if (id === undefined && query.source !== undefined) throw invalidField('query:id', 'is needed beside source');
    const [position = -1n, index = -1n] = cursorIn(query.cursor, 2);
    const rows = await correctionsPage(this.metering.runtime.database, tenantId, {
      record: id === undefined ? null : { source, id },
      after: { position, index: Number(index) },
      limit: limit + 1,
    });
    const corrections = rows.slice(0, limit);
    const last = rows.length > limit ? corrections.at(-1) : undefined;
    return {
      corrections: corrections.map(correctionJson),
      next: last === undefined ? null : nextCursor([last.position, BigInt(last.index)]),
    };
  }
}

/** One correction, or a list of them. */
export const batchIn = (body: unknown): readonly unknown[] => {
  if (typeof body !== 'object' || body === null)
    throw invalidField('', 'the body is a correction, or a JSON array of them');
  const batch: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (batch.length > batchMax) throw tooLarge('corrections', batch.length);
  return batch;
};

const countedJson = (counted: CorrectionView['before']) =>
  counted && {
    unit: counted.unit,
    user: counted.user,
    time: instantOfMs(counted.atMs),
    amount: toNumber(counted.amount),
    ...(counted.dimensions === null ? {} : { dimensions: counted.dimensions }),
  };

const correctionJson = ({ correctionId, kind, source, id, reason, actor, correctedAt, ...rest }: CorrectionView) => ({
  ...{ correctionId, action: kind, source, id, reason, actor, correctedAt },
  before: countedJson(rest.before),
  after: countedJson(rest.after),
  position: String(rest.position),
});
