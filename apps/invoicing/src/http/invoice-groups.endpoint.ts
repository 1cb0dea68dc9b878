import { type RequestContext, RequestCtx, locationOf, requestContextOf } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Invoicing, invoicingToken } from '../invoicing';
import { RunQuery, accountIdOf, runInvoice } from './create-invoice.endpoint';
import { shownInvoice } from '../family/child-items';
import { existingAccount } from './find-account';
import { ShownQuery } from './get-invoice.endpoint';
import { existingInvoice } from './issue';
import { unknownInvoice } from './problems';

class GroupQuery extends ShownQuery {
  @IsOptional() @IsString() readonly accountId?: string;
}

/** Nothing here splits a run over several invoices, so a group is the one invoice that the run made, under its id. */
@Controller('1.0/kb/invoices')
export class InvoiceGroupsEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /** 201 and where the group is; 404 without a body when there is nothing to invoice. */
  @Post('group')
  async createFutureInvoiceGroup(
    @Query() query: RunQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const context = requestContextOf(request);
    const account = await existingAccount(this.invoicing, context.tenantId, accountIdOf(query));
    const groupId = await runInvoice(this.invoicing, account, query, context);
    if (groupId === null) {
      void reply.status(404);
      return;
    }
    const path = `/1.0/kb/invoices/${groupId}/group?accountId=${account.accountId}`;
    void reply.status(201).header('Location', locationOf(request, path));
  }

  @Get(':groupId/group')
  async getInvoicesGroup(
    @Param('groupId') groupId: string,
    @Query() query: GroupQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const accountId = parseUuid(accountIdOf(query));
    const invoice = await existingInvoice(this.invoicing, tenantId, groupId);
    if (invoice.accountId !== accountId) throw unknownInvoice(groupId);
    return [await shownInvoice(this.invoicing, tenantId, invoice, query.withChildrenItems)];
  }
}
