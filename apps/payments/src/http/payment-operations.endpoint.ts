import type { TransactionType } from '@billstream/payments-contracts';
import { Body, Controller, Delete, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { type Payments, paymentsToken } from '../payments';
import { type Answer, AnswerTo } from './answer';
import { completePending, operate, paymentNamed, reverseChargeback } from './payment-operations';
import { TransactionRequest } from './transaction-request';

type Asked = { readonly id: string; readonly body: TransactionRequest; readonly answer: Answer };

/** What can be asked of a payment that is there, named by its id. */
@Controller('1.0/kb/payments/:paymentId')
export class PaymentOperationsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Post()
  @HttpCode(201)
  @ApiOperation({ operationId: 'captureAuthorization', summary: 'Take what was authorised' })
  capture(@Param('paymentId') id: string, @Body() body: TransactionRequest, @AnswerTo() answer: Answer): Promise<void> {
    return this.make('CAPTURE', { id, body, answer });
  }

  @Post('refunds')
  @HttpCode(201)
  @ApiOperation({ operationId: 'refundPayment', summary: 'Give back what was paid' })
  refund(@Param('paymentId') id: string, @Body() body: TransactionRequest, @AnswerTo() answer: Answer): Promise<void> {
    return this.make('REFUND', { id, body, answer });
  }

  @Post('chargebacks')
  @HttpCode(201)
  @ApiOperation({ operationId: 'chargebackPayment', summary: 'Record that the payer’s bank took money back' })
  chargeback(
    @Param('paymentId') id: string,
    @Body() body: TransactionRequest,
    @AnswerTo() answer: Answer,
  ): Promise<void> {
    return this.make('CHARGEBACK', { id, body, answer });
  }

  @Post('chargebackReversals')
  @HttpCode(201)
  @ApiOperation({ operationId: 'chargebackReversalPayment', summary: 'Record that a chargeback was undone' })
  async reverse(
    @Param('paymentId') id: string,
    @Body() body: TransactionRequest,
    @AnswerTo() { context, created }: Answer,
  ): Promise<void> {
    const view = await paymentNamed(this.payments, context, { id, body });
    await reverseChargeback(this.payments, context, { view, body });
    created(`/1.0/kb/payments/${view.paymentId}`);
  }

  @Put()
  @HttpCode(204)
  @ApiOperation({ operationId: 'completeTransaction', summary: 'Go on with a pending transaction' })
  async complete(
    @Param('paymentId') id: string,
    @Body() body: TransactionRequest,
    @AnswerTo() { context }: Answer,
  ): Promise<void> {
    const view = await paymentNamed(this.payments, context, { id, body });
    await completePending(this.payments, context, { view, body });
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({ operationId: 'voidPayment', summary: 'Give up an authorisation' })
  async void(
    @Param('paymentId') id: string,
    @Body() body: TransactionRequest,
    @AnswerTo() { context }: Answer,
  ): Promise<void> {
    const view = await paymentNamed(this.payments, context, { id, body });
    await operate(this.payments, context, { view, type: 'VOID', body });
  }

  private async make(type: TransactionType, { id, body, answer }: Asked): Promise<void> {
    const { context, created } = answer;
    const view = await paymentNamed(this.payments, context, { id, body });
    created(`/1.0/kb/payments/${view.paymentId}`);
    await operate(this.payments, context, { view, type, body });
  }
}
