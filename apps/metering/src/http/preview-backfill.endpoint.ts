import { RequestCtx, type RequestContext } from '@billstream/http';
import { isTimeZone } from '@billstream/kernel';
import { type ReportInterval, reportIntervals } from '@billstream/metering-read-models';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { isOver } from '../backfills/find-backfill';
import { type Preview, previewBackfill } from '../backfills/preview-backfill';
import { type Metering, meteringToken } from '../metering';
import { backfillProblem, previewJson } from './backfill-json';
import { readableBackfillOf } from './named-backfill';
import { PageQuery, cursorIn, nextCursor } from './pages';
import { invalidField } from './problems';

class PreviewQuery extends PageQuery {
  /** Of the quantities; left out: the whole range is one. */
  @IsOptional() @IsIn(reportIntervals) readonly interval?: ReportInterval;
  @IsOptional() @IsString() @MaxLength(64) readonly timeZone: string = 'UTC';
}

type Previewed = { readonly answer: object; readonly changed: Preview['changed'] };

@Controller()
export class PreviewBackfillEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  /**
   * What the commit would do; of a committed one, what its revert would. Changes nothing. The gateway adds what invoices
   * would say: `charges` of closed periods, and their `totals` by currency.
   */
  @Get('v1/usage/backfills/:backfillId/preview')
  async preview(
    @Param('backfillId') id: string,
    @Query() query: PreviewQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<object> {
    return (await this.previewed(context, id, query)).answer;
  }

  /** The same with what invoicing needs to say what it comes to. */
  @Get('v1/internal/usage/backfills/:backfillId/preview')
  previewForInvoicing(
    @Param('backfillId') id: string,
    @Query() query: PreviewQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<Previewed> {
    return this.previewed(context, id, query);
  }

  private async previewed(
    context: RequestContext,
    id: string,
    { interval, timeZone, limit, cursor }: PreviewQuery,
  ): Promise<Previewed> {
    if (!isTimeZone(timeZone)) throw invalidField('query:timeZone', 'is the name of a time zone, like Asia/Seoul');
    const [offset = 0n] = cursorIn(cursor, 1);
    const backfill = await readableBackfillOf(this.metering, context.tenantId, id);
    const { backfillId, status } = backfill;
    if (isOver(status)) throw backfillProblem(backfillId)({ code: 'backfill-over', status });
    const asked = { interval: interval ?? null, timeZone, limit: limit + 1, offset: Number(offset) };
    const preview = await previewBackfill(this.metering, { context, backfill }, asked);
    const next = preview.quantities.length > limit ? nextCursor([offset + BigInt(limit)]) : null;
    return { answer: { backfillId, ...previewJson(preview, limit), next }, changed: preview.changed };
  }
}
