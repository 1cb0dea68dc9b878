import { type RequestContext, RequestCtx, auditLogJson } from '@billstream/http';
import { auditRecordsOfItems } from '@billstream/invoicing-read-models';
import { parseUuid } from '@billstream/kernel';
import { auditRecordsOf } from '@billstream/postgres';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { type Invoicing, invoicingToken } from '../invoicing';
import { lookUntil } from './find-account';
import { existingInvoice } from './issue';

/** As long as the audit trail may be behind the invoices. */
const patienceMs = 1_000;

/** Who changed an invoice, and who brought an item onto it; an item that there is not has no history. */
@Controller('1.0/kb')
export class AuditLogsEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @Get('invoices/:invoiceId/auditLogsWithHistory')
  async historyOfInvoice(@Param('invoiceId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { database } = this.invoicing.runtime;
    const { invoiceId } = await existingInvoice(this.invoicing, tenantId, id);
    const look = () => auditRecordsOf(database, tenantId, [invoiceId]);
    const records = await lookUntil(look, ({ length }) => length > 0, patienceMs);
    return records.map((record) => auditLogJson(record, 'with'));
  }

  @Get('invoiceItems/:invoiceItemId/auditLogsWithHistory')
  async historyOfItem(@Param('invoiceItemId') text: string, @RequestCtx() { tenantId }: RequestContext) {
    const id = parseUuid(text);
    const records = id === null ? [] : await auditRecordsOfItems(this.invoicing.runtime.database, tenantId, [id]);
    return records.map((record) => auditLogJson(record, 'with'));
  }
}
