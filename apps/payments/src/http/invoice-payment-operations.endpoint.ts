import { killBillProblem } from '@billstream/http';
import { type Currency, parseUuid } from '@billstream/kernel';
import type { AdjustedItem, ItemAdjustment } from '@billstream/payments-domain';
import type { PaymentView } from '@billstream/payments-read-models';
import { Body, Controller, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';
import { type Payments, paymentsToken } from '../payments';
import { isExternal, madeBefore, openingOf, transact } from '../transact';
import { amountFrom } from './amount';
import { type Answer, AnswerTo } from './answer';
import { existingPayment } from './find';
import { completePending, operate, orThrow, reverseChargeback } from './payment-operations';
import { invalidValue, unknownPayment } from './problems';
import { InvoiceTransactionRequest, TransactionRequest, amountOf, currencyOf, keyOf } from './transaction-request';

class RefundQuery {
  @IsOptional() @IsIn(['true', 'false']) readonly externalPayment?: string;
  @IsOptional() @IsString() readonly paymentMethodId?: string;
}

/** What can be asked of a payment that was made for an invoice. */
@Controller('1.0/kb/invoicePayments/:paymentId')
export class InvoicePaymentOperationsEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  /** Without adjustments the refunded amount is due again; with them the named items are lowered by it. */
  @Post('refunds')
  @HttpCode(201)
  @ApiOperation({ operationId: 'createRefundWithAdjustments', summary: 'Give back what an invoice’s payment paid' })
  async refundInvoicePayment(
    @Param('paymentId') id: string,
    @Body() body: InvoiceTransactionRequest,
    @Query() query: RefundQuery,
    @AnswerTo() { context, created }: Answer,
  ): Promise<void> {
    const view = await this.existing(id, context.tenantId);
    const asItWas = await madeBefore(this.payments, context, view.paymentId);
    // What is left of an item is less by what this request took when it was sent first.
    const itemAdjustments =
      asItWas?.itemAdjustments ?? priced(adjustmentsOf(body, view.currency), body.adjustedItems ?? []);
    const asked = {
      ...{ paymentId: view.paymentId, transactionType: 'REFUND' as const },
      opening: await openingOf(this.payments, context.tenantId, view),
      pluginName: view.pluginName,
      ...{ amountMinor: refundOf(body, itemAdjustments, view.currency), currency: currencyOf(body) },
      transactionKey: keyOf(body.transactionExternalKey),
      isRecordOnly: query.externalPayment === 'true' || isExternal(view),
      ...{ isAdjusted: itemAdjustments.length > 0, itemAdjustments, adjustedItems: body.adjustedItems ?? null },
    };
    created(`/1.0/kb/invoicePayments/${view.paymentId}`);
    orThrow(await transact(this.payments, context, asked));
  }

  @Post('chargebacks')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'createChargeback',
    summary: 'Record that the payer’s bank took an invoice’s money back',
  })
  async chargebackInvoicePayment(
    @Param('paymentId') id: string,
    @Body() body: InvoiceTransactionRequest,
    @AnswerTo() { context, created }: Answer,
  ): Promise<void> {
    const view = await this.existing(id, context.tenantId);
    await operate(this.payments, context, { view, type: 'CHARGEBACK', body });
    created(`/1.0/kb/invoicePayments/${view.paymentId}`);
  }

  @Post('chargebackReversals')
  @HttpCode(201)
  @ApiOperation({ operationId: 'createChargebackReversal', summary: 'Record that a chargeback was undone' })
  async reverseInvoicePayment(
    @Param('paymentId') id: string,
    @Body() body: InvoiceTransactionRequest,
    @AnswerTo() { context, created }: Answer,
  ): Promise<void> {
    const view = await this.existing(id, context.tenantId);
    await reverseChargeback(this.payments, context, { view, body });
    created(`/1.0/kb/invoicePayments/${view.paymentId}`);
  }

  @Put()
  @HttpCode(204)
  @ApiOperation({ operationId: 'completeInvoicePaymentTransaction', summary: 'Go on with a pending transaction' })
  async completeInvoicePayment(
    @Param('paymentId') id: string,
    @Body() body: TransactionRequest,
    @AnswerTo() { context }: Answer,
  ): Promise<void> {
    const view = await this.existing(id, context.tenantId);
    await completePending(this.payments, context, { view, body });
  }

  private async existing(id: string, tenantId: string): Promise<PaymentView> {
    const view = await existingPayment(this.payments, tenantId, id);
    if (view.invoiceId === null) throw unknownPayment(id);
    return view;
  }
}

/** Kill Bill's INVOICE_ITEMS_ADJUSTMENT_MISSING for a refund that should adjust and says nothing of what. */
const adjustmentsOf = (
  { isAdjusted, adjustments }: InvoiceTransactionRequest,
  currency: Currency,
): readonly ItemAdjustment[] => {
  if (isAdjusted !== true) return [];
  if (adjustments == null || adjustments.length === 0)
    throw killBillProblem(400, 4025, 'InvoiceApiException', 'adjustments must name the items that the refund adjusts');
  return adjustments.map(({ invoiceItemId: text, amount }, nth) => {
    const invoiceItemId = parseUuid(text);
    if (invoiceItemId === null) throw invalidValue(`adjustments/${nth}/invoiceItemId must be an id`);
    return { invoiceItemId, amountMinor: amountFrom(`adjustments/${nth}/amount`, amount, currency) };
  });
};

/** An adjustment without an amount takes all that is left of its item, as far as that is known. */
const priced = (adjustments: readonly ItemAdjustment[], known: readonly AdjustedItem[]): readonly ItemAdjustment[] =>
  adjustments.map(({ invoiceItemId, amountMinor }) => {
    const leftMinor = known.find((one) => one.invoiceItemId === invoiceItemId)?.leftMinor ?? 0;
    return { invoiceItemId, amountMinor: amountMinor ?? (leftMinor > 0 ? leftMinor : null) };
  });

/**
 * Null: all that is left, of a refund without items. A refund is never below what its items are lowered by, and where
 * one of these names no amount, the refund has to: what is left of an item only invoicing knows.
 */
const refundOf = (
  body: InvoiceTransactionRequest,
  items: readonly ItemAdjustment[],
  currency: Currency,
): number | null => {
  const amountMinor = amountOf(body, currency);
  const adjusted = items.reduce((sum, item) => sum + (item.amountMinor ?? 0), 0);
  const isWhole = items.length > 0 && items.every((item) => item.amountMinor !== null);
  if (amountMinor === null && items.length > 0 && !isWhole)
    throw invalidValue('amount must be given where an adjustment has none');
  if (amountMinor === null) return isWhole ? adjusted : null;
  if (amountMinor < adjusted)
    throw killBillProblem(400, 4907, 'InvoicePaymentApiException', 'amount must not be below the sum of adjustments');
  return amountMinor;
};
