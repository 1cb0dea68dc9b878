import {
  type RequestContext,
  RequestCtx,
  killBillProblem,
  locationOf,
  requestContextOf,
  unwrap,
} from '@billstream/http';
import {
  type OverdueConfig,
  noOverdueConfig,
  overdueConfigErrors,
  overdueConfigStream,
} from '@billstream/invoicing-domain';
import { Body, Controller, Get, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Invoicing, contextOf, invoicingToken } from '../invoicing';
import { OverdueRequest, overdueConfigFrom, overdueConfigJson } from './overdue-json';
import { readOverdueXml } from './read-overdue-xml';
import { writeOverdueXml } from './write-overdue-xml';

type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply };

const invalid = (detail: string) =>
  killBillProblem(400, 5010, 'OverdueApiException', `Invalid overdue config: ${detail}`);

/** A tenant's overdue states: what leads to them and what they do (Kill Bill 2.16). */
@Controller('1.0/kb/overdue')
export class OverdueConfigEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Post()
  @HttpCode(201)
  async uploadOverdueConfigJson(
    @Body() body: OverdueRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const config = overdueConfigFrom(body);
    const errors = overdueConfigErrors(config);
    if (errors.length > 0) throw invalid(errors.join('; '));
    await this.upload(config, { request, reply });
  }

  @Post('xml')
  @HttpCode(201)
  async uploadOverdueConfigXml(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const read = readOverdueXml(typeof body === 'string' ? body : '');
    if ('error' in read) throw invalid(read.error);
    await this.upload(read.config, { request, reply });
  }

  @Get()
  async getOverdueConfigJson(@RequestCtx() { tenantId }: RequestContext) {
    return overdueConfigJson(await this.configOf(tenantId));
  }

  @Get('xml')
  @Header('content-type', 'text/xml; charset=utf-8')
  async getOverdueConfigXml(@RequestCtx() { tenantId }: RequestContext): Promise<string> {
    return writeOverdueXml(await this.configOf(tenantId));
  }

  private async configOf(tenantId: string): Promise<OverdueConfig> {
    return (await this.invoicing.overdueConfigOf(tenantId)) ?? noOverdueConfig;
  }

  private async upload(config: OverdueConfig, { request, reply }: Exchange): Promise<void> {
    const context = requestContextOf(request);
    const { tenantId } = context;
    const { position } = unwrap(
      await this.invoicing.overdueConfig(
        overdueConfigStream(tenantId),
        { type: 'UploadOverdueConfig', data: { tenantId, config } },
        contextOf(context, this.invoicing),
      ),
      () => invalid('refused'),
    );
    await this.invoicing.runtime.visible(position);
    void reply.header('Location', locationOf(request, '/1.0/kb/overdue'));
  }
}
