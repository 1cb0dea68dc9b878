import { type TenantSettings, perTenantConfigKey, tenantConfigStream } from '@billstream/accounts-domain';
import { allTenantValues, tenantValues } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx } from '@billstream/http';
import { open } from '@billstream/secrets';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { invalidValue } from './problems';
import { answerUpload, textOf, tenantKeyValueJson } from './tenant-key-value';

/** A tenant's own values of Kill Bill's properties: one JSON object of texts. */
@Controller('1.0/kb/tenants/uploadPerTenantConfig')
export class PerTenantConfigEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(201)
  async upload(
    @Body() body: unknown,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { tenantId } = context;
    const text = textOf(body);
    const command = { type: 'UploadPerTenantConfig' as const, data: { tenantId, text, settings: settingsOf(text) } };
    const step = stepOf(context, this.accounts, 'upload');
    await answerUpload(this.accounts, await this.accounts.tenantConfig(tenantConfigStream(tenantId), command, step), {
      request,
      reply,
    });
  }

  @Get()
  async read(@RequestCtx() { tenantId }: RequestContext) {
    const { database } = this.accounts.runtime;
    return tenantKeyValueJson(
      perTenantConfigKey,
      await tenantValues(database, tenantId, { kind: 'config', key: perTenantConfigKey }),
    );
  }

  @Get(':keyPrefix/search')
  async search(@Param('keyPrefix') prefix: string, @RequestCtx() { tenantId }: RequestContext) {
    const { database, settings } = this.accounts.runtime;
    const entries = await allTenantValues(database, tenantId);
    return entries
      .map(({ kind, key, texts }) =>
        kind === 'plugin'
          ? tenantKeyValueJson(
              `PLUGIN_CONFIG_${key}`,
              texts.map((text) => open(settings.secretsKey, text, `${tenantId}/${key}`)),
            )
          : tenantKeyValueJson(key, texts),
      )
      .filter(({ key }) => key.startsWith(prefix));
  }

  @Delete()
  @HttpCode(204)
  async remove(@RequestCtx() context: RequestContext): Promise<void> {
    const { tenantId } = context;
    const command = { type: 'RemovePerTenantConfig' as const, data: { tenantId } };
    const step = stepOf(context, this.accounts, 'remove');
    await answerUpload(
      this.accounts,
      await this.accounts.tenantConfig(tenantConfigStream(tenantId), command, step),
      null,
    );
  }
}

/** Names and values are texts; a number or a boolean is taken as its text, as clients write them without quotes. */
const settingsOf = (text: string): TenantSettings => {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidValue('the per-tenant configuration must be a JSON object of property names and texts');
  return Object.fromEntries(
    Object.entries(value).map(([name, setting]: [string, unknown]) => {
      if (typeof setting === 'string') return [name, setting];
      if (typeof setting === 'number' || typeof setting === 'boolean') return [name, String(setting)];
      throw invalidValue(`${name} must be a text`);
    }),
  );
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidValue('the per-tenant configuration must be JSON');
  }
};
