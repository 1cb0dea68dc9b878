import { killBillProblem } from '@billstream/http';
import { payerByKey } from '@billstream/payments-read-models';
import { Body, Controller, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsDefined, IsObject, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';
import { type Payments, paymentsToken } from '../payments';
import { soon } from '../soon';
import { PaymentMethodRequest, addPaymentMethod } from './add-payment-method';
import { type Answer, AnswerTo } from './answer';
import { existingPayer } from './find';
import { beginningOf, payDirectly } from './pay-directly';
import { unknownMethod } from './problems';
import { TransactionRequest } from './transaction-request';

class DirectPaymentQuery {
  @IsOptional() @IsString() readonly paymentMethodId?: string;
}

class ByAccountKeyQuery extends DirectPaymentQuery {
  @IsString() readonly externalKey!: string;
}

class ComboAccount {
  @IsString() @MaxLength(36) readonly accountId!: string;
}

class ComboMethod extends PaymentMethodRequest {
  @IsOptional() @IsString() @MaxLength(36) readonly paymentMethodId?: string | null;
}

/** Kill Bill's ComboPaymentTransaction (0.24); the account is one that accounts have found or made. */
class ComboRequest {
  @IsDefined() @IsObject() @ValidateNested() @Type(() => ComboAccount) readonly account!: ComboAccount;
  @IsOptional() @IsObject() @ValidateNested() @Type(() => ComboMethod) readonly paymentMethod?: ComboMethod | null;
  @IsDefined() @IsObject() @ValidateNested() @Type(() => TransactionRequest) readonly transaction!: TransactionRequest;
}

/** Payments that nobody was invoiced for: authorisations, purchases and credits of an account. */
@Controller('1.0/kb')
export class DirectPaymentsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Post('accounts/payments')
  @HttpCode(201)
  @ApiOperation({ operationId: 'processPaymentByExternalKey', summary: 'Pay, the account named by its key' })
  async payByAccountKey(
    @Body() body: TransactionRequest,
    @Query() query: ByAccountKeyQuery,
    @AnswerTo() answer: Answer,
  ): Promise<void> {
    const { database } = this.payments.runtime;
    const { externalKey } = query;
    const payer = await soon(() => payerByKey(database, answer.context.tenantId, externalKey));
    if (payer === null)
      throw killBillProblem(404, 3003, 'AccountApiException', `Account does not exist for key ${externalKey}`);
    await payDirectly(this.payments, answer, { payer, body, paymentMethodId: query.paymentMethodId ?? null });
  }

  @Post('accounts/:accountId/payments')
  @HttpCode(201)
  @ApiOperation({ operationId: 'processPayment', summary: 'Authorise, purchase or credit' })
  async pay(
    @Param('accountId') id: string,
    @Body() body: TransactionRequest,
    @Query() query: DirectPaymentQuery,
    @AnswerTo() answer: Answer,
  ): Promise<void> {
    const payer = await existingPayer(this.payments, answer.context.tenantId, id);
    await payDirectly(this.payments, answer, { payer, body, paymentMethodId: query.paymentMethodId ?? null });
  }

  /** Account, payment method and payment in one request: what is there is used, what is not is made. */
  @Post('payments/combo')
  @HttpCode(201)
  @ApiOperation({ operationId: 'createComboPayment', summary: 'Pay, the account and the method made on the way' })
  async payCombined(@Body() body: ComboRequest, @AnswerTo() answer: Answer): Promise<void> {
    beginningOf(body.transaction);
    const payer = await existingPayer(this.payments, answer.context.tenantId, body.account.accountId);
    const paymentMethodId = await this.methodFor(payer.accountId, body.paymentMethod ?? null, answer);
    await payDirectly(this.payments, answer, { payer, body: body.transaction, paymentMethodId });
  }

  /** One of the account's own by id or key, else a new one, the default if it is the first. Null: the request names none. */
  private async methodFor(accountId: string, wanted: ComboMethod | null, { context }: Answer): Promise<string | null> {
    const { payments } = this;
    if (wanted?.pluginName == null) return wanted?.paymentMethodId ?? null;
    const { methods } = await payments.payerState(context.tenantId, accountId);
    const own = Object.values(methods);
    const { paymentMethodId, externalKey } = wanted;
    if (paymentMethodId != null) {
      if (own.some((one) => one.paymentMethodId === paymentMethodId)) return paymentMethodId;
      throw unknownMethod(paymentMethodId);
    }
    const ofKey = externalKey == null ? undefined : own.find((one) => one.externalKey === externalKey);
    if (ofKey !== undefined) return ofKey.paymentMethodId;
    const added = await addPaymentMethod(payments, context, { accountId, body: wanted, isDefault: own.length === 0 });
    return added.paymentMethodId;
  }
}
