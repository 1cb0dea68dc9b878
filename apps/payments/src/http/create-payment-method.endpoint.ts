import { Body, Controller, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { IsIn, IsOptional } from 'class-validator';
import { payAllInvoices } from '../pay-invoices';
import { type Payments, paymentsToken } from '../payments';
import { PaymentMethodRequest, addPaymentMethod, pluginOf } from './add-payment-method';
import { type Answer, AnswerTo } from './answer';
import { existingPayer } from './find';
import { invalidValue } from './problems';

const flag = ['true', 'false'];

class CreateMethodQuery {
  @IsOptional() @IsIn(flag) readonly isDefault?: string;
  @IsOptional() @IsIn(flag) readonly payAllUnpaidInvoices?: string;
  @IsOptional() readonly pluginProperty?: unknown;
}

@Controller('1.0/kb/accounts/:accountId/paymentMethods')
export class CreatePaymentMethodEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Post()
  @HttpCode(201)
  async createMethod(
    @Param('accountId') id: string,
    @Body() body: PaymentMethodRequest,
    @Query() { isDefault, payAllUnpaidInvoices, pluginProperty }: CreateMethodQuery,
    @AnswerTo() { context, created }: Answer,
  ): Promise<void> {
    const { payments } = this;
    pluginOf(body, payments);
    const payAll = payAllUnpaidInvoices === 'true';
    if (payAll && isDefault !== 'true')
      throw invalidValue('payAllUnpaidInvoices can only be true when isDefault is true as well');
    const { accountId } = await existingPayer(payments, context.tenantId, id);
    const wanted = { accountId, body, isDefault: isDefault === 'true', pluginProperty };
    const { paymentMethodId } = await addPaymentMethod(payments, context, wanted);
    if (payAll) await payAllInvoices(payments, context, { accountId, external: null, amountMinor: null });
    created(`/1.0/kb/paymentMethods/${paymentMethodId}`);
  }
}
