import { accountByKey } from '@billstream/accounts-read-models';
import { type RequestContext, RequestCtx } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsArray, IsDefined, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { type Accounts, accountsToken } from '../accounts';
import { createAccount } from '../create-account';
import { AccountRequest } from './account-request';
import { existingAccount, lookTwice } from './find-account';
import { IsId } from './validators';

class ComboAccount extends AccountRequest {
  @IsOptional() @IsId() readonly accountId?: string | null;
}

/** Kill Bill's ComboPaymentTransaction and ComboHostedPaymentPage (0.24); all but the account is payments' to read. */
class ComboRequest {
  @IsDefined() @IsObject() @ValidateNested() @Type(() => ComboAccount) readonly account!: ComboAccount;
  @IsOptional() @IsObject() readonly paymentMethod?: object | null;
  @IsOptional() @IsObject() readonly transaction?: object | null;
  @IsOptional() @IsObject() readonly hostedPaymentPageFields?: object | null;
  @IsOptional() @IsArray() readonly paymentMethodPluginProperties?: readonly unknown[] | null;
  @IsOptional() @IsArray() readonly transactionPluginProperties?: readonly unknown[] | null;
}

/**
 * The first part of requests that bring the account along which they are about: it is found by its id or its key, and made
 * where there is none of that key. The gateway hands the answer on to payments.
 */
@Controller('1.0/kb/internal')
export class ComboAccountEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post(['payments/combo', 'paymentGateways/hosted/form'])
  @HttpCode(200)
  async nameAccount(@Body() body: ComboRequest, @RequestCtx() context: RequestContext): Promise<object> {
    const { account, ...rest } = body;
    return { ...rest, account: { accountId: await this.accountId(account, context) } };
  }

  private async accountId(account: ComboAccount, context: RequestContext): Promise<string> {
    const { accounts } = this;
    const { tenantId } = context;
    const { accountId, externalKey } = account;
    if (accountId != null) return (await existingAccount(accounts, tenantId, accountId)).accountId;
    const found =
      externalKey == null
        ? null
        : await lookTwice(accounts, () => accountByKey(accounts.runtime.database, tenantId, externalKey));
    return found?.accountId ?? createAccount(accounts, account, context);
  }
}
