import { type RequestContext, RequestCtx, locationOf } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Accounts, accountsToken } from '../accounts';
import { createAccount } from '../create-account';
import { AccountRequest } from './account-request';

@Controller('1.0/kb/accounts')
export class CreateAccountEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(201)
  async createAccount(
    @Body() body: AccountRequest,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const accountId = await createAccount(this.accounts, body, context);
    void reply.header('Location', locationOf(request, `/1.0/kb/accounts/${accountId}`));
  }
}
