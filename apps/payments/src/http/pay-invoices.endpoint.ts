import { type RequestContext, killBillProblem } from '@billstream/http';
import { type Instant, type LocalDate, parseLocalDate, parseUuid, plusMs } from '@billstream/kernel';
import type { ChargedMethod, ClientKeys } from '@billstream/payments-domain';
import { debtOfInvoice, paymentById } from '@billstream/payments-read-models';
import { Body, Controller, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsNumber,
  IsOptional,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { type Paid, externalMethodOf, payAllInvoices, payInvoice } from '../pay-invoices';
import { type Payments, paymentsToken } from '../payments';
import { soon } from '../soon';
import { amountFrom } from './amount';
import { type Answer, AnswerTo } from './answer';
import { existingMethod, existingPayer, lookTwice } from './find';
import { paidLocation } from './paid-location';
import { invalidValue, unknownInvoice } from './problems';
import { failureOf } from './transaction-problems';
import { TransactionRequest, keyOf } from './transaction-request';

const flag = ['true', 'false'];

class InvoicePaymentRequest {
  @IsOptional() @IsString() readonly accountId?: string | null;
  @IsOptional() @IsNumber() readonly purchasedAmount?: number | null;
  @IsOptional() @IsString() @MaxLength(36) readonly paymentMethodId?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly paymentExternalKey?: string | null;
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(10)
  @ValidateNested({ each: true })
  @Type(() => TransactionRequest)
  readonly transactions?: readonly TransactionRequest[] | null;
}

class PayQuery {
  @IsOptional() @IsIn(flag) readonly externalPayment?: string;
  @IsOptional() @IsString() readonly paymentAmount?: string;
  @IsOptional() @IsString() readonly paymentMethodId?: string;
}

class PayAllQuery extends PayQuery {
  @IsOptional() @IsString() readonly targetDate?: string;
}

/** Payments that somebody asks for, made before the answer. 204: nothing was owed. */
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
    const method = await this.methodNamed(body.paymentMethodId, accountId, context);
    const how = { accountId, external, amountMinor, method, keys: keysOf(body) };
    const paid = await payInvoice(payments, context, debt.invoiceId, how);
    if (paid === null) {
      nothing();
      return;
    }
    created(`/1.0/kb/invoicePayments/${paid.paymentId}`);
    await this.assertPaid(paid, context);
  }

  /** The payment is there either way; who asked for it is told what came of it (Kill Bill 1.3). */
  private async assertPaid(
    { paymentId, transactionId }: Omit<Paid, 'amountMinor'>,
    { tenantId }: RequestContext,
  ): Promise<void> {
    const { database } = this.payments.runtime;
    const view = await lookTwice(this.payments, () => paymentById(database, tenantId, paymentId));
    const made = view?.transactions.find((transaction) => transaction.transactionId === transactionId);
    const failure = failureOf(made ?? { transactionId, transactionType: 'PURCHASE', state: 'ABORTED' });
    if (failure !== null) throw failure;
  }

  @Post('accounts/:accountId/invoicePayments')
  @HttpCode(201)
  async payAll(
    @Param('accountId') id: string,
    @Query() query: PayAllQuery,
    @AnswerTo() { context, created, nothing }: Answer,
  ): Promise<void> {
    const { payments } = this;
    const { accountId, currency } = await existingPayer(payments, context.tenantId, id);
    const amountMinor = amountFrom('paymentAmount', query.paymentAmount, currency);
    const external = query.externalPayment === 'true' ? await externalMethodOf(payments, context, accountId) : null;
    const method = await this.methodNamed(query.paymentMethodId, accountId, context);
    const upTo = dayUpTo(query.targetDate, payments.runtime.clock.now(context.tenantId));
    const paid = await payAllInvoices(payments, context, { accountId, external, amountMinor, method, upTo });
    if (paid.length === 0) nothing();
    else
      created(
        paidLocation(
          accountId,
          paid.map(({ invoiceId }) => invoiceId),
        ),
      );
  }

  /** Null: none is named. */
  private async methodNamed(
    name: string | null | undefined,
    accountId: string,
    { tenantId }: RequestContext,
  ): Promise<ChargedMethod | null> {
    const id = keyOf(name);
    if (id === null) return null;
    const method = await existingMethod(this.payments, tenantId, { id, includeRemoved: false });
    if (method.accountId !== accountId)
      throw killBillProblem(400, 7033, 'PaymentApiException', `Payment method ${id} is another account's`);
    if (method.credential === null) throw invalidValue(`paymentMethodId: ${method.pluginName} cannot be charged`);
    return { paymentMethodId: method.paymentMethodId, pluginName: method.pluginName, credential: method.credential };
  }
}

/** How far the first place on earth where a day begins is ahead of UTC. */
const aheadOfUtcMs = 14 * 3_600_000;

/**
 * Kill Bill pays what charges up to today by UTC unless told otherwise; with us an invoice of today is one wherever the
 * account is.
 */
const dayUpTo = (asked: string | undefined, now: Instant): LocalDate => {
  const date = parseLocalDate(asked ?? plusMs(now, aheadOfUtcMs).slice(0, 10));
  if (date === null) throw invalidValue(`targetDate: ${asked ?? ''} is no date`);
  return date;
};

const keysOf = ({ paymentExternalKey, transactions }: InvoicePaymentRequest): ClientKeys => {
  const paymentKey = keyOf(paymentExternalKey);
  const transactionKey = keyOf(transactions?.[0]?.transactionExternalKey);
  return { ...(paymentKey === null ? {} : { paymentKey }), ...(transactionKey === null ? {} : { transactionKey }) };
};
