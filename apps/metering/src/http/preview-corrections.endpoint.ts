import { RequestCtx, type RequestContext } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import type { ChangedUsage } from '../backfills/planned-periods';
import { previewCorrections } from '../corrections/preview-corrections';
import { type Metering, meteringToken } from '../metering';
import { closedPeriodsJson } from './backfill-json';
import { batchIn } from './usage-corrections.endpoint';

type Previewed = { readonly answer: object; readonly changed: readonly ChangedUsage[] };

@Controller()
export class PreviewCorrectionsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  /**
   * What corrections would do to periods that are billed; the body is that of `/v1/usage/corrections`. Changes nothing. The
   * gateway adds what invoices would say: `charges` of closed periods, and their `totals` by currency.
   */
  @Post('v1/usage/corrections/preview')
  @HttpCode(200)
  async preview(@Body() body: unknown, @RequestCtx() context: RequestContext): Promise<object> {
    return (await this.previewed(body, context)).answer;
  }

  /** The same with what invoicing needs to say what it comes to. */
  @Post('v1/internal/usage/corrections/preview')
  @HttpCode(200)
  previewForInvoicing(@Body() body: unknown, @RequestCtx() context: RequestContext): Promise<Previewed> {
    return this.previewed(body, context);
  }

  private async previewed(body: unknown, context: RequestContext): Promise<Previewed> {
    // Without a key nothing is taken for the repetition of what was recorded.
    const request = { context, batch: batchIn(body), requestKey: null };
    const { accepted, duplicates, rejected, changed, ...planned } = await previewCorrections(this.metering, request);
    return { answer: { accepted, duplicates, rejected, ...closedPeriodsJson({ ...planned, changed }) }, changed };
  }
}
