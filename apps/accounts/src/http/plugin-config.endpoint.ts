import { tenantConfigStream } from '@billstream/accounts-domain';
import { tenantValues } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, requestContextOf } from '@billstream/http';
import { open, seal } from '@billstream/secrets';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { answerUpload, textOf, tenantKeyValueJson } from './tenant-key-value';

/** A plugin's own configuration, e.g. a gateway's credentials: sealed before it is recorded, opened for its owner alone. */
@Controller('1.0/kb/tenants/uploadPluginConfig')
export class PluginConfigEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post(':pluginName')
  @HttpCode(201)
  async upload(
    @Param('pluginName') pluginName: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { accounts } = this;
    const context = requestContextOf(request);
    const { tenantId } = context;
    const sealedConfig = seal(accounts.runtime.settings.secretsKey, textOf(body), boundTo(tenantId, pluginName));
    const command = { type: 'UploadPluginConfig' as const, data: { tenantId, pluginName, sealedConfig } };
    const handled = await accounts.tenantConfig(
      tenantConfigStream(tenantId),
      command,
      stepOf(context, accounts, 'upload'),
    );
    await answerUpload(accounts, handled, { request, reply });
  }

  @Get(':pluginName')
  async read(@Param('pluginName') pluginName: string, @RequestCtx() { tenantId }: RequestContext) {
    const { database, settings } = this.accounts.runtime;
    const sealed = await tenantValues(database, tenantId, { kind: 'plugin', key: pluginName });
    const texts = sealed.map((text) => open(settings.secretsKey, text, boundTo(tenantId, pluginName)));
    return tenantKeyValueJson(`PLUGIN_CONFIG_${pluginName}`, texts);
  }

  @Delete(':pluginName')
  @HttpCode(204)
  async remove(@Param('pluginName') pluginName: string, @RequestCtx() context: RequestContext): Promise<void> {
    const { accounts } = this;
    const { tenantId } = context;
    const command = { type: 'RemovePluginConfig' as const, data: { tenantId, pluginName } };
    const handled = await accounts.tenantConfig(
      tenantConfigStream(tenantId),
      command,
      stepOf(context, accounts, 'remove'),
    );
    await answerUpload(accounts, handled, null);
  }
}

const boundTo = (tenantId: string, pluginName: string): string => `${tenantId}/${pluginName}`;
