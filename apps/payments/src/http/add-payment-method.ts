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
import { Type } from 'class-transformer';
import { IsArray, IsObject, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';
import { type Payments, stepOf } from '../payments';
import { invalidValue, payerProblem, unknownPlugin } from './problems';

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

/** Kill Bill's PaymentMethod (0.24), as far as a request says anything with it. */
export class PaymentMethodRequest {
  @IsOptional() @IsString() readonly pluginName?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly externalKey?: string | null;
  @IsOptional() @IsObject() @ValidateNested() @Type(() => PluginInfo) readonly pluginInfo?: PluginInfo | null;
}

type Found = { readonly credential: string | null; readonly tokenDigest: string | null };

type NewMethod = {
  readonly accountId: string;
  readonly body: PaymentMethodRequest;
  readonly isDefault: boolean;
  /** `pluginProperty` of the query, as it came. */
  readonly pluginProperty?: unknown;
};

/** Gives the method once it can be read; throws what Kill Bill answers when the plugin is unknown or takes no such method. */
export const addPaymentMethod = async (
  payments: Payments,
  context: RequestContext,
  { accountId, body, isDefault, pluginProperty }: NewMethod,
): Promise<PaymentMethod> => {
  const pluginName = pluginOf(body, payments);
  const found = await exchange(payments, { accountId, pluginName, token: tokenOf(body, pluginProperty) }, context);
  const externalKey = body.externalKey ?? null;
  return record(payments, { accountId, pluginName, externalKey, isDefault, found }, context);
};

/** Gives the token for what can be charged. A token that has been exchanged needs no second exchange. */
const exchange = async (
  payments: Payments,
  { accountId, pluginName, token }: { accountId: string; pluginName: string; token: string | null },
  context: RequestContext,
): Promise<Found> => {
  if (pluginName === externalPlugin) return { credential: null, tokenDigest: null };
  // Nothing to agree to: the test plugin knows no payers.
  if (pluginName === paymentTestPlugin)
    return { credential: `test-${derivedId(context.commandId, 'credential')}`, tokenDigest: null };
  if (token === null) throw invalidValue('pluginInfo.properties: token must be given');
  const tokenDigest = digest(token);
  const known = methodByToken(await payments.payerState(context.tenantId, accountId), tokenDigest);
  if (known !== null) return { credential: known.credential, tokenDigest };
  const gateway = await payments.gatewayOf(context.tenantId, pluginName);
  if ('problem' in gateway) throw invalidValue(gateway.problem);
  const credential = credentialOf(await gateway.completeSetup({ token }), context);
  return { credential, tokenDigest };
};

const record = async (
  payments: Payments,
  wanted: { accountId: string; pluginName: string; externalKey: string | null; isDefault: boolean; found: Found },
  context: RequestContext,
): Promise<PaymentMethod> => {
  const { accountId, pluginName, externalKey, isDefault, found } = wanted;
  const paymentMethodId =
    pluginName === externalPlugin
      ? derivedId('external-payment-method', accountId)
      : derivedId(context.commandId, 'payment-method');
  const data = { paymentMethodId, pluginName, externalKey, ...found, isDefault };
  const step = stepOf(context, payments, 'add-payment-method');
  const added = unwrap(
    await payments.payer(payerAccountStream(accountId), { type: 'AddPaymentMethod', data }, step),
    payerProblem(accountId),
  );
  await payments.runtime.visible(added.position);
  const { state } = added;
  const method =
    (found.tokenDigest === null ? null : methodByToken(state, found.tokenDigest)) ??
    (found.credential === null ? null : methodByCredential(state, pluginName, found.credential)) ??
    state.methods[paymentMethodId];
  if (method === undefined) throw new Error(`payment method ${paymentMethodId} was added and is not there`);
  return method;
};

/** The plugin that a request names; throws when it names none, or one that nobody knows. */
export const pluginOf = ({ pluginName }: PaymentMethodRequest, { hasTestPlugin }: Payments): string => {
  if (pluginName == null || pluginName === '') throw invalidValue('PaymentMethodJson pluginName should be set');
  const known = [payPalPlugin, externalPlugin, ...(hasTestPlugin ? [paymentTestPlugin] : [])];
  if (!known.includes(pluginName)) throw unknownPlugin(pluginName);
  return pluginName;
};

/** From the body's properties, else from `pluginProperty=token=EC-…`; Kill Bill splits that at the first `=`. */
const tokenOf = ({ pluginInfo }: PaymentMethodRequest, pluginProperty: unknown): string | null => {
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
