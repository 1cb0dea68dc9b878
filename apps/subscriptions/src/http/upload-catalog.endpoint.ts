import {
  type RequestContext,
  RequestCtx,
  killBillProblem,
  locationOf,
  requestContextOf,
  unwrap,
} from '@billstream/http';
import { decimal, parseCurrency, parseDecimal } from '@billstream/kernel';
import type { ProductCategory } from '@billstream/subscriptions-contracts';
import {
  type CatalogCommand,
  type SimplePlan,
  additionErrors,
  catalogStream,
  productCategories,
} from '@billstream/subscriptions-domain';
import { Body, Controller, Delete, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsNumber, IsOptional, IsString, Length, Min } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCatalog } from '../catalog-xml/read-catalog';
import { type Subscriptions, stepOf, subscriptionsToken } from '../subscriptions';
import { catalogProblem, invalidValue } from './problems';
import { periodFrom } from './requests';

const trialUnits = ['DAYS', 'WEEKS', 'MONTHS', 'YEARS', 'UNLIMITED'] as const;

class SimplePlanRequest {
  @IsString() @Length(1, 255) readonly planId!: string;
  @IsString() @Length(1, 255) readonly productName!: string;
  @IsOptional() @IsIn(productCategories) readonly productCategory?: ProductCategory | null;
  @IsString() readonly currency!: string;
  @IsOptional() @IsNumber() @Min(0) readonly amount?: number | null;
  @IsString() readonly billingPeriod!: string;
  @IsOptional() @IsInt() readonly trialLength?: number | null;
  @IsOptional() @IsIn(trialUnits) readonly trialTimeUnit?: (typeof trialUnits)[number] | null;
  @IsOptional() @IsArray() @ArrayMaxSize(1_000) @IsString({ each: true }) readonly availableBaseProducts?:
    string[] | null;
}

const trialOf = ({ trialLength, trialTimeUnit }: SimplePlanRequest): SimplePlan['trial'] => {
  if (trialLength === undefined || trialLength === null || trialLength < 1) return null;
  if (trialTimeUnit === undefined || trialTimeUnit === null || trialTimeUnit === 'UNLIMITED') return null;
  return { unit: trialTimeUnit, number: trialLength };
};

const simplePlanOf = (body: SimplePlanRequest): SimplePlan => {
  if (parseCurrency(body.currency) === null) throw invalidValue(`currency: ${body.currency} is not a currency`);
  return {
    planId: body.planId,
    productName: body.productName,
    productCategory: body.productCategory ?? 'BASE',
    currency: body.currency,
    amount: parseDecimal(body.amount ?? 0) ?? decimal(0),
    billingPeriod: periodFrom(body.billingPeriod),
    trial: trialOf(body),
    availableBaseProducts: body.availableBaseProducts ?? [],
  };
};

@Controller('1.0/kb/catalog')
export class UploadCatalogEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  /** The first path is that of old clients, which send the same document. */
  @Post(['', 'xml'])
  @HttpCode(201)
  async uploadXml(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const read = readCatalog(typeof body === 'string' ? body : '');
    if ('error' in read) throw killBillProblem(400, 2080, 'CatalogApiException', `Invalid catalog: ${read.error}`);
    await this.issue(requestContextOf(request), { type: 'UploadVersion', data: { version: read.version } });
    void reply.header('Location', locationOf(request, '/1.0/kb/catalog'));
  }

  @Post('xml/validate')
  @HttpCode(200)
  async validateXml(@Body() body: unknown, @RequestCtx() { tenantId }: RequestContext) {
    const read = readCatalog(typeof body === 'string' ? body : '');
    const errors = 'error' in read ? [read.error] : additionErrors(await this.uploaded(tenantId), read.version);
    return { catalogValidationErrors: errors.map((errorDescription) => ({ errorDescription })) };
  }

  @Post('simplePlan')
  @HttpCode(201)
  async addSimplePlan(
    @Body() body: SimplePlanRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const context = requestContextOf(request);
    const now = this.subscriptions.runtime.clock.now(context.tenantId);
    await this.issue(context, { type: 'AddSimplePlan', data: { plan: simplePlanOf(body), now } });
    void reply.header('Location', locationOf(request, '/1.0/kb/catalog'));
  }

  @Delete()
  @HttpCode(204)
  async deleteCatalog(@RequestCtx() context: RequestContext): Promise<void> {
    await this.issue(context, { type: 'DeleteCatalog', data: {} });
  }

  private uploaded(tenantId: string) {
    return this.subscriptions.uploadedOf(tenantId);
  }

  private async issue(context: RequestContext, command: CatalogCommand): Promise<void> {
    const { subscriptions } = this;
    const done = unwrap(
      await subscriptions.catalog(catalogStream(context.tenantId), command, stepOf(context, subscriptions, 'catalog')),
      catalogProblem,
    );
    await subscriptions.runtime.visible(done.position);
  }
}
