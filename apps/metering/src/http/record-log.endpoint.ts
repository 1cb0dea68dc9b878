import { ProblemException, RequestCtx, type RequestContext, commandContext, unwrap } from '@billstream/http';
import { digest, isTimeZone } from '@billstream/kernel';
import {
  type LogFormat,
  type LogFormatRejection,
  type ReadLines,
  lineFields,
  logFormatStream,
  readLogLines,
  variableNames,
} from '@billstream/metering-domain';
import { logFormatOf } from '@billstream/metering-read-models';
import { Body, Controller, Get, HttpCode, Inject, Post, Put, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IngestAnswer } from '../ingest/ingest';
import { type Metering, meteringToken } from '../metering';
import { invalidField, prefersMinimal } from './problems';
import { measureIngest, overloaded, requestKeyOf } from './taking-usage';

class PatternRequest {
  @IsString() @IsNotEmpty() @MaxLength(1000) readonly pattern!: string;
  /** Fields of every record that the pattern finds, where the line does not say them. */
  @IsOptional() @IsObject() readonly constants?: Record<string, unknown> | null;
}

class LogFormatRequest {
  @IsArray()
  @ArrayMaxSize(100)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => PatternRequest)
  readonly patterns!: PatternRequest[];
  /** Of times in lines that name none. */
  @IsOptional() @IsString() readonly timeZone?: string | null;
}

/** Usage out of log lines, by the patterns that the tenant has set. */
@Controller('meter/record/log')
export class RecordLogEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  /** One line, one record; answers like `/meter/record/json`, with lines in place of array elements. */
  @Post()
  @HttpCode(202)
  @ApiConsumes('text/plain')
  @ApiBody({ schema: { type: 'string' } })
  async recordLog(
    @Body() body: unknown,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IngestAnswer | undefined> {
    if (typeof body !== 'string')
      throw invalidField('', 'the body is text (Content-Type: text/plain), a record a line');
    const lines = readLogLines(body, await this.format(tenantId));
    const answer = await this.take(tenantId, lines, requestKeyOf(request)).catch(overloaded);
    measureIngest(this.metering, answer);
    if (!prefersMinimal(request)) return answer;
    void reply.status(200).header('preference-applied', 'return=minimal');
    return undefined;
  }

  @Get('patterns')
  async logPatterns(@RequestCtx() { tenantId }: RequestContext) {
    await this.metering.runtime.caughtUp();
    return { ...(await this.format(tenantId)), variables: variableNames, fields: lineFields };
  }

  /** Replaces all patterns; the first that a line matches as a whole is the one. */
  @Put('patterns')
  async replaceLogPatterns(@Body() body: LogFormatRequest, @RequestCtx() context: RequestContext): Promise<LogFormat> {
    const { runtime, logFormat } = this.metering;
    const timeZone = body.timeZone ?? 'UTC';
    if (!isTimeZone(timeZone)) throw invalidField('/timeZone', 'is a time zone like Asia/Seoul');
    const format: LogFormat = {
      timeZone,
      patterns: body.patterns.map(({ pattern, constants }, index) => ({
        pattern,
        constants: constantsOf(constants ?? {}, `/patterns/${index}/constants`),
      })),
    };
    const handled = await logFormat(logFormatStream(context.tenantId), format, commandContext(context, runtime.clock));
    await runtime.visible(unwrap(handled, patternsProblem).position);
    return format;
  }

  private format(tenantId: string): Promise<LogFormat> {
    return logFormatOf(this.metering.runtime.database, tenantId);
  }

  /** Records of a request with a key are named by the line, not by its place among those that were understood. */
  private async take(tenantId: string, { read, rejected }: ReadLines, key: string | null): Promise<IngestAnswer> {
    const batch = read.map(({ index, record }) =>
      key === null || record['id'] !== undefined
        ? record
        : { ...record, id: `line ${key} ${index} ${digest(JSON.stringify(record)).slice(0, 16)}` },
    );
    const answer = await this.metering.ingest({ tenantId, batch, requestKey: null });
    const refused = answer.rejected.map((one) => ({ ...one, index: read[one.index]?.index ?? one.index }));
    return { ...answer, rejected: [...rejected, ...refused].sort((a, b) => a.index - b.index) };
  }
}

const constantsOf = (given: Readonly<Record<string, unknown>>, pointer: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given).map(([field, value]) => {
      if (!lineFields.some((known) => known === field))
        throw invalidField(`${pointer}/${field}`, `is not one of ${lineFields.join(', ')}`);
      if (typeof value !== 'string' && typeof value !== 'number')
        throw invalidField(`${pointer}/${field}`, 'is a text');
      return [field, String(value)];
    }),
  );

const patternsProblem = ({ faults }: LogFormatRejection): ProblemException => {
  const detail = faults.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  return new ProblemException({ status: 400, code: 'patterns-invalid', detail, errors: faults });
};
