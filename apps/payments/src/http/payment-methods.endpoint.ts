import { type RequestContext, RequestCtx, killBillProblem, unwrap } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { payerAccountStream } from '@billstream/payments-domain';
import { methodByKey, methodsOfAccount } from '@billstream/payments-read-models';
import { Controller, Delete, Get, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiQuery } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';
import { payAllInvoices } from '../pay-invoices';
import { type Payments, paymentsToken, stepOf } from '../payments';
import { existingMethod, existingPayer, lookTwice } from './find';
import { MethodQuery, methodJson } from './payment-method-json';
import { payerProblem, unknownMethod } from './problems';

const flag = ['true', 'false'];

class KeyQuery extends MethodQuery {
  @IsString() readonly externalKey!: string;
}

class DeleteQuery {
  @IsOptional() @IsIn(flag) readonly deleteDefaultPmWithAutoPayOff?: string;
  @IsOptional() @IsIn(flag) readonly forceDefaultPmDeletion?: string;
}

class SetDefaultQuery {
  @IsOptional() @IsIn(flag) readonly payAllUnpaidInvoices?: string;
}

@Controller('1.0/kb/paymentMethods')
export class PaymentMethodsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Get()
  async byExternalKey(@Query() query: KeyQuery, @RequestCtx() { tenantId }: RequestContext): Promise<object> {
    const lookup = { by: query.externalKey, includeRemoved: query.includedDeleted === 'true' };
    const { database } = this.payments.runtime;
    const found = await lookTwice(this.payments, () => methodByKey(database, tenantId, lookup));
    if (found === null) throw unknownMethod(query.externalKey);
    return methodJson(found, query);
  }

  @Get(':paymentMethodId')
  async byId(
    @Param('paymentMethodId') id: string,
    @Query() query: MethodQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<object> {
    const includeRemoved = query.includedDeleted === 'true';
    return methodJson(await existingMethod(this.payments, tenantId, { id, includeRemoved }), query);
  }

  /** Of a default that goes with `deleteDefaultPmWithAutoPayOff` the account keeps the tag AUTO_PAY_OFF, which accounts put on. */
  @Delete(':paymentMethodId')
  @HttpCode(204)
  async remove(
    @Param('paymentMethodId') id: string,
    @Query() query: DeleteQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { payments } = this;
    const method = await existingMethod(payments, context.tenantId, { id, includeRemoved: false });
    const { paymentMethodId, accountId } = method;
    const isAutoPayOff = query.deleteDefaultPmWithAutoPayOff === 'true';
    const mayBeDefault = query.forceDefaultPmDeletion === 'true' || isAutoPayOff;
    const data = { paymentMethodId, mayBeDefault, isAutoPayOff };
    const command = { type: 'RemovePaymentMethod' as const, data };
    const step = stepOf(context, payments, 'remove-payment-method');
    const removed = unwrap(await payments.payer(payerAccountStream(accountId), command, step), payerProblem(accountId));
    await payments.runtime.visible(removed.position);
  }
}

@Controller('1.0/kb/accounts/:accountId/paymentMethods')
export class AccountPaymentMethodsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Get()
  async ofAccount(
    @Param('accountId') id: string,
    @Query() query: MethodQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<readonly object[]> {
    const { accountId } = await existingPayer(this.payments, tenantId, id);
    const lookup = { by: accountId, includeRemoved: query.includedDeleted === 'true' };
    const methods = await methodsOfAccount(this.payments.runtime.database, tenantId, lookup);
    return methods.map((method) => methodJson(method, query));
  }

  /** Methods are in the log as soon as there are any, and no provider here lists others: there is nothing to fetch. */
  @Put('refresh')
  @HttpCode(204)
  @ApiQuery({ name: 'pluginName', required: false, description: 'The provider to ask; none has anything to tell' })
  @ApiOperation({ operationId: 'refreshPaymentMethods', summary: 'Fetch an account’s methods from its providers' })
  async refresh(@Param('accountId') id: string, @RequestCtx() { tenantId }: RequestContext): Promise<void> {
    await existingPayer(this.payments, tenantId, id);
  }

  @Put(':paymentMethodId/setDefault')
  @HttpCode(204)
  async setDefault(
    @Param('accountId') id: string,
    @Param('paymentMethodId') methodId: string,
    @Query() query: SetDefaultQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { payments } = this;
    const { accountId } = await existingPayer(payments, context.tenantId, id);
    const method = await existingMethod(payments, context.tenantId, { id: methodId, includeRemoved: false });
    if (method.accountId !== parseUuid(id))
      throw killBillProblem(400, 7033, 'PaymentApiException', `Payment method ${methodId} is another account's`);
    const { paymentMethodId } = method;
    const step = stepOf(context, payments, 'set-default-method');
    const set = unwrap(
      await payments.payer(
        payerAccountStream(accountId),
        { type: 'SetDefaultMethod', data: { paymentMethodId } },
        step,
      ),
      payerProblem(accountId),
    );
    await payments.runtime.visible(set.position);
    if (query.payAllUnpaidInvoices === 'true')
      await payAllInvoices(payments, context, { accountId, external: null, amountMinor: null });
  }
}
