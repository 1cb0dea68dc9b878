import { killBillProblem, unwrap } from '@billstream/http';
import { parseUuid } from '@billstream/kernel';
import { type InvoicePaymentsCommand, invoicePaymentsStream } from '@billstream/payments-domain';
import type { PaymentView, TransactionView } from '@billstream/payments-read-models';
import { Body, Controller, Delete, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiParam } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { type SaidState, correctTransaction } from '../correct-transaction';
import { type Payments, paymentsToken, stepOf } from '../payments';
import { type Answer, AnswerTo } from './answer';
import { existingPayment } from './find';
import { paymentOfTransaction, paymentOfTransactionKey } from './payment-operations';
import { invalidValue, paymentProblem } from './problems';
import { unknownTransaction } from './transaction-problems';
import { TransactionRequest } from './transaction-request';

const states: readonly SaidState[] = ['SUCCESS', 'PENDING', 'UNKNOWN', 'PAYMENT_FAILURE', 'PLUGIN_FAILURE'];

/** Kill Bill's AdminPayment (0.24). Names of payment states follow from the transactions here, so they say nothing new. */
export class AdminPaymentRequest {
  @IsOptional() @IsString() @MaxLength(64) readonly lastSuccessPaymentState?: string | null;
  @IsOptional() @IsString() @MaxLength(64) readonly currentPaymentStateName?: string | null;
  @IsIn(states) readonly transactionStatus!: SaidState;
}

class CorrectPath {
  @IsString() readonly paymentId!: string;
  @IsString() readonly transactionId!: string;
}

/** Kill Bill's `name=value`; `IPCD_RETRIES=true` asks for what failed by the correction to be tried again. */
class CorrectQuery {
  @IsOptional() readonly pluginProperty?: string | readonly string[];
}

class CancelByKeyQuery {
  @IsString() readonly transactionExternalKey!: string;
}

/** What somebody knows of a transaction that its provider did not answer. */
@Controller('1.0/kb')
export class CorrectTransactionsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Put('admin/payments/:paymentId/transactions/:transactionId')
  @HttpCode(204)
  @ApiOperation({ operationId: 'updatePaymentTransactionState', summary: 'Correct the state of a transaction' })
  @ApiParam({ name: 'paymentId' })
  @ApiParam({ name: 'transactionId' })
  async correct(
    @Param() { paymentId, transactionId }: CorrectPath,
    @Body() body: AdminPaymentRequest,
    @Query() { pluginProperty = [] }: CorrectQuery,
    @AnswerTo() { context }: Answer,
  ): Promise<void> {
    const view = await existingPayment(this.payments, context.tenantId, paymentId);
    const transaction = transactionIn(view, transactionId);
    const said = body.transactionStatus;
    const retries = [pluginProperty].flat().includes('IPCD_RETRIES=true') ? 'asked-for' : 'as-said';
    if (!(await correctTransaction(this.payments, context, { view, transaction, said, by: 'operator', retries })))
      throw killBillProblem(
        400,
        7032,
        'PaymentApiException',
        `Transaction ${transactionId} is ${transaction.state} for good`,
      );
  }

  /** The provider, or who stands for it, says what became of a transaction that was pending. */
  @Post('paymentTransactions/:transactionId')
  @HttpCode(201)
  @ApiOperation({ operationId: 'notifyStateChanged', summary: 'Say what became of a pending transaction' })
  async notify(
    @Param('transactionId') transactionId: string,
    @Body() body: TransactionRequest,
    @AnswerTo() { context, created }: Answer,
  ): Promise<void> {
    const view = await paymentOfTransaction(this.payments, context.tenantId, transactionId);
    const transaction = transactionIn(view, transactionId);
    const said = states.find((state) => state === body.status);
    if (said !== 'SUCCESS' && said !== 'PAYMENT_FAILURE')
      throw invalidValue('status must be SUCCESS or PAYMENT_FAILURE');
    if (transaction.state !== 'PENDING')
      throw killBillProblem(400, 7032, 'PaymentApiException', `Transaction ${transactionId} is not pending`);
    // Who says so sees what comes of it, as with any other request: a failure is not tried again.
    await correctTransaction(this.payments, context, { view, transaction, said, by: 'provider', retries: 'none' });
    created(`/1.0/kb/payments/${view.paymentId}`);
  }

  @Delete('payments/:transactionId/cancelScheduledPaymentTransaction')
  @HttpCode(204)
  @ApiOperation({ operationId: 'cancelScheduledPaymentTransactionById', summary: 'Do not retry a payment' })
  async cancelById(@Param('transactionId') id: string, @AnswerTo() answer: Answer): Promise<void> {
    await this.cancel(await paymentOfTransaction(this.payments, answer.context.tenantId, id), answer);
  }

  @Delete('payments/cancelScheduledPaymentTransaction')
  @HttpCode(204)
  @ApiOperation({ operationId: 'cancelScheduledPaymentTransactionByExternalKey', summary: 'Do not retry, by key' })
  async cancelByKey(@Query() { transactionExternalKey }: CancelByKeyQuery, @AnswerTo() answer: Answer): Promise<void> {
    const view = await paymentOfTransactionKey(this.payments, answer.context.tenantId, transactionExternalKey);
    await this.cancel(view, answer);
  }

  private async cancel({ invoiceId, paymentId }: PaymentView, { context }: Answer): Promise<void> {
    const { payments } = this;
    if (invoiceId === null)
      throw killBillProblem(400, 7032, 'PaymentApiException', `Payment ${paymentId} is never retried`);
    const data = { paymentId, now: payments.runtime.clock.now(context.tenantId) };
    const command: InvoicePaymentsCommand = { type: 'CancelRetry', data };
    const step = stepOf(context, payments, 'cancel-retry');
    const { position } = unwrap(
      await payments.invoicePayments(invoicePaymentsStream(invoiceId), command, step),
      paymentProblem(invoiceId),
    );
    await payments.runtime.visible(position);
  }
}

const transactionIn = ({ transactions }: PaymentView, id: string): TransactionView => {
  const transaction = transactions.find(({ transactionId }) => transactionId === parseUuid(id));
  if (transaction === undefined) throw unknownTransaction(id);
  return transaction;
};
