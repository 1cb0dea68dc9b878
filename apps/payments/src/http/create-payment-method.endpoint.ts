import { ProblemException, type RequestContext, killBillProblem, unwrap } from '@billstream/http';
import { derivedId, digest } from '@billstream/kernel';
import {
  type PaymentMethod,
  externalPlugin,
  methodByCredential,
  methodByToken,
  payPalPlugin,
  paymentTestPlugin,
  payerAccountStream,
} from '@billstream/payments-domain';
import type { SetupCompleted } from '@billstream/payments-gateways';
import { Body, Controller, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsObject, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';
import { payAllInvoices } from '../pay-invoices';
import { type Payments, paymentsToken, stepOf } from '../payments';
import { type Answer, AnswerTo } from './answer';
import { existingPayer } from './find';
import { invalidValue, payerProblem, unknownPlugin } from './problems';

const flag = ['true', 'false'];

class PluginProperty {
  @IsString() readonly key!: string;
  @IsOptional() readonly value?: unknown;
}

class PluginInfo {
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PluginProperty)
  readonly properties?: readonly PluginProperty[] | null;
}

export class PaymentMethodRequest {
  @IsOptional() @IsString() readonly pluginName?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly externalKey?: string | null;
  @IsOptional() @IsObject() @ValidateNested() @Type(() => PluginInfo) readonly pluginInfo?: PluginInfo | null;
}

class CreateMethodQuery {
  @IsOptional() @IsIn(flag) readonly isDefault?: string;
  @IsOptional() @IsIn(flag) readonly payAllUnpaidInvoices?: string;
  @IsOptional() readonly pluginProperty?: unknown;
}

type Found = { readonly credential: string | null; readonly tokenDigest: string | null };

@Controller('1.0/kb/accounts/:accountId/paymentMethods')
export class CreatePaymentMethodEndpoint {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @Post()
  @HttpCode(201)
  async createMethod(
    @Param('accountId') id: string,
    @Body() body: PaymentMethodRequest,
    @Query() query: CreateMethodQuery,
    @AnswerTo() { context, created }: Answer,
  ): Promise<void> {
    const pluginName = pluginOf(body, this.payments);
    const isDefault = query.isDefault === 'true';
    const payAll = query.payAllUnpaidInvoices === 'true';
    if (payAll && !isDefault)
      throw invalidValue('payAllUnpaidInvoices can only be true when isDefault is true as well');
    const { accountId } = await existingPayer(this.payments, context.tenantId, id);
    const found = await this.exchange({ accountId, pluginName, token: tokenOf(body, query) }, context);
    const { paymentMethodId } = await this.add({ accountId, pluginName, body, isDefault, found }, context);
    if (payAll) await payAllInvoices(this.payments, context, { accountId, external: null, amountMinor: null });
    created(`/1.0/kb/paymentMethods/${paymentMethodId}`);
  }

  /** Gives the token for what can be charged. A token that has been exchanged needs no second exchange. */
  private async exchange(
    { accountId, pluginName, token }: { accountId: string; pluginName: string; token: string | null },
    context: RequestContext,
  ): Promise<Found> {
    if (pluginName === externalPlugin) return { credential: null, tokenDigest: null };
    // Nothing to agree to: the test plugin knows no payers.
    if (pluginName === paymentTestPlugin)
      return { credential: `test-${derivedId(context.commandId, 'credential')}`, tokenDigest: null };
    if (token === null) throw invalidValue('pluginInfo.properties: token must be given');
    const tokenDigest = digest(token);
    const known = methodByToken(await this.payments.payerState(context.tenantId, accountId), tokenDigest);
    if (known !== null) return { credential: known.credential, tokenDigest };
    const gateway = await this.payments.gatewayOf(context.tenantId, pluginName);
    if ('problem' in gateway) throw invalidValue(gateway.problem);
    const credential = credentialOf(await gateway.completeSetup({ token }), context);
    return { credential, tokenDigest };
  }

  private async add(
    wanted: { accountId: string; pluginName: string; body: PaymentMethodRequest; isDefault: boolean; found: Found },
    context: RequestContext,
  ): Promise<PaymentMethod> {
    const { accountId, pluginName, body, isDefault, found } = wanted;
    const paymentMethodId =
      pluginName === externalPlugin
        ? derivedId('external-payment-method', accountId)
        : derivedId(context.commandId, 'payment-method');
    const externalKey = body.externalKey ?? null;
    const data = { paymentMethodId, pluginName, externalKey, ...found, isDefault };
    const step = stepOf(context, this.payments, 'add-payment-method');
    const added = unwrap(
      await this.payments.payer(payerAccountStream(accountId), { type: 'AddPaymentMethod', data }, step),
      payerProblem(accountId),
    );
    await this.payments.runtime.visible(added.position);
    const { state } = added;
    const method =
      (found.tokenDigest === null ? null : methodByToken(state, found.tokenDigest)) ??
      (found.credential === null ? null : methodByCredential(state, pluginName, found.credential)) ??
      state.methods[paymentMethodId];
    if (method === undefined) throw new Error(`payment method ${paymentMethodId} was added and is not there`);
    return method;
  }
}

const pluginOf = ({ pluginName }: PaymentMethodRequest, { hasTestPlugin }: Payments): string => {
  if (pluginName == null || pluginName === '') throw invalidValue('PaymentMethodJson pluginName should be set');
  const known = [payPalPlugin, externalPlugin, ...(hasTestPlugin ? [paymentTestPlugin] : [])];
  if (!known.includes(pluginName)) throw unknownPlugin(pluginName);
  return pluginName;
};

/** From the body's properties, else from `pluginProperty=token=EC-…`; Kill Bill splits that at the first `=`. */
const tokenOf = ({ pluginInfo }: PaymentMethodRequest, { pluginProperty }: CreateMethodQuery): string | null => {
  const names = ['token', 'paypalExpressToken'];
  const inBody = pluginInfo?.properties?.find(({ key }) => names.includes(key))?.value;
  if (typeof inBody === 'string' && inBody !== '') return inBody;
  const texts: readonly unknown[] = Array.isArray(pluginProperty) ? pluginProperty : [pluginProperty];
  for (const text of texts) {
    const [, key, value] = typeof text === 'string' ? (/^([^=]+)=(.+)$/.exec(text) ?? []) : [];
    if (key !== undefined && names.includes(key)) return value ?? null;
  }
  return null;
};

const refusals = {
  'not-approved': 'the payer has not agreed yet',
  ended: 'the token has expired or was cancelled; start another checkout',
  refused: 'PayPal refused it',
} as const;

const credentialOf = (completed: SetupCompleted, { correlationId }: RequestContext): string => {
  switch (completed.kind) {
    case 'CredentialIssued':
      return completed.credential.reference;
    case 'Rejected':
      throw killBillProblem(400, 7199, 'PaymentApiException', `token: ${refusals[completed.why]}`);
    case 'Unknown':
      throw new ProblemException({
        status: 503,
        code: 'gateway-outcome-unknown',
        detail: `PayPal did not answer; repeat the request with the same token (correlation id ${correlationId})`,
      });
    case 'NotExecuted':
    case 'Challenge':
      throw new ProblemException({
        status: 502,
        code: 'gateway-refused',
        detail: `PayPal did not exchange the token (correlation id ${correlationId})`,
      });
  }
};
