import { type RequestContext, RequestCtx } from '@billstream/http';
import { Controller, Get, Inject } from '@nestjs/common';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { catalogJson } from './catalog-json';

/** The catalog where the original's rule editor looks for it: beside the rules, whose plans and units it shows. */
@Controller()
export class MeterCatalogEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Get(['meter/kb/catalog', 'kb/catalog'])
  async meterCatalog(@RequestCtx() { tenantId }: RequestContext) {
    return (await this.subscriptions.documentsOf(tenantId)).map(catalogJson);
  }
}
