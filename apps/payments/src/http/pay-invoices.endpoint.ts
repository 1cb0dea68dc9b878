import { parseUuid } from '@billstream/kernel';
import { debtOfInvoice } from '@billstream/payments-read-models';
import { Body, Controller, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { IsIn, IsNumber, IsOptional, IsString } from 'class-validator';
import { externalMethodOf, payAllInvoices, payInvoice } from '../pay-invoices';
import { type Payments, paymentsToken } from '../payments';
import { soon } from '../soon';
import { amountFrom } from './amount';
import { type Answer, AnswerTo } from './answer';
import { existingPayer } from './find';
import { unknownInvoice } from './problems';

const flag = ['true', 'false'];

class InvoicePaymentRequest {
  @IsOptional() @IsString() readonly accountId?: string | null;
  @IsOptional() @IsNumber() readonly purchasedAmount?: number | null;
}

class PayQuery {
  @IsOptional() @IsIn(flag) readonly externalPayment?: string;
  @IsOptional() @IsString() readonly paymentAmount?: string;
}

/** Payments that somebody asks for: the next look at them is the executor's. 204: nothing was owed. */
@Controller('1.0/kb')
export class PayInvoicesEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Post('invoices/:invoiceId/payments')
  @HttpCode(201)
  async payOne(
    @Param('invoiceId') id: string,
    @Body() body: InvoicePaymentRequest,
    @Query() query: PayQuery,
    @AnswerTo() { context, created, nothing }: Answer,
  ): Promise<void> {
    const { payments } = this;
    const { database } = payments.runtime;
    const invoiceId = parseUuid(id);
    const debt = invoiceId === null ? null : await soon(() => debtOfInvoice(database, context.tenantId, invoiceId));
    if (debt === null) throw unknownInvoice(id);
    const { accountId, currency } = debt;
    const amountMinor = amountFrom('purchasedAmount', body.purchasedAmount, currency);
    const external = query.externalPayment === 'true' ? await externalMethodOf(payments, context, accountId) : null;
    const paid = await payInvoice(payments, context, debt.invoiceId, { accountId, external, amountMinor });
    if (paid === null) nothing();
    else created(`/1.0/kb/invoicePayments/${paid.paymentId}`);
  }

  @Post('accounts/:accountId/invoicePayments')
  @HttpCode(201)
  async payAll(
    @Param('accountId') id: string,
    @Query() query: PayQuery,
    @AnswerTo() { context, created, nothing }: Answer,
  ): Promise<void> {
    const { payments } = this;
    const { accountId, currency } = await existingPayer(payments, context.tenantId, id);
    const amountMinor = amountFrom('paymentAmount', query.paymentAmount, currency);
    const external = query.externalPayment === 'true' ? await externalMethodOf(payments, context, accountId) : null;
    const paid = await payAllInvoices(payments, context, { accountId, external, amountMinor });
    if (paid.length === 0) nothing();
    else created(`/1.0/kb/accounts/${accountId}/invoicePayments`);
  }
}
