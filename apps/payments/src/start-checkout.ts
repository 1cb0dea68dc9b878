import { ProblemException, type RequestContext, unwrap } from '@billstream/http';
import { derivedId, digest } from '@billstream/kernel';
import { payPalPlugin, payerAccountStream } from '@billstream/payments-domain';
import type { SetupStarted } from '@billstream/payments-gateways';
import { invalidValue, payerProblem } from './http/problems';
import { type Payments, stepOf } from './payments';

export type Checkout = {
  readonly returnUrl: string;
  readonly cancelUrl: string;
  readonly currency: string;
  readonly description: string;
};

/** What the Kill Bill plugin (6.0) fills in. */
export const checkoutDefaults: Checkout = {
  currency: 'USD',
  returnUrl: 'http://www.example.com/success',
  cancelUrl: 'http://www.example.com/sad_panda',
  description: 'Kill Bill billing agreement',
};

type Redirect = Extract<SetupStarted, { kind: 'Redirect' }>;

/** Opens a checkout at PayPal and leaves a trace of it; the payer has to be sent to `url`. */
export const startCheckout = async (
  payments: Payments,
  context: RequestContext,
  { accountId, ...checkout }: Checkout & { readonly accountId: string },
): Promise<Redirect> => {
  const { tenantId } = context;
  const gateway = await payments.gatewayOf(tenantId, payPalPlugin);
  if ('problem' in gateway) throw invalidValue(gateway.problem);
  const setupId = derivedId(context.commandId, 'setup');
  const started = redirectOf(await gateway.beginSetup({ ...checkout, setupId }), context);
  const { token, expiresAt } = started;
  const data = {
    ...{ setupId, pluginName: payPalPlugin, tokenDigest: digest(token), currency: checkout.currency, expiresAt },
    now: payments.runtime.clock.now(tenantId),
  };
  const step = stepOf(context, payments, 'start-checkout');
  unwrap(
    await payments.payer(payerAccountStream(accountId), { type: 'StartCheckout', data }, step),
    payerProblem(accountId),
  );
  return started;
};

const redirectOf = (started: SetupStarted, { correlationId }: RequestContext): Redirect => {
  if (started.kind === 'Redirect') return started;
  const evidence = 'evidence' in started ? started.evidence : {};
  const said = evidence.message ?? evidence.code ?? started.kind;
  throw new ProblemException({
    status: 502,
    code: 'gateway-refused',
    detail: `PayPal did not open a checkout: ${said} (correlation id ${correlationId})`,
  });
};
