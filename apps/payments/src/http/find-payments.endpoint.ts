import { AuditQuery, type RequestContext, RequestCtx, locationOf, paginate, requestContextOf } from '@billstream/http';
import { methodsPage, paymentsPage } from '@billstream/payments-read-models';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Payments, paymentsToken } from '../payments';
import { PaymentQuery, invoicePaymentJson, paymentJson } from './payment-json';
import { methodJson } from './payment-method-json';
import { paymentOfKey, paymentOfTransaction, paymentOfTransactionKey } from './payment-operations';

/** What PostgreSQL takes for a number of rows, and more than anybody reads. */
const rowsMax = 1_000_000_000;

class PageQuery extends AuditQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(-rowsMax) @Max(rowsMax) readonly offset: number = 0;
  @IsOptional() @Type(() => Number) @IsInt() @Min(-rowsMax) @Max(rowsMax) readonly limit: number = 100;
  @IsOptional() @IsString() readonly pluginName?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly withPluginInfo?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly withAttempts?: string;
}

class PaymentKeyQuery extends PaymentQuery {
  @IsString() readonly externalKey!: string;
}

class TransactionKeyQuery extends PaymentQuery {
  @IsString() readonly transactionExternalKey!: string;
}

type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply };

/** Payments and methods that are looked for by anything but their id. */
@Controller('1.0/kb')
export class FindPaymentsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Get('payments')
  @ApiOperation({ operationId: 'getPaymentByExternalKey', summary: 'A payment by its external key' })
  async byKey(@Query() query: PaymentKeyQuery, @RequestCtx() { tenantId }: RequestContext): Promise<object> {
    return paymentJson(await paymentOfKey(this.payments, tenantId, query.externalKey), query);
  }

  @Get('payments/pagination')
  @ApiOperation({ operationId: 'getPayments', summary: 'All payments, page by page' })
  list(@Query() query: PageQuery, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.paymentsPage(query, null, { request, reply });
  }

  @Get('payments/search/:searchKey')
  @ApiOperation({ operationId: 'searchPayments', summary: 'Payments by id, key, account, reference or state' })
  search(
    @Param('searchKey') searchKey: string,
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.paymentsPage(query, searchKey, { request, reply });
  }

  @Get('paymentTransactions')
  @ApiOperation({ operationId: 'getPaymentByTransactionExternalKey', summary: 'A payment by a transaction’s key' })
  async byTransactionKey(
    @Query() query: TransactionKeyQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<object> {
    return paymentJson(await paymentOfTransactionKey(this.payments, tenantId, query.transactionExternalKey), query);
  }

  @Get('paymentTransactions/:transactionId')
  @ApiOperation({ operationId: 'getPaymentByTransactionId', summary: 'A payment by a transaction’s id' })
  async byTransaction(
    @Param('transactionId') id: string,
    @Query() query: PaymentQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<object> {
    return paymentJson(await paymentOfTransaction(this.payments, tenantId, id), query);
  }

  @Get('paymentMethods/pagination')
  @ApiOperation({ operationId: 'getPaymentMethods', summary: 'All payment methods, page by page' })
  listMethods(
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.methodsPage(query, null, { request, reply });
  }

  @Get('paymentMethods/search/:searchKey')
  @ApiOperation({ operationId: 'searchPaymentMethods', summary: 'Payment methods by id, key, account or plugin' })
  searchMethods(
    @Param('searchKey') searchKey: string,
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.methodsPage(query, searchKey, { request, reply });
  }

  private async paymentsPage(query: PageQuery, search: string | null, { request, reply }: Exchange) {
    const wanted = { ...pageOf(query), search };
    const { tenantId } = requestContextOf(request);
    const { payments, total } = await paymentsPage(this.payments.runtime.database, tenantId, wanted);
    paginate(reply, { ...wanted, total, uri: locationOf(request, request.url) });
    return payments.map((payment) =>
      payment.invoiceId === null ? paymentJson(payment, query) : invoicePaymentJson(payment, query),
    );
  }

  private async methodsPage(query: PageQuery, search: string | null, { request, reply }: Exchange) {
    const wanted = { ...pageOf(query), search };
    const { tenantId } = requestContextOf(request);
    const { methods, total } = await methodsPage(this.payments.runtime.database, tenantId, wanted);
    paginate(reply, { ...wanted, total, uri: locationOf(request, request.url) });
    return methods.map((method) => methodJson(method, query));
  }
}

const pageOf = ({ offset, limit, pluginName }: PageQuery) => ({
  ...{ offset: Math.max(0, offset), limit },
  pluginName: pluginName === undefined || pluginName === '' ? null : pluginName,
});
