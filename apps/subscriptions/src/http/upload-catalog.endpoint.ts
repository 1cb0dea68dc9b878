import {
  type ProblemException,
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
  type CatalogError,
  type CatalogVersion,
  type SimplePlan,
  additionErrors,
  catalogStream,
  productCategories,
} from '@billstream/subscriptions-domain';
import { Body, Controller, Delete, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsNumber, IsOptional, IsString, Length, Min } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCatalog } from '../catalog-xml/read-catalog';
import { xmlPathOf } from '../catalog-xml/xml-path';
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
    const version = versionIn(body);
    await this.issue(requestContextOf(request), { type: 'UploadVersion', data: { version } }, (pointer) =>
      xmlPathOf(version, pointer),
    );
    void reply.header('Location', locationOf(request, '/1.0/kb/catalog'));
  }

  @Post('xml/validate')
  @HttpCode(200)
  async validateXml(@Body() body: unknown, @RequestCtx() { tenantId }: RequestContext) {
    const read = readCatalog(typeof body === 'string' ? body : '');
    const errors =
      'errors' in read
        ? read.errors
        : additionErrors(await this.subscriptions.uploadedOf(tenantId), read.version).map((error) => ({
            ...error,
            pointer: xmlPathOf(read.version, error.pointer),
          }));
    return {
      catalogValidationErrors: errors.map(({ pointer, message }) => ({ errorDescription: `${pointer}: ${message}` })),
    };
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

  private async issue(
    context: RequestContext,
    command: CatalogCommand,
    pathOf: (pointer: string) => string = (pointer) => pointer,
  ): Promise<void> {
    const { subscriptions } = this;
    const done = unwrap(
      await subscriptions.catalog(catalogStream(context.tenantId), command, stepOf(context, subscriptions, 'catalog')),
      (rejection) => ('errors' in rejection ? invalidCatalog(rejection.errors, pathOf) : catalogProblem(rejection)),
    );
    await subscriptions.runtime.visible(done.position);
  }
}

const errorsShownMax = 20;

const invalidCatalog = (errors: readonly CatalogError[], pathOf: (pointer: string) => string): ProblemException =>
  killBillProblem(
    400,
    2080,
    'CatalogApiException',
    `Invalid catalog: ${errors
      .slice(0, errorsShownMax)
      .map(({ pointer, message }) => `${pathOf(pointer)}: ${message}`)
      .join('; ')}`,
  );

const versionIn = (body: unknown): CatalogVersion => {
  const read = readCatalog(typeof body === 'string' ? body : '');
  if ('errors' in read) throw invalidCatalog(read.errors, (path) => path);
  return read.version;
};
