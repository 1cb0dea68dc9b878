import { ProblemException, type RequestContext, RequestCtx, requestContextOf, unwrap } from '@billstream/http';
import {
  type BillingRuleList,
  type CatalogCommand,
  type CatalogError,
  type TenantCatalog,
  billingRuleNames,
  billingRulesOf,
  catalogStream,
  noCatalog,
} from '@billstream/subscriptions-domain';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { billingRuleListShape, billingRulesShape } from '../documents/rules-document';
import { readAs } from '../documents/shape';
import { type Subscriptions, stepOf, subscriptionsToken } from '../subscriptions';
import { invalidDocument } from './document-problem';

const listNamed = (name: string): BillingRuleList => {
  const list = billingRuleNames.find((one) => one === name);
  if (list === undefined)
    throw new ProblemException({
      status: 404,
      code: 'unknown-rule-list',
      detail: `There is no list ${name}; there are ${billingRuleNames.join(', ')}`,
    });
  return list;
};

const schema = billingRulesShape.schema;

/**
 * An organization's own billing rules. Each list that is set stands in the place of the catalog's rules of that name for
 * every decision from then on; what was decided stays. Every change is kept as a revision.
 */
@Controller('v1/billing-rules')
export class BillingRulesEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Get()
  @ApiOkResponse({ schema })
  async getBillingRules(@RequestCtx() { tenantId }: RequestContext) {
    return billingRulesOf(await this.stateOf(tenantId));
  }

  @Get('revisions')
  async getBillingRulesRevisions(@RequestCtx() { tenantId }: RequestContext) {
    return { revisions: (await this.stateOf(tenantId)).billingRules ?? [] };
  }

  @Get(':list')
  async getBillingRuleList(@Param('list') name: string, @RequestCtx() { tenantId }: RequestContext) {
    const list = listNamed(name);
    return billingRulesOf(await this.stateOf(tenantId))[list] ?? [];
  }

  /** All lists at once: one that the body leaves out is the catalog's again. */
  @Put()
  @HttpCode(200)
  @ApiBody({ schema })
  @ApiOkResponse({ schema })
  async setBillingRules(@Body() body: unknown, @Req() request: FastifyRequest) {
    const read = readAs(billingRulesShape, body ?? {});
    if ('errors' in read) throw invalidDocument('invalid-billing-rules', read.errors);
    const context = requestContextOf(request);
    const now = this.subscriptions.runtime.clock.now(context.tenantId);
    return this.issue(context, { type: 'SetBillingRules', data: { rules: read.value, now } });
  }

  @Put(':list')
  @HttpCode(200)
  @ApiBody({ schema: { type: 'array', items: { type: 'object' } } })
  async setBillingRuleList(@Param('list') name: string, @Body() body: unknown, @Req() request: FastifyRequest) {
    const list = listNamed(name);
    const read = readAs(billingRuleListShape(list), body);
    if ('errors' in read) throw invalidDocument('invalid-billing-rules', read.errors);
    const context = requestContextOf(request);
    const now = this.subscriptions.runtime.clock.now(context.tenantId);
    return this.issue(context, { type: 'SetBillingRuleList', data: { list, rules: read.value, now } }, `/${list}`);
  }

  /** The catalog's rules of that name are in force again. */
  @Delete(':list')
  @HttpCode(204)
  async removeBillingRuleList(@Param('list') name: string, @Req() request: FastifyRequest): Promise<void> {
    const list = listNamed(name);
    const context = requestContextOf(request);
    const now = this.subscriptions.runtime.clock.now(context.tenantId);
    await this.issue(context, { type: 'SetBillingRuleList', data: { list, rules: null, now } });
  }

  private async stateOf(tenantId: string): Promise<TenantCatalog> {
    return (await this.subscriptions.catalogAt(tenantId))?.state ?? noCatalog;
  }

  /** `within`: the part of the rules that the body was. */
  private async issue(context: RequestContext, command: CatalogCommand, within = '') {
    const { subscriptions } = this;
    const step = stepOf(context, subscriptions, 'billing-rules');
    const done = unwrap(await subscriptions.catalog(catalogStream(context.tenantId), command, step), (rejection) =>
      invalidDocument('invalid-billing-rules', 'errors' in rejection ? inBody(rejection.errors, within) : []),
    );
    await subscriptions.runtime.visible(done.position);
    return billingRulesOf(done.state);
  }
}

const inBody = (errors: readonly CatalogError[], within: string): readonly CatalogError[] =>
  errors.map(({ pointer, message }) => ({
    pointer: pointer.startsWith(`${within}/`) ? pointer.slice(within.length) : pointer,
    message,
  }));
