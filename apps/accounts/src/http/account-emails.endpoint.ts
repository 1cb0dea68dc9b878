import { accountEmailsStream } from '@billstream/accounts-domain';
import { emailsOfAccount } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { IsNotEmpty, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { AuditQuery, withAuditLogs } from './audit-logs';
import { existingAccount } from './find-account';
import { invalidValue } from './problems';

class AccountEmailRequest {
  @IsString() @IsNotEmpty() @MaxLength(128) readonly email!: string;
}

/** Further addresses of an account (Kill Bill's AccountEmail). */
@Controller('1.0/kb/accounts/:accountId/emails')
export class AccountEmailsEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get()
  async emails(@Param('accountId') id: string, @Query() query: AuditQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { accounts } = this;
    const { accountId } = await existingAccount(accounts, tenantId, id);
    const emails = await emailsOfAccount(accounts.runtime.database, accountId);
    const shown = emails.map(({ accountEmailId, email }) => ({
      objectType: 'ACCOUNT_EMAIL',
      objectId: accountEmailId,
      json: { accountId, email },
    }));
    return withAuditLogs(accounts, { tenantId, query }, shown);
  }

  @Post()
  @HttpCode(201)
  async addEmail(
    @Param('accountId') id: string,
    @Body() body: AccountEmailRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { accounts } = this;
    const context = requestContextOf(request);
    const { accountId } = await existingAccount(accounts, context.tenantId, id);
    const email = body.email.trim();
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw invalidValue('email must be an e-mail address');
    const accountEmailId = derivedId('account-email', context.commandId);
    const added = await accounts.accountEmails(
      accountEmailsStream(accountId),
      { type: 'AddEmail', data: { accountId, accountEmailId, email } },
      stepOf(context, accounts, 'email'),
    );
    await accounts.runtime.visible(unwrap(added, () => invalidValue('refused')).position);
    void reply.header('Location', locationOf(request, `/1.0/kb/accounts/${accountId}/emails`));
  }

  @Delete(':email')
  @HttpCode(204)
  async removeEmail(
    @Param('accountId') id: string,
    @Param('email') email: string,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { accounts } = this;
    const { accountId } = await existingAccount(accounts, context.tenantId, id);
    const removed = await accounts.accountEmails(
      accountEmailsStream(accountId),
      { type: 'RemoveEmail', data: { accountId, email } },
      stepOf(context, accounts, 'email'),
    );
    await accounts.runtime.visible(unwrap(removed, () => invalidValue('refused')).position);
  }
}
