import { type RequestContext, killBillProblem } from '@billstream/http';
import { derivedId, parseUuid } from '@billstream/kernel';
import { type PaidBy, defaultMethodOf, externalPlugin, paymentKeyStream } from '@billstream/payments-domain';
import {
  type PayerView,
  type PaymentView,
  payerByKey,
  paymentById,
  paymentByKey,
  paymentByTransactionKey,
} from '@billstream/payments-read-models';
import { Body, Controller, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import { type Payments, paymentsToken, stepOf } from '../payments';
import { soon } from '../soon';
import { transact } from '../transact';
import { type Answer, AnswerTo } from './answer';
import { existingMethod, existingPayer } from './find';
import { invalidValue } from './problems';
import { failureOf, transactionProblem } from './transaction-problems';
import { TransactionRequest, amountOf, currencyOf, keyOf } from './transaction-request';

class DirectPaymentQuery {
  @IsOptional() @IsString() readonly paymentMethodId?: string;
}

class ByAccountKeyQuery extends DirectPaymentQuery {
  @IsString() readonly externalKey!: string;
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
    await this.process(payer, body, { query, answer });
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
    await this.process(await existingPayer(this.payments, answer.context.tenantId, id), body, { query, answer });
  }

  private async process(
    payer: PayerView,
    body: TransactionRequest,
    { query, answer }: { readonly query: DirectPaymentQuery; readonly answer: Answer },
  ): Promise<void> {
    const { payments } = this;
    const { context, created } = answer;
    const transactionType = beginningOf(body);
    const currency = currencyOf(body) ?? payer.currency;
    const amountMinor = amountOf(body, currency);
    if (amountMinor === null || currency === null) throw invalidValue('amount must be given');
    const transactionKey = keyOf(body.transactionExternalKey);
    const paymentKey = keyOf(body.paymentExternalKey);
    const paymentId = await this.paymentIdFor(body, paymentKey, context);
    await this.assertFree(transactionKey, paymentId, context);
    const paidBy = await this.paidBy(payer, query, context);
    const { accountId } = payer;
    const opening = {
      ...{ paymentId, accountId, invoiceId: null, externalKey: paymentKey ?? paymentId, currency },
      ...{ paidBy, purchases: [] },
    };
    const isRecordOnly = paidBy.pluginName === externalPlugin;
    const { pluginName } = paidBy;
    const asked = {
      paymentId,
      opening,
      pluginName,
      transactionType,
      amountMinor,
      currency,
      transactionKey,
      isRecordOnly,
    };
    const transaction = await transact(payments, context, asked);
    created(`/1.0/kb/payments/${paymentId}`);
    const failure = failureOf(transaction);
    if (failure !== null) throw failure;
  }

  /** The payment of that id or key if there is one, as in Kill Bill; whoever claims a new key first makes the payment. */
  private async paymentIdFor(body: TransactionRequest, key: string | null, context: RequestContext): Promise<string> {
    const { payments } = this;
    const { tenantId } = context;
    const given = keyOf(body.paymentId);
    if (given !== null) {
      const known = await paymentById(payments.runtime.database, tenantId, parseUuid(given) ?? derivedId(given));
      if (known === null) throw transactionProblem(given)({ code: 'payment-unknown' });
      return direct(known);
    }
    if (key === null) return derivedId(context.commandId, 'payment');
    const known = await paymentByKey(payments.runtime.database, tenantId, key);
    if (known !== null) return direct(known);
    const paymentId = derivedId('payment-of-key', tenantId, key);
    const command = { type: 'ClaimPaymentKey' as const, data: { key, paymentId } };
    const claimed = await payments.paymentKey(
      paymentKeyStream(tenantId, key),
      command,
      stepOf(context, payments, 'claim-key'),
    );
    // A key that holds another payment was claimed for one of an invoice.
    if (claimed.outcome === 'rejected') throw ofInvoice(claimed.rejection.paymentId);
    return paymentId;
  }

  private async assertFree(key: string | null, paymentId: string, { tenantId }: RequestContext): Promise<void> {
    const { runtime } = this.payments;
    if (key === null) return;
    const holder = await paymentByTransactionKey(runtime.database, tenantId, key);
    if (holder === null || holder.paymentId === paymentId) return;
    throw transactionProblem(holder.paymentId)({ code: 'transaction-key-exists', externalKey: key });
  }

  private async paidBy(
    { accountId }: PayerView,
    { paymentMethodId: wanted }: DirectPaymentQuery,
    { tenantId }: RequestContext,
  ): Promise<PaidBy> {
    if (wanted === undefined || wanted === '') {
      const method = defaultMethodOf(await this.payments.payerState(tenantId, accountId));
      if (method !== null) return paying(method);
      throw killBillProblem(404, 7021, 'PaymentApiException', 'The account has no default payment method');
    }
    const method = await existingMethod(this.payments, tenantId, { id: wanted, includeRemoved: false });
    if (method.accountId !== accountId)
      throw killBillProblem(400, 7033, 'PaymentApiException', `Payment method ${wanted} is another account's`);
    return paying(method);
  }
}

/** What an invoice's payment moves is decided with the invoice: beside it, the payer would be charged twice. */
const ofInvoice = (paymentId: string): Error =>
  transactionProblem(paymentId)({
    code: 'operation-not-allowed',
    transactionType: 'PURCHASE',
    after: 'PURCHASE of an invoice',
  });

const direct = ({ paymentId, invoiceId }: Pick<PaymentView, 'paymentId' | 'invoiceId'>): string => {
  if (invoiceId !== null) throw ofInvoice(paymentId);
  return paymentId;
};

const paying = ({ paymentMethodId, pluginName, credential }: PaidBy): PaidBy => ({
  ...{ paymentMethodId, pluginName, credential },
});

const beginnings = ['AUTHORIZE', 'PURCHASE', 'CREDIT'] as const;

const beginningOf = ({ transactionType }: TransactionRequest): (typeof beginnings)[number] => {
  const beginning = beginnings.find((type) => type === transactionType);
  if (beginning !== undefined) return beginning;
  throw killBillProblem(
    ...([412, null, 'IllegalArgumentException'] as const),
    `transactionType must be one of ${beginnings.join(', ')}`,
  );
};
