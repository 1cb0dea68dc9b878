import type { CommandContext, PublicEvent } from '@billstream/event-sourcing';
import { type RequestContext, commandContext } from '@billstream/http';
import { derivedId, newId, wallTime } from '@billstream/kernel';
import {
  type ChargedMethod,
  type PayerAccount,
  type PaymentMethod,
  defaultMethodOf,
  invoicePayments,
  invoicePaymentsSchema,
  payerAccount,
  payerAccountSchema,
  payerAccountStream,
  pluginConfig,
  pluginConfigSchema,
  testGateway,
  testGatewaySchema,
  testGatewayStream,
  type TestGateway,
} from '@billstream/payments-domain';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { paymentExecutor } from './executor/executor';
import { gatewaysOn, hasTestPlugin } from './gateways';

/** The runtime, one command loop per kind of stream, the gateways and the executor: all that the edges need. */
export const paymentsOn = (runtime: ServiceRuntime) => {
  const payer = runtime.handle(payerAccount, payerAccountSchema);
  const handle = runtime.handle(invoicePayments, invoicePaymentsSchema);
  const told = runtime.handle(testGateway, testGatewaySchema);

  /** How the tenant's test plugin answers, as the next call will meet it. */
  const testGatewayState = async (tenantId: string): Promise<TestGateway> => {
    const context = contextOf(runtime, tenantId, newId());
    const handled = await told(testGatewayStream(tenantId), { type: 'Look' }, context);
    if (handled.outcome !== 'accepted') throw new Error(`looking at a test plugin ended as ${handled.outcome}`);
    return handled.state;
  };
  const gatewayOf = gatewaysOn(runtime, testGatewayState);

  /** The payer as the next decision will see it, whatever the read models know already. */
  const payerState = async (tenantId: string, accountId: string): Promise<PayerAccount> => {
    const context = contextOf(runtime, tenantId, newId());
    const handled = await payer(payerAccountStream(accountId), { type: 'Look' }, context);
    if (handled.outcome !== 'accepted') throw new Error(`looking at a payer ended as ${handled.outcome}`);
    return handled.state;
  };
  const defaultCharge = async (tenantId: string, accountId: string): Promise<ChargedMethod | null> =>
    chargedMethod(defaultMethodOf(await payerState(tenantId, accountId)));

  return {
    runtime,
    payer,
    invoicePayments: handle,
    pluginConfig: runtime.handle(pluginConfig, pluginConfigSchema),
    testGateway: told,
    testGatewayState,
    hasTestPlugin: hasTestPlugin(runtime),
    gatewayOf,
    payerState,
    defaultCharge,
    executor: paymentExecutor({
      handle,
      gatewayOf,
      defaultMethodOf: defaultCharge,
      clock: runtime.clock,
      wallNow: wallTime,
      isAlone: runtime.settings.embedded,
      onDoubleCharge: (facts) => {
        runtime.logger.error(facts, 'a payer was charged twice');
        runtime.metrics.count('payments_double_charged');
      },
    }),
  };
};

export type Payments = ReturnType<typeof paymentsOn>;

/** Injection token of `Payments`. */
export const paymentsToken = Symbol('payments');

/** Null also for a method without a provider: there is nothing to charge. */
export const chargedMethod = (method: PaymentMethod | null): ChargedMethod | null => {
  if (method?.credential == null) return null;
  const { paymentMethodId, pluginName, credential } = method;
  return { paymentMethodId, pluginName, credential };
};

/** One request may make several commands: each step has an id of its own, the same again when the request is repeated. */
export const stepOf = (request: RequestContext, { runtime }: Payments, step: string): CommandContext =>
  commandContext(request, runtime.clock, derivedId(request.commandId, step));

const contextOf = ({ clock }: ServiceRuntime, tenantId: string, commandId: string): CommandContext => ({
  commandId,
  tenantId,
  actor: { createdBy: 'payments' },
  at: clock.now(tenantId),
  correlationId: commandId,
});

/** The context of a command that a public event asks for; `part` tells several commands of one event apart. */
export const causedBy = (event: PublicEvent, part = ''): CommandContext => ({
  commandId: derivedId('payments', event.id, part),
  tenantId: event.tenantId,
  actor: event.actor,
  at: event.at,
  correlationId: event.correlationId,
  causationId: event.id,
  ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
});
