import { type RequestContext, RequestCtx } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { type Accounts, accountsToken } from '../accounts';
import { BalanceQuery, answerAccounts } from './account-json';
import { existingAccount } from './find-account';
import { IsId } from './validators';

class OwnerRequest {
  @IsId() readonly accountId!: string;
}

/** Accounts' part of an invoice's page: whose it is, and which language they read. The gateway hands it to invoicing. */
@Controller('1.0/kb/internal/invoices/:invoiceId/html')
export class InvoiceOwnerEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(200)
  async owner(@Body() { accountId }: OwnerRequest, @RequestCtx() { tenantId }: RequestContext): Promise<object> {
    const found = await existingAccount(this.accounts, tenantId, accountId);
    const [account] = await answerAccounts(this.accounts, [found], { tenantId, query: new BalanceQuery() });
    return { account };
  }
}
