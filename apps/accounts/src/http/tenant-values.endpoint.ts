import { pushCallbackKey, tenantConfigStream } from '@billstream/accounts-domain';
import { tenantValues } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, requestContextOf } from '@billstream/http';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { allowsPrivateCallbacks, namesPrivateAddress } from '../push/public-addresses';
import { invalidValue } from './problems';
import { answerUpload, textOf, tenantKeyValueJson } from './tenant-key-value';

const keyLengthMax = 64;
const statesKey = (pluginName: string): string => `PLUGIN_PAYMENT_STATE_MACHINE_${pluginName}`;

/** Texts that a tenant keeps under a key: keys of its own gather values, those that Kill Bill defines hold one. */
@Controller('1.0/kb/tenants')
export class TenantValuesEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post('userKeyValue/:keyName')
  @HttpCode(201)
  async insertUserValue(
    @Param('keyName') key: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.record({ key, value: textOf(body), gathers: true }, { request, reply });
  }

  @Get('userKeyValue/:keyName')
  userValues(@Param('keyName') key: string, @RequestCtx() context: RequestContext) {
    return this.read(key, context);
  }

  @Delete('userKeyValue/:keyName')
  @HttpCode(204)
  removeUserValues(@Param('keyName') key: string, @RequestCtx() context: RequestContext): Promise<void> {
    return this.remove(key, context);
  }

  @Post('uploadPluginPaymentStateMachineConfig/:pluginName')
  @HttpCode(201)
  async uploadStates(
    @Param('pluginName') name: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.record({ key: statesKey(name), value: textOf(body), gathers: false }, { request, reply });
  }

  @Get('uploadPluginPaymentStateMachineConfig/:pluginName')
  states(@Param('pluginName') name: string, @RequestCtx() context: RequestContext) {
    return this.read(statesKey(name), context);
  }

  @Delete('uploadPluginPaymentStateMachineConfig/:pluginName')
  @HttpCode(204)
  removeStates(@Param('pluginName') name: string, @RequestCtx() context: RequestContext): Promise<void> {
    return this.remove(statesKey(name), context);
  }

  @Post('registerNotificationCallback')
  @HttpCode(201)
  @ApiQuery({ name: 'cb', description: 'Where to tell the tenant: an http or https address' })
  async registerCallback(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const value = new URL(request.url, 'http://relative.invalid').searchParams.get('cb') ?? '';
    if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
      throw invalidValue('cb must be an http or https URL');
    if (!allowsPrivateCallbacks(this.accounts.runtime.settings) && namesPrivateAddress(new URL(value)))
      throw invalidValue('cb must be at a public address');
    await this.record({ key: pushCallbackKey, value, gathers: false }, { request, reply });
  }

  @Get('registerNotificationCallback')
  callback(@RequestCtx() context: RequestContext) {
    return this.read(pushCallbackKey, context);
  }

  @Delete('registerNotificationCallback')
  @HttpCode(204)
  removeCallback(@RequestCtx() context: RequestContext): Promise<void> {
    return this.remove(pushCallbackKey, context);
  }

  private async record(
    value: { readonly key: string; readonly value: string; readonly gathers: boolean },
    upload: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  ): Promise<void> {
    if (value.key.length > keyLengthMax) throw invalidValue(`keyName has more than ${keyLengthMax} characters`);
    const context = requestContextOf(upload.request);
    const { tenantId } = context;
    const command = { type: 'RecordTenantValue' as const, data: { tenantId, ...value } };
    const step = stepOf(context, this.accounts, 'record');
    await answerUpload(
      this.accounts,
      await this.accounts.tenantConfig(tenantConfigStream(tenantId), command, step),
      upload,
    );
  }

  private async read(key: string, { tenantId }: RequestContext) {
    return tenantKeyValueJson(
      key,
      await tenantValues(this.accounts.runtime.database, tenantId, { kind: 'value', key }),
    );
  }

  private async remove(key: string, context: RequestContext): Promise<void> {
    const { tenantId } = context;
    const command = { type: 'RemoveTenantValues' as const, data: { tenantId, key } };
    const step = stepOf(context, this.accounts, 'remove');
    await answerUpload(
      this.accounts,
      await this.accounts.tenantConfig(tenantConfigStream(tenantId), command, step),
      null,
    );
  }
}
