import { type RequestContext, RequestCtx, auditLogJson } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { auditRecordsOf, auditRecordsOfAccount } from '@billstream/postgres';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { type Accounts, accountsToken } from '../accounts';
import { existingAccount } from './find-account';

/** Who changed what: of an account with all that belongs to it, and of single objects with what they were afterwards. */
@Controller('1.0/kb')
export class AuditLogsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get('accounts/:accountId/auditLogs')
  async ofAccount(@Param('accountId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { accountId } = await existingAccount(this.accounts, tenantId, id);
    const records = await auditRecordsOfAccount(this.accounts.runtime.database, tenantId, accountId);
    return records.map((record) => auditLogJson(record));
  }

  @Get('accounts/:accountId/auditLogsWithHistory')
  async historyOfAccount(@Param('accountId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { accountId } = await existingAccount(this.accounts, tenantId, id);
    return this.historyOf(tenantId, 'ACCOUNT', accountId);
  }

  @Get('accounts/:accountId/emails/:accountEmailId/auditLogsWithHistory')
  async historyOfEmail(
    @Param('accountId') id: string,
    @Param('accountEmailId') accountEmailId: string,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    await existingAccount(this.accounts, tenantId, id);
    return this.historyOf(tenantId, 'ACCOUNT_EMAIL', accountEmailId);
  }

  @Get('tags/:tagId/auditLogsWithHistory')
  historyOfTag(@Param('tagId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    return this.historyOf(tenantId, 'TAG', id);
  }

  @Get('tagDefinitions/:tagDefinitionId/auditLogsWithHistory')
  historyOfTagDefinition(@Param('tagDefinitionId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    return this.historyOf(tenantId, 'TAG_DEFINITION', id);
  }

  @Get('customFields/:customFieldId/auditLogsWithHistory')
  historyOfCustomField(@Param('customFieldId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    return this.historyOf(tenantId, 'CUSTOM_FIELD', id);
  }

  private async historyOf(tenantId: string, objectType: string, text: string) {
    const id = parseUuid(text);
    const records = id === null ? [] : await auditRecordsOf(this.accounts.runtime.database, tenantId, [id]);
    return records.filter((record) => record.objectType === objectType).map((record) => auditLogJson(record, 'with'));
  }
}
