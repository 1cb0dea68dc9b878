import { type RequestContext, RequestCtx, auditLogJson } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { auditRecordsOf } from '@billstream/postgres';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { type Payments, paymentsToken } from '../payments';
import { existingMethod, existingPayment } from './find';
import { paymentOfTransaction } from './payment-operations';

/** Who changed a payment, a transaction or a payment method, and how. */
@Controller('1.0/kb')
export class AuditLogsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Get('payments/:paymentId/auditLogsWithHistory')
  async historyOfPayment(@Param('paymentId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { paymentId } = await existingPayment(this.payments, tenantId, id);
    return this.historyOf(tenantId, paymentId);
  }

  /** The payment of an invoice is the payment itself here, so it has the same history. */
  @Get('invoicePayments/:paymentId/auditLogsWithHistory')
  async historyOfInvoicePayment(@Param('paymentId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { paymentId } = await existingPayment(this.payments, tenantId, id);
    return this.historyOf(tenantId, paymentId);
  }

  @Get('paymentTransactions/:transactionId/auditLogsWithHistory')
  async historyOfTransaction(@Param('transactionId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    await paymentOfTransaction(this.payments, tenantId, id);
    return this.historyOf(tenantId, parseUuid(id) ?? id);
  }

  @Get('paymentMethods/:paymentMethodId/auditLogsWithHistory')
  async historyOfMethod(@Param('paymentMethodId') id: string, @RequestCtx() { tenantId }: RequestContext) {
    const { paymentMethodId } = await existingMethod(this.payments, tenantId, { id, includeRemoved: true });
    return this.historyOf(tenantId, paymentMethodId);
  }

  private async historyOf(tenantId: string, objectId: string) {
    const records = await auditRecordsOf(this.payments.runtime.database, tenantId, [objectId]);
    return records.map((record) => auditLogJson(record, 'with'));
  }
}
