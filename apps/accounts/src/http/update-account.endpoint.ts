import { accountStream, profileStream } from '@billstream/accounts-domain';
import { tenantSettings } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { AccountRequest, profileOf, termsOf } from './account-request';
import { existingAccount, familyOf } from './find-account';
import { accountProblem, invalidValue } from './problems';

class UpdateQuery {
  @IsOptional() @IsString() readonly treatNullAsReset?: string;
}

@Controller('1.0/kb/accounts')
export class UpdateAccountEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Put(':accountId')
  @HttpCode(204)
  async updateAccount(
    @Param('accountId') id: string,
    @Query() query: UpdateQuery,
    @Body() body: AccountRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { accounts } = this;
    const { accountId, paymentMethodId } = await existingAccount(accounts, context.tenantId, id);
    if ((body.paymentMethodId ?? paymentMethodId) !== paymentMethodId)
      throw invalidValue(
        'paymentMethodId is set by PUT /1.0/kb/accounts/{accountId}/paymentMethods/{paymentMethodId}/setDefault',
      );
    const onNull = query.treatNullAsReset?.toLowerCase() === 'true' ? ('reset' as const) : ('keep' as const);
    const terms = termsOf(body);
    const data = {
      terms,
      onNull,
      ...(await familyOf(accounts, context.tenantId, { named: terms.parentAccountId, accountId })),
      mayMoveBillCycleDay: await this.mayMoveBillCycleDay(context.tenantId),
    };
    const updated = unwrap(
      await accounts.account(
        accountStream(accountId),
        { type: 'UpdateAccount', data },
        stepOf(context, accounts, 'update'),
      ),
      accountProblem(accountId),
    );
    const recorded = unwrap(
      await accounts.profile(
        profileStream(accountId),
        { type: 'RecordProfile', data: { accountId, fields: profileOf(body), onNull } },
        stepOf(context, accounts, 'profile'),
      ),
      accountProblem(accountId),
    );
    await accounts.runtime.visible(recorded.position ?? updated.position);
  }

  /** Kill Bill's start-up switch `account.allowBCDUpdate`, here a setting of the tenant; on unless it says `false`. */
  private async mayMoveBillCycleDay(tenantId: string): Promise<boolean> {
    const settings = await tenantSettings(this.accounts.runtime.database, tenantId);
    const setting = Object.entries(settings).find(([name]) => name.endsWith('account.allowBCDUpdate'));
    return setting?.[1] !== 'false';
  }
}
