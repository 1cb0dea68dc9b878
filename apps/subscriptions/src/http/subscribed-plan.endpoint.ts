import { type RequestContext, RequestCtx } from '@billstream/http';
import {
  type CatalogPhase,
  type CatalogPlan,
  type CatalogProduct,
  type CatalogVersion,
  type PriceList,
  indexOf,
  planStateAt,
} from '@billstream/subscriptions-domain';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { phaseJson, planJson, productJson } from './catalog-json';
import { findSubscription } from './find-bundle';
import { bundleProblem, invalidValue } from './problems';
import { whenFrom } from './requests';

class SubscribedQuery {
  @IsOptional() @IsString() readonly subscriptionId?: string;
  @IsOptional() @IsString() readonly requestedDate?: string;
}

/** What the catalog version that a subscription is on says of its plan. */
type Subscribed = {
  readonly version: CatalogVersion;
  readonly plan: CatalogPlan;
  readonly phase: CatalogPhase;
  readonly product: CatalogProduct;
  readonly priceList: PriceList;
};

const gone = (detail: string) => bundleProblem({ code: 'no-catalog', detail });

@Controller('1.0/kb/catalog')
export class SubscribedPlanEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Get('plan')
  async getPlanOfSubscription(@Query() query: SubscribedQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { plan, version } = await this.subscribed(tenantId, query);
    return planJson(plan, version.currencies);
  }

  @Get('phase')
  async getPhaseOfSubscription(@Query() query: SubscribedQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { phase, version } = await this.subscribed(tenantId, query);
    return phaseJson(phase, version.currencies);
  }

  @Get('product')
  async getProductOfSubscription(@Query() query: SubscribedQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { product, version } = await this.subscribed(tenantId, query);
    return productJson(product, version);
  }

  @Get('priceList')
  async getPriceListOfSubscription(@Query() query: SubscribedQuery, @RequestCtx() { tenantId }: RequestContext) {
    return (await this.subscribed(tenantId, query)).priceList;
  }

  /** At the date asked for, else now; before its start the first plan, after its end the last. */
  private async subscribed(tenantId: string, query: SubscribedQuery): Promise<Subscribed> {
    const { subscriptionId, requestedDate } = query;
    if (subscriptionId === undefined || subscriptionId === '') throw invalidValue('subscriptionId: must be given');
    const { subscriptions } = this;
    const { bundle, subscription } = await findSubscription(subscriptions, tenantId, subscriptionId);
    const at = whenFrom('requestedDate', requestedDate, bundle.time) ?? subscriptions.runtime.clock.now(tenantId);
    const resolved = planStateAt(bundle, subscription, at).phase;
    const catalog = await subscriptions.documentsOf(tenantId);
    const version = catalog.find(({ effectiveDate }) => effectiveDate === resolved.catalogEffectiveDate);
    if (version === undefined)
      throw gone(`The catalog version of ${resolved.catalogEffectiveDate}, which the subscription is on, was deleted`);
    const index = indexOf(version);
    const plan = index.plans.get(resolved.planName);
    const phase = plan?.phases.find(({ type }) => type === resolved.phaseType);
    const product = index.products.get(resolved.productName);
    if (plan === undefined || phase === undefined || product === undefined)
      throw gone(`The catalog version of ${version.effectiveDate} has no plan ${resolved.planName}`);
    const { priceList } = resolved;
    return {
      version,
      plan,
      phase,
      product,
      priceList: index.priceLists.get(priceList) ?? { name: priceList, plans: [] },
    };
  }
}
