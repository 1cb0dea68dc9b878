import { killBillProblem } from '@billstream/http';
import type { TransactionType } from '@billstream/payments-contracts';
import { Body, Controller, Delete, HttpCode, Inject, Post, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { type Payments, paymentsToken } from '../payments';
import { type Answer, AnswerTo } from './answer';
import { completePending, operate, paymentNamed, reverseChargeback } from './payment-operations';
import { TransactionRequest } from './transaction-request';

/** What can be asked of a payment that is there, named by a key in the body. */
@Controller('1.0/kb/payments')
export class PaymentOperationsByKeyEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Post()
  @HttpCode(201)
  @ApiOperation({ operationId: 'captureAuthorizationByExternalKey', summary: 'Take what was authorised, by key' })
  captureByKey(@Body() body: TransactionRequest, @AnswerTo() answer: Answer): Promise<void> {
    return this.make('CAPTURE', body, answer);
  }

  @Post('refunds')
  @HttpCode(201)
  @ApiOperation({ operationId: 'refundPaymentByExternalKey', summary: 'Give back what was paid, by key' })
  refundByKey(@Body() body: TransactionRequest, @AnswerTo() answer: Answer): Promise<void> {
    return this.make('REFUND', body, answer);
  }

  @Post('chargebacks')
  @HttpCode(201)
  @ApiOperation({ operationId: 'chargebackPaymentByExternalKey', summary: 'Record a chargeback, by key' })
  chargebackByKey(@Body() body: TransactionRequest, @AnswerTo() answer: Answer): Promise<void> {
    return this.make('CHARGEBACK', body, answer);
  }

  @Post('chargebackReversals')
  @HttpCode(201)
  @ApiOperation({ operationId: 'chargebackReversalPaymentByExternalKey', summary: 'Undo a chargeback, by key' })
  async reverseByKey(@Body() body: TransactionRequest, @AnswerTo() { context, created }: Answer): Promise<void> {
    const view = await paymentNamed(this.payments, context, { id: null, body });
    await reverseChargeback(this.payments, context, { view, body });
    created(`/1.0/kb/payments/${view.paymentId}`);
  }

  @Put()
  @HttpCode(204)
  @ApiOperation({ operationId: 'completeTransactionByExternalKey', summary: 'Go on with what is pending, by key' })
  async completeByKey(@Body() body: TransactionRequest, @AnswerTo() { context }: Answer): Promise<void> {
    const view = await paymentNamed(this.payments, context, { id: null, body });
    await completePending(this.payments, context, { view, body });
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ operationId: 'voidPaymentByExternalKey', summary: 'Give up an authorisation, by key' })
  async voidByKey(@Body() body: TransactionRequest, @AnswerTo() { context }: Answer): Promise<void> {
    const view = await paymentNamed(this.payments, context, { id: null, body });
    await operate(this.payments, context, { view, type: 'VOID', body });
  }

  private async make(type: TransactionType, body: TransactionRequest, answer: Answer): Promise<void> {
    const { context, created } = answer;
    const view = await paymentNamed(this.payments, context, { id: null, body });
    created(`/1.0/kb/payments/${view.paymentId}`);
    // The key names the payment here as well as the new transaction; one that names an old one cannot be both.
    const isOld = view.transactions.some(({ externalKey }) => externalKey === body.transactionExternalKey);
    if (isOld && body.paymentExternalKey == null && body.paymentId == null)
      throw killBillProblem(400, 7030, 'PaymentApiException', 'transactionExternalKey is another transaction’s key');
    await operate(this.payments, context, { view, type, body });
  }
}
