import { type RequestContext, RequestCtx } from '@billstream/http';
import { parseCurrency } from '@billstream/kernel';
import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsObject,
  IsOptional,
  IsString,
  MaxLength,
  ValidateNested,
  isURL,
} from 'class-validator';
import { type Payments, paymentsToken } from '../payments';
import { type Checkout, checkoutDefaults, startCheckout } from '../start-checkout';
import { existingPayer } from './find';
import { invalidValue } from './problems';

export class FormField {
  @IsString() @MaxLength(255) readonly key!: string;
  @IsOptional() readonly value?: unknown;
}

/** Kill Bill's HostedPaymentPageFields (0.24). */
export class HostedPageRequest {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @ValidateNested({ each: true })
  @Type(() => FormField)
  readonly formFields?: readonly FormField[] | null;
}

class ComboAccount {
  @IsString() @MaxLength(36) readonly accountId!: string;
}

/** Kill Bill's ComboHostedPaymentPage (0.24); the account is one that accounts have found or made. */
class ComboHostedPageRequest {
  @IsDefined() @IsObject() @ValidateNested() @Type(() => ComboAccount) readonly account!: ComboAccount;
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => HostedPageRequest)
  readonly hostedPaymentPageFields?: HostedPageRequest | null;
}

/** The page at a provider where the payer agrees to be charged. */
@Controller('1.0/kb/paymentGateways/hosted/form')
export class HostedPagesEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  /** Fields of the form are PayPal's: `return_url`, `cancel_url`, `currency`, `description`. */
  @Post(':accountId')
  @HttpCode(200)
  @ApiOperation({ operationId: 'buildFormDescriptor', summary: 'Where to send the payer to agree to payments' })
  @ApiOkResponse({ description: 'Kill Bill’s HostedPaymentPageFormDescriptor' })
  async describeForm(
    @Param('accountId') id: string,
    @Body() body: HostedPageRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<object> {
    return this.descriptor(id, body, context);
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'buildComboFormDescriptor', summary: 'The same, the account made on the way' })
  @ApiOkResponse({ description: 'Kill Bill’s HostedPaymentPageFormDescriptor' })
  describeComboForm(@Body() body: ComboHostedPageRequest, @RequestCtx() context: RequestContext): Promise<object> {
    return this.descriptor(body.account.accountId, body.hostedPaymentPageFields ?? new HostedPageRequest(), context);
  }

  private async descriptor(id: string, body: HostedPageRequest, context: RequestContext): Promise<object> {
    const { accountId, currency } = await existingPayer(this.payments, context.tenantId, id);
    const checkout = checkoutOf(body, currency ?? checkoutDefaults.currency);
    const { url, token } = await startCheckout(this.payments, context, { accountId, ...checkout });
    return {
      kbAccountId: accountId,
      formMethod: 'GET',
      formUrl: url,
      formFields: { token },
      properties: {},
      auditLogs: [],
    };
  }
}

const descriptionLengthMax = 127;

const checkoutOf = ({ formFields }: HostedPageRequest, accountCurrency: string): Checkout => {
  const text = (name: string): string | null => {
    const value = formFields?.find(({ key }) => key === name)?.value;
    if (value === undefined || value === null || value === '') return null;
    if (typeof value !== 'string') throw invalidValue(`formFields/${name} must be text`);
    return value;
  };
  const address = (name: string): string | null => {
    const value = text(name);
    if (value !== null && !isURL(value, { protocols: ['http', 'https'], require_tld: false, require_protocol: true }))
      throw invalidValue(`formFields/${name} must be an http address`);
    return value;
  };
  const currency = text('currency') ?? accountCurrency;
  if (parseCurrency(currency) === null) throw invalidValue(`formFields/currency: ${currency} is not a currency`);
  return {
    returnUrl: address('return_url') ?? checkoutDefaults.returnUrl,
    cancelUrl: address('cancel_url') ?? checkoutDefaults.cancelUrl,
    currency,
    description: (text('description') ?? checkoutDefaults.description).slice(0, descriptionLengthMax),
  };
};
