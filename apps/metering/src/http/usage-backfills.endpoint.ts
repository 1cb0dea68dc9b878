import { RequestCtx, type RequestContext, commandContext, unwrap } from '@billstream/http';
import { type Instant, derivedId, parseInstant, plusMs } from '@billstream/kernel';
import { type BackfillMode, backfillModes, usageBackfillStream } from '@billstream/metering-domain';
import { type BackfillView, backfillById, backfillsPage } from '@billstream/metering-read-models';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsNotEmpty,
  IsOptional,
  IsString,
  MaxLength,
} from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { abandonBackfill, commitBackfill, revertBackfill } from '../backfills/end-backfill';
import { progressOf, statusOf } from '../backfills/find-backfill';
import { type StagedPart, stagePart } from '../backfills/stage-part';
import { type Metering, meteringToken } from '../metering';
import { backfillJson, backfillProblem } from './backfill-json';
import { knownBackfillOf, readableBackfillOf } from './named-backfill';
import { PageQuery, cursorIn, nextCursor } from './pages';
import { invalidField } from './problems';
import { sentIn } from './sent-usage';
import { batchMax, tooLarge } from './taking-usage';

const nameMax = 255;
const reasonMax = 1_024;

class BackfillRequest {
  @IsString() @IsNotEmpty() @MaxLength(nameMax) readonly name!: string;
  @IsString() @IsNotEmpty() @MaxLength(reasonMax) readonly reason!: string;
  /** `ADD`: its records count beside what is there. `REPLACE`: instead of the direct records of these units and users in the range. */
  @IsIn(backfillModes) readonly mode!: BackfillMode;
  /** ISO 8601 instants; half-open. */
  @IsString() @MaxLength(40) readonly from!: string;
  @IsString() @MaxLength(40) readonly to!: string;
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @MaxLength(nameMax, { each: true })
  readonly units!: string[];
  /** Left out: everybody's. */
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(1_000)
  @ArrayUnique()
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @MaxLength(nameMax, { each: true })
  readonly users?: string[];
}

class RevertRequest {
  @IsString() @IsNotEmpty() @MaxLength(reasonMax) readonly reason!: string;
}

const statuses = ['STAGING', 'SEALED', 'COMMITTED', 'REVERTED', 'ABANDONED', 'EXPIRED'] as const;

class BackfillsQuery extends PageQuery {
  @IsOptional() @IsIn(statuses) readonly status?: BackfillView['status'];
}

/**
 * Usage that was lost or sent wrongly, brought again and counted all at once: open, upload in parts, look at what it
 * would do, commit; and revert, after which everything counts as if it had never been committed.
 */
@Controller('v1/usage/backfills')
export class UsageBackfillsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Post()
  @HttpCode(201)
  async open(@Body() request: BackfillRequest, @RequestCtx() context: RequestContext): Promise<object> {
    const { runtime, backfill } = this.metering;
    const { name, reason, mode, units, users = null } = request;
    const fromAt = instantIn(request.from, '/from');
    const toAt = instantIn(request.to, '/to');
    if (toAt <= fromAt) throw invalidField('/to', 'is after from');
    const backfillId = derivedId('usage-backfill', context.tenantId, context.commandId);
    const { backfillDays = 7 } = runtime.settings;
    const expiresAt = plusMs(runtime.clock.now(context.tenantId), backfillDays * 24 * 3_600_000);
    const opened = { backfillId, name, reason, mode, units, users, fromAt, toAt, expiresAt };
    const handled = unwrap(
      await backfill(
        usageBackfillStream(context.tenantId, backfillId),
        { type: 'Open', opened },
        commandContext(context, runtime.clock),
      ),
      backfillProblem(backfillId),
    );
    await runtime.visible(handled.position);
    return this.answer(context, backfillId);
  }

  /** Newest first. */
  @Get()
  async list(@Query() { status, limit, cursor }: BackfillsQuery, @RequestCtx() { tenantId }: RequestContext) {
    const [before = null] = cursorIn(cursor, 1);
    const rows = await backfillsPage(this.metering.runtime.database, tenantId, {
      ...{ status: status ?? null, before, limit: limit + 1 },
    });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      backfills: rows.slice(0, limit).map((row) => backfillJson(row)),
      next: last === undefined ? null : nextCursor([last.openedPosition]),
    };
  }

  @Get(':backfillId')
  async one(@Param('backfillId') id: string, @RequestCtx() context: RequestContext): Promise<object> {
    const view = await readableBackfillOf(this.metering, context.tenantId, id);
    return this.answerOf(context, view);
  }

  /** A JSON array of up to 1,000 records, or CloudEvents as `/v1/usage/events` takes them. The same part with the same records is staged once, however often it is sent. */
  @Put(':backfillId/parts/:part')
  @HttpCode(200)
  async stage(
    @Param('backfillId') id: string,
    @Param('part') part: string,
    @Body() body: unknown,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
  ): Promise<StagedPart> {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(part))
      throw invalidField('path:part', 'is 1 to 64 letters, digits, dots, dashes or underscores');
    const { batch, form, isBatch } = sentIn(request, body);
    if (form !== 'CLOUD_EVENT' && !isBatch) throw invalidField('', 'the body is a JSON array of usage records');
    if (batch.length > batchMax) throw tooLarge('records', batch.length);
    return stagePart(this.metering, {
      context,
      backfill: await knownBackfillOf(this.metering, context.tenantId, id),
      part,
      batch,
      form,
    });
  }

  /** All of it counts from here on, or none. Durable when it answers; `COMMITTING` while the records are being counted. */
  @Post(':backfillId/commit')
  @HttpCode(202)
  async commit(@Param('backfillId') id: string, @RequestCtx() context: RequestContext): Promise<object> {
    const backfill = await knownBackfillOf(this.metering, context.tenantId, id);
    await commitBackfill(this.metering, { context, backfill });
    return this.answer(context, backfill.backfillId);
  }

  /** Everything counts as if it had never been committed. */
  @Post(':backfillId/revert')
  @HttpCode(202)
  async revert(
    @Param('backfillId') id: string,
    @Body() { reason }: RevertRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<object> {
    const backfill = await knownBackfillOf(this.metering, context.tenantId, id);
    await revertBackfill(this.metering, { context, backfill }, reason);
    return this.answer(context, backfill.backfillId);
  }

  /** Gives up what was staged and not committed. */
  @Delete(':backfillId')
  @HttpCode(200)
  async abandon(@Param('backfillId') id: string, @RequestCtx() context: RequestContext): Promise<object> {
    const backfill = await knownBackfillOf(this.metering, context.tenantId, id);
    await abandonBackfill(this.metering, { context, backfill });
    return this.answer(context, backfill.backfillId);
  }

  private async answer({ tenantId }: RequestContext, backfillId: string): Promise<object> {
    const view = await backfillById(this.metering.runtime.database, tenantId, backfillId);
    // It is in the log; the read model has fallen behind by more than a request waits.
    if (view === null) return { backfillId };
    return this.answerOf({ tenantId }, view);
  }

  private async answerOf({ tenantId }: Pick<RequestContext, 'tenantId'>, view: BackfillView): Promise<object> {
    const status = await statusOf(this.metering, tenantId, view);
    return backfillJson(view, status, await progressOf(this.metering, view.backfillId, status));
  }
}

/** The instants that usage can have: outside of them a record is refused. */
const earliest = '2000-01-01T00:00:00.000Z';
const latest = '2100-01-01T00:00:00.000Z';

const instantIn = (text: string, pointer: string): Instant => {
  const instant = parseInstant(text);
  if (instant === null || instant < earliest || instant > latest)
    throw invalidField(pointer, 'is an ISO 8601 instant of the years 2000 to 2099');
  return instant;
};
