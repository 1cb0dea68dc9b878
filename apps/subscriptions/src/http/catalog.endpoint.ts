import { type RequestContext, RequestCtx } from '@billstream/http';
import { parseInstant } from '@billstream/kernel';
import { type Catalog, type CatalogVersion, versionAt } from '@billstream/subscriptions-domain';
import { Controller, Get, Header, Inject, Query, Req, Res } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { writeCatalog } from '../catalog-xml/write-catalog';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { addOnPlansJson, basePlansJson, catalogJson, versionsJson } from './catalog-json';
import { bundleProblem, invalidValue } from './problems';

class CatalogQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
}
class AddOnsQuery {
  @IsOptional() @IsString() readonly baseProductName?: string;
  @IsOptional() @IsString() readonly priceListName?: string;
}

/** All versions, or the one in force at the date asked for. */
const chosen = (catalog: Catalog, { requestedDate }: CatalogQuery): Catalog => {
  if (requestedDate === undefined || requestedDate === '') return catalog;
  const at = parseInstant(requestedDate.includes('T') ? requestedDate : `${requestedDate}T00:00:00Z`);
  if (at === null) throw invalidValue(`requestedDate: ${requestedDate} is not a date`);
  const version = versionAt(catalog, at);
  return version === null ? [] : [version];
};

@Controller('1.0/kb/catalog')
export class CatalogEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Get()
  async getCatalog(
    @Query() query: CatalogQuery,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const versions = chosen(await this.subscriptions.documentsOf(tenantId), query);
    if (request.headers.accept?.startsWith('text/xml') !== true) return versions.map(catalogJson);
    void reply.header('content-type', 'text/xml; charset=utf-8');
    return this.written(versions, query, tenantId);
  }

  /** One document: the version asked for, else the one in force now. */
  @Get('xml')
  @Header('content-type', 'text/xml; charset=utf-8')
  async getXml(@Query() query: CatalogQuery, @RequestCtx() { tenantId }: RequestContext): Promise<string> {
    return this.written(chosen(await this.subscriptions.documentsOf(tenantId), query), query, tenantId);
  }

  @Get('versions')
  async getVersions(@RequestCtx() { tenantId }: RequestContext) {
    return versionsJson(await this.subscriptions.documentsOf(tenantId));
  }

  @Get('availableBasePlans')
  async getBasePlans(@RequestCtx() { tenantId }: RequestContext) {
    return basePlansJson(await this.current(tenantId));
  }

  @Get('availableAddons')
  async getAddOns(@Query() query: AddOnsQuery, @RequestCtx() { tenantId }: RequestContext) {
    return addOnPlansJson(await this.current(tenantId), query.baseProductName ?? '', query.priceListName ?? null);
  }

  private async current(tenantId: string): Promise<CatalogVersion> {
    const now = this.subscriptions.runtime.clock.now(tenantId);
    const version = versionAt(await this.subscriptions.documentsOf(tenantId), now);
    if (version === null)
      throw bundleProblem({ code: 'no-catalog', detail: `There is no catalog version applicable for ${now}` });
    return version;
  }

  private written(versions: Catalog, query: CatalogQuery, tenantId: string): string {
    const now = this.subscriptions.runtime.clock.now(tenantId);
    const version = versionAt(versions, now);
    if (version === null)
      throw bundleProblem({
        code: 'no-catalog',
        detail: `There is no catalog version applicable for ${query.requestedDate ?? now}`,
      });
    return writeCatalog(version);
  }
}
