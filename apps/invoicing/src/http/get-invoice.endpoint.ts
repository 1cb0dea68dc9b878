import { type RequestContext, RequestCtx } from '@billstream/http';
import { type InvoiceView, invoiceById, invoiceByItem, invoiceByNumber } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { type Invoicing, invoicingToken } from '../invoicing';
import { lookTwice } from './find-account';
import { invoiceJson } from './invoice-json';
import { unknownInvoice, unknownItem, unknownNumber } from './problems';

@Controller('1.0/kb/invoices')
export class GetInvoiceEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Get('byNumber/:invoiceNumber')
  async byNumber(@Param('invoiceNumber') invoiceNumber: string, @RequestCtx() { tenantId }: RequestContext) {
    const { database } = this.invoicing.runtime;
    const found = await lookTwice(this.invoicing, () => invoiceByNumber(database, tenantId, invoiceNumber));
    if (found === null) throw unknownNumber(invoiceNumber);
    return invoiceJson(found);
  }

  @Get('byItemId/:itemId')
  async byItem(@Param('itemId') itemId: string, @RequestCtx() { tenantId }: RequestContext) {
    const found = await this.find(itemId, (id) => invoiceByItem(this.invoicing.runtime.database, tenantId, id));
    if (found === null) throw unknownItem(itemId);
    return invoiceJson(found);
  }

  @Get(':invoiceId')
  async byId(@Param('invoiceId') invoiceId: string, @RequestCtx() { tenantId }: RequestContext) {
    const found = await this.find(invoiceId, (id) => invoiceById(this.invoicing.runtime.database, tenantId, id));
    if (found === null) throw unknownInvoice(invoiceId);
    return invoiceJson(found);
  }

  private find(text: string, look: (id: string) => Promise<InvoiceView | null>): Promise<InvoiceView | null> {
    const id = parseUuid(text);
    return id === null ? Promise.resolve(null) : lookTwice(this.invoicing, () => look(id));
  }
}
