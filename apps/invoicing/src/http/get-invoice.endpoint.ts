import { AuditQuery, type RequestContext, RequestCtx } from '@billstream/http';
import { type InvoiceView, invoiceById, invoiceByItem, invoiceByNumber } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { shownInvoice } from '../family/child-items';
import { type Invoicing, invoicingToken } from '../invoicing';
import { lookTwice } from './find-account';
import { unknownInvoice, unknownItem, unknownNumber } from './problems';

export class ShownQuery extends AuditQuery {
  @IsOptional() @IsString() readonly withChildrenItems?: string;
}

@Controller('1.0/kb/invoices')
export class GetInvoiceEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Get('byNumber/:invoiceNumber')
  async byNumber(
    @Param('invoiceNumber') invoiceNumber: string,
    @Query() { withChildrenItems }: ShownQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { database } = this.invoicing.runtime;
    const found = await lookTwice(this.invoicing, () => invoiceByNumber(database, tenantId, invoiceNumber));
    if (found === null) throw unknownNumber(invoiceNumber);
    return shownInvoice(this.invoicing, tenantId, found, withChildrenItems);
  }

  @Get('byItemId/:itemId')
  async byItem(
    @Param('itemId') itemId: string,
    @Query() { withChildrenItems }: ShownQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const found = await this.find(itemId, (id) => invoiceByItem(this.invoicing.runtime.database, tenantId, id));
    if (found === null) throw unknownItem(itemId);
    return shownInvoice(this.invoicing, tenantId, found, withChildrenItems);
  }

  @Get(':invoiceId')
  async byId(
    @Param('invoiceId') invoiceId: string,
    @Query() { withChildrenItems }: ShownQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const found = await this.find(invoiceId, (id) => invoiceById(this.invoicing.runtime.database, tenantId, id));
    if (found === null) throw unknownInvoice(invoiceId);
    return shownInvoice(this.invoicing, tenantId, found, withChildrenItems);
  }

  private find(text: string, look: (id: string) => Promise<InvoiceView | null>): Promise<InvoiceView | null> {
    const id = parseUuid(text);
    return id === null ? Promise.resolve(null) : lookTwice(this.invoicing, () => look(id));
  }
}
