import { type RequestContext, RequestCtx } from '@billstream/http';
import { clearState } from '@billstream/invoicing-domain';
import { overdueStateOfAccount } from '@billstream/invoicing-read-models';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { existingAccount } from '../http/find-account';
import { type Invoicing, invoicingToken } from '../invoicing';
import { overdueStateJson } from './overdue-json';

@Controller('1.0/kb/accounts')
export class AccountOverdueEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Get(':accountId/overdue')
  async getOverdueAccount(@Param('accountId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { accountId } = await existingAccount(this.invoicing, tenantId, id);
    const state = await overdueStateOfAccount(this.invoicing.runtime.database, tenantId, accountId);
    return overdueStateJson(state ?? clearState);
  }
}
