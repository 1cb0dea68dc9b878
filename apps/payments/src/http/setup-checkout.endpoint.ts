import { ProblemException, type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { derivedId, digest, parseCurrency } from '@billstream/kernel';
import { payPalPlugin, payerAccountStream } from '@billstream/payments-domain';
import type { SetupStarted } from '@billstream/payments-gateways';
import { Body, Controller, HttpCode, Inject, Post, Res } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, IsString, IsUrl, MaxLength, ValidateNested } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { type Payments, paymentsToken, stepOf } from '../payments';
import { existingPayer } from './find';
import { invalidValue, payerProblem } from './problems';

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

/** What the Kill Bill plugin (6.0) fills in. */
const defaults = {
  currency: 'USD',
  returnUrl: 'http://www.example.com/success',
  cancelUrl: 'http://www.example.com/sad_panda',
  description: 'Kill Bill billing agreement',
};

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
    const gateway = await payments.gatewayOf(tenantId, payPalPlugin);
    if ('problem' in gateway) throw invalidValue(gateway.problem);
    const setupId = derivedId(context.commandId, 'setup');
    const setup = setupOf(body, setupId);
    const { token, url: location, expiresAt } = redirectOf(await gateway.beginSetup(setup), context);
    const data = {
      ...{ setupId, pluginName: payPalPlugin, tokenDigest: digest(token), currency: setup.currency, expiresAt },
      now: payments.runtime.clock.now(tenantId),
    };
    const step = stepOf(context, payments, 'start-checkout');
    unwrap(
      await payments.payer(payerAccountStream(accountId), { type: 'StartCheckout', data }, step),
      payerProblem(accountId),
    );
    void reply.header('Location', location);
  }
}

const setupOf = (
  { currency, options }: SetupCheckoutRequest,
  setupId: string,
): { setupId: string; returnUrl: string; cancelUrl: string; currency: string; description: string } => ({
  setupId,
  returnUrl: options?.return_url ?? defaults.returnUrl,
  cancelUrl: options?.cancel_return_url ?? defaults.cancelUrl,
  currency: currency ?? defaults.currency,
  description: options?.billing_agreement?.description ?? defaults.description,
});

const redirectOf = (
  started: SetupStarted,
  { correlationId }: RequestContext,
): Extract<SetupStarted, { kind: 'Redirect' }> => {
  if (started.kind === 'Redirect') return started;
  const evidence = 'evidence' in started ? started.evidence : {};
  const said = evidence.message ?? evidence.code ?? started.kind;
  throw new ProblemException({
    status: 502,
    code: 'gateway-refused',
    detail: `PayPal did not open a checkout: ${said} (correlation id ${correlationId})`,
  });
};
