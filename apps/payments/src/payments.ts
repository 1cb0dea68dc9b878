import type { CommandContext, PublicEvent } from '@billstream/event-sourcing';
import { type RequestContext, commandContext } from '@billstream/http';
import { derivedId, newId, wallTime } from '@billstream/kernel';
import {
  type ChargedMethod,
  type PayerAccount,
  type PaymentMethod,
  type RetryPolicy,
  defaultMethodOf,
  invoicePayments,
  invoicePaymentsSchema,
  isManualPay,
  payerAccount,
  payerAccountSchema,
  payerAccountStream,
  payment,
  paymentKey,
  paymentKeySchema,
  paymentSchema,
  paymentSettings,
  paymentSettingsSchema,
  paymentSettingsStream,
  pluginConfig,
  pluginConfigSchema,
  retryPolicyOf,
  testGateway,
  testGatewaySchema,
  testGatewayStream,
  type TestGateway,
} from '@billstream/payments-domain';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { type Payer, paymentExecutor } from './executor/executor';
import { transactionExecutor } from './executor/transaction-executor';
import { gatewaysOn, hasTestPlugin } from './gateways';

const testGatewayOn = (runtime: ServiceRuntime) => {
  const told = runtime.handle(testGateway, testGatewaySchema);

  /** How the tenant's test plugin answers, as the next call will meet it. */
  const testGatewayState = async (tenantId: string): Promise<TestGateway> => {
    const context = contextOf(runtime, tenantId, newId());
    const handled = await told(testGatewayStream(tenantId), { type: 'Look' }, context);
    if (handled.outcome !== 'accepted') throw new Error(`looking at a test plugin ended as ${handled.outcome}`);
    return handled.state;
  };
  return { told, testGatewayState };
};

/** The runtime, one command loop per kind of stream, the gateways and the executor: all that the edges need. */
export const paymentsOn = (runtime: ServiceRuntime) => {
  const payer = runtime.handle(payerAccount, payerAccountSchema);
  const handle = runtime.handle(invoicePayments, invoicePaymentsSchema);
  const { told, testGatewayState } = testGatewayOn(runtime);
  const gatewayOf = gatewaysOn(runtime, testGatewayState);
  const isAlone = runtime.settings.embedded;
  const ofPayment = runtime.handle(payment, paymentSchema);

  /** The payer as the next decision will see it, whatever the read models know already. */
  const payerState = async (tenantId: string, accountId: string): Promise<PayerAccount> => {
    const context = contextOf(runtime, tenantId, newId());
    const handled = await payer(payerAccountStream(accountId), { type: 'Look' }, context);
    if (handled.outcome !== 'accepted') throw new Error(`looking at a payer ended as ${handled.outcome}`);
    return handled.state;
  };
  const payerOf = async (tenantId: string, accountId: string): Promise<Payer> => {
    const state = await payerState(tenantId, accountId);
    const { isRetried } = state;
    return { method: chargedMethod(defaultMethodOf(state)), isManualPay: isManualPay(state), isRetried };
  };
  const settings = runtime.handle(paymentSettings, paymentSettingsSchema);

  const policyOf = async (tenantId: string): Promise<RetryPolicy> => {
    const context = contextOf(runtime, tenantId, newId());
    const seen = await settings(paymentSettingsStream(tenantId), { type: 'Look' }, context);
    if (seen.outcome !== 'accepted') throw new Error(`looking at settings ended as ${seen.outcome}`);
    return retryPolicyOf(seen.state);
  };

  return {
    runtime,
    retryPolicyOf: policyOf,
    payer,
    invoicePayments: handle,
    payment: ofPayment,
    paymentKey: runtime.handle(paymentKey, paymentKeySchema),
    transactions: transactionExecutor({
      handle: ofPayment,
      gatewayOf,
      clock: runtime.clock,
      wallNow: wallTime,
      isAlone,
    }),
    pluginConfig: runtime.handle(pluginConfig, pluginConfigSchema),
    testGateway: told,
    testGatewayState,
    hasTestPlugin: hasTestPlugin(runtime),
    gatewayOf,
    payerState,
    payerOf,
    settings,
    executor: paymentExecutor({
      handle,
      gatewayOf,
      payerOf,
      holdBack: async ({ tenantId, invoiceId, dueAt }, { accountId }) => {
        const context = contextOf(runtime, tenantId, derivedId('hold-back', invoiceId, dueAt));
        const command = { type: 'HoldBackInvoice', data: { accountId, invoiceId } } as const;
        const held = await payer(payerAccountStream(accountId), command, context);
        if (held.outcome !== 'accepted') throw new Error(`holding back an invoice ended as ${held.outcome}`);
      },
      retryPolicyOf: policyOf,
      clock: runtime.clock,
      wallNow: wallTime,
      isAlone,
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
