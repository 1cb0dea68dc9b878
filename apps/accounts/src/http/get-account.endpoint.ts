import { accountByKey, childrenOf } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, killBillProblem } from '@billstream/http';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Accounts, accountsToken } from '../accounts';
import { BalanceQuery, answerAccounts } from './account-json';
import { existingAccount, lookTwice } from './find-account';

class KeyQuery extends BalanceQuery {
  @IsOptional() @IsString() readonly externalKey?: string;
}

@Controller('1.0/kb/accounts')
export class GetAccountEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Get()
  async byExternalKey(@Query() query: KeyQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { externalKey } = query;
    if (externalKey === undefined)
      throw killBillProblem(400, 3004, 'AccountApiException', 'externalKey: an account key cannot be null');
    const { database } = this.accounts.runtime;
    const found = await lookTwice(this.accounts, () => accountByKey(database, tenantId, externalKey));
    if (found === null)
      throw killBillProblem(404, 3003, 'AccountApiException', `Account does not exist for key ${externalKey}`);
    return (await answerAccounts(this.accounts, [found], { tenantId, query }))[0];
  }

  @Get(':accountId')
  async byId(@Param('accountId') id: string, @Query() query: BalanceQuery, @RequestCtx() { tenantId }: RequestContext) {
    const found = await existingAccount(this.accounts, tenantId, id);
    return (await answerAccounts(this.accounts, [found], { tenantId, query }))[0];
  }

  @Get(':accountId/children')
  async children(
    @Param('accountId') id: string,
    @Query() query: BalanceQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { accountId } = await existingAccount(this.accounts, tenantId, id);
    const children = await childrenOf(this.accounts.runtime.database, tenantId, accountId);
    return answerAccounts(this.accounts, children, { tenantId, query });
  }
}
