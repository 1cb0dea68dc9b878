import { type TenantView, tenantByApiKey, tenantById } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, killBillProblem, locationOf } from '@billstream/http';
import { derivedId, parseUuid } from '@billstream/kernel';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { createTenant } from '../create-tenant';
import { lookTwice } from './find-account';
import { invalidValue, unknownTenant } from './problems';

class TenantRequest {
  @IsString() @IsNotEmpty() @MaxLength(128) readonly apiKey!: string;
  @IsString() @IsNotEmpty() @MaxLength(128) readonly apiSecret!: string;
  @IsOptional() @IsString() @MaxLength(255) readonly externalKey?: string | null;
}

class TenantQuery {
  @IsOptional() @IsString() readonly apiKey?: string;
}

/** The secret is known as a hash alone, so an answer never has one. */
const tenantJson = ({ tenantId, externalKey, apiKey }: TenantView) => ({
  tenantId,
  externalKey,
  apiKey,
  apiSecret: null,
  auditLogs: [],
});

@Controller('1.0/kb/tenants')
export class TenantsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(201)
  @ApiQuery({ name: 'useGlobalDefault', required: false, type: Boolean })
  async createTenant(
    @Body() { apiKey, apiSecret, externalKey }: TenantRequest,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { accounts } = this;
    const tenant = {
      tenantId: derivedId(context.commandId, 'tenant'),
      apiKey,
      apiSecret,
      externalKey: externalKey ?? null,
      useGlobalDefault: /[?&]useGlobalDefault=true(&|$)/i.test(request.url),
    };
    const created = await createTenant(accounts, tenant, stepOf(context, accounts, 'create-tenant'));
    if (created === null)
      throw killBillProblem(409, 20000, 'TenantApiException', `Tenant already exists for key ${apiKey}`);
    await accounts.runtime.visible(created.position);
    void reply.header('Location', locationOf(request, `/1.0/kb/tenants/${created.tenantId}`));
  }

  @Get()
  async byApiKey(@Query() { apiKey }: TenantQuery, @RequestCtx() { tenantId }: RequestContext) {
    if (apiKey === undefined && tenantId === '') throw invalidValue('apiKey: the query must name a tenant’s API key');
    const { database } = this.accounts.runtime;
    const look = () => (apiKey === undefined ? tenantById(database, tenantId) : tenantByApiKey(database, apiKey));
    const found = await lookTwice(this.accounts, look);
    if (found === null)
      throw killBillProblem(404, 20002, 'TenantApiException', `Tenant does not exist for key ${String(apiKey)}`);
    return tenantJson(found);
  }

  @Get(':tenantId')
  async byId(@Param('tenantId') text: string) {
    const tenantId = parseUuid(text);
    const { database } = this.accounts.runtime;
    const found = tenantId === null ? null : await lookTwice(this.accounts, () => tenantById(database, tenantId));
    if (found === null) throw unknownTenant(text);
    return tenantJson(found);
  }
}
