import { type RequestContext, RequestCtx } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { debtOfInvoice, paymentsOfAccount, paymentsOfInvoice } from '@billstream/payments-read-models';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { type Payments, paymentsToken } from '../payments';
import { soon } from '../soon';
import { existingPayer, existingPayment } from './find';
import { PaymentQuery, invoicePaymentJson, paymentJson } from './payment-json';
import { unknownInvoice } from './problems';

@Controller('1.0/kb')
export class GetPaymentsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Get('payments/:paymentId')
  async payment(
    @Param('paymentId') id: string,
    @Query() query: PaymentQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<object> {
    return paymentJson(await existingPayment(this.payments, tenantId, id), query);
  }

  @Get('invoicePayments/:paymentId')
  async invoicePayment(
    @Param('paymentId') id: string,
    @Query() query: PaymentQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<object> {
    return invoicePaymentJson(await existingPayment(this.payments, tenantId, id), query);
  }

  @Get('accounts/:accountId/payments')
  async ofAccount(
    @Param('accountId') id: string,
    @Query() query: PaymentQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<readonly object[]> {
    const { accountId } = await existingPayer(this.payments, tenantId, id);
    const found = await paymentsOfAccount(this.payments.runtime.database, tenantId, accountId);
    return found.map((payment) => paymentJson(payment, query));
  }

  @Get('accounts/:accountId/invoicePayments')
  async invoicePaymentsOfAccount(
    @Param('accountId') id: string,
    @Query() query: PaymentQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<readonly object[]> {
    const { accountId } = await existingPayer(this.payments, tenantId, id);
    const found = await paymentsOfAccount(this.payments.runtime.database, tenantId, accountId);
    return found.map((payment) => invoicePaymentJson(payment, query));
  }

  @Get('invoices/:invoiceId/payments')
  async ofInvoice(
    @Param('invoiceId') id: string,
    @Query() query: PaymentQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<readonly object[]> {
    const { database } = this.payments.runtime;
    const invoiceId = parseUuid(id);
    const debt = invoiceId === null ? null : await soon(() => debtOfInvoice(database, tenantId, invoiceId));
    if (debt === null) throw unknownInvoice(id);
    const found = await paymentsOfInvoice(database, tenantId, debt.invoiceId);
    return found.map((payment) => invoicePaymentJson(payment, query));
  }
}
