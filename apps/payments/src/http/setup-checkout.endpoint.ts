import { type RequestContext, RequestCtx } from '@billstream/http';
import { parseCurrency } from '@billstream/kernel';
import { payPalPlugin } from '@billstream/payments-domain';
import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, IsString, IsUrl, MaxLength, ValidateNested } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { type Payments, paymentsToken } from '../payments';
import { type Checkout, checkoutDefaults, startCheckout } from '../start-checkout';
import { existingPayer } from './find';
import { invalidValue } from './problems';

const url = { protocols: ['http', 'https'], require_tld: false, require_protocol: true };

class BillingAgreement {
  @IsOptional() @IsString() readonly type?: string | null;
  @IsOptional() @IsString() @MaxLength(127) readonly description?: string | null;
}

class CheckoutOptions {
  @IsOptional() @IsUrl(url) readonly return_url?: string | null;
  @IsOptional() @IsUrl(url) readonly cancel_return_url?: string | null;
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => BillingAgreement)
  readonly billing_agreement?: BillingAgreement | null;
}

export class SetupCheckoutRequest {
  @IsOptional() @IsString() readonly kb_account_id?: string | null;
  @IsOptional() @IsString() readonly currency?: string | null;
  @IsOptional() @IsObject() @ValidateNested() @Type(() => CheckoutOptions) readonly options?: CheckoutOptions | null;
}

@Controller(`plugins/${payPalPlugin}/1.0/setup-checkout`)
export class SetupCheckoutEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Post()
  @HttpCode(302)
  async setupCheckout(
    @Body() body: SetupCheckoutRequest,
    @RequestCtx() context: RequestContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { payments } = this;
    const { tenantId } = context;
    if (body.kb_account_id == null) throw invalidValue('kb_account_id must be given');
    if (body.currency != null && parseCurrency(body.currency) === null)
      throw invalidValue(`currency: ${body.currency} is not a currency`);
    const { accountId } = await existingPayer(payments, tenantId, body.kb_account_id);
    const started = await startCheckout(payments, context, { accountId, ...setupOf(body) });
    void reply.header('Location', started.url);
  }
}

const setupOf = ({ currency, options }: SetupCheckoutRequest): Checkout => ({
  returnUrl: options?.return_url ?? checkoutDefaults.returnUrl,
  cancelUrl: options?.cancel_return_url ?? checkoutDefaults.cancelUrl,
  currency: currency ?? checkoutDefaults.currency,
  description: options?.billing_agreement?.description ?? checkoutDefaults.description,
});
