import { auditedAnswers } from '@billstream/http';
import { auditRecordsOf } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import type { DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AuditLogsEndpoint } from './http/audit-logs.endpoint';
import { ConfigureTestPluginEndpoint } from './http/configure-test-plugin.endpoint';
import { CorrectTransactionsEndpoint } from './http/correct-transactions.endpoint';
import { FindPaymentsEndpoint } from './http/find-payments.endpoint';
import { CreatePaymentMethodEndpoint } from './http/create-payment-method.endpoint';
import { DirectPaymentsEndpoint } from './http/direct-payments.endpoint';
import { GatewayNotificationsEndpoint } from './http/gateway-notifications.endpoint';
import { HostedPagesEndpoint } from './http/hosted-pages.endpoint';
import { InvoicePaymentOperationsEndpoint } from './http/invoice-payment-operations.endpoint';
import { PaymentOperationsByKeyEndpoint } from './http/payment-operations-by-key.endpoint';
import { PaymentOperationsEndpoint } from './http/payment-operations.endpoint';
import { GetPaymentsEndpoint } from './http/get-payments.endpoint';
import { PayInvoicesEndpoint } from './http/pay-invoices.endpoint';
import { AccountPaymentMethodsEndpoint, PaymentMethodsEndpoint } from './http/payment-methods.endpoint';
import { SetupCheckoutEndpoint } from './http/setup-checkout.endpoint';
import { type Payments, paymentsOn, paymentsToken } from './payments';
import { OnClosedPayer } from './reactions/on-closed-payer';
import { OnAccounts, OnInvoices } from './reactions/on-facts';

class PaymentsModule {}

/** Attempts are transactions that are still to come; a transaction names its payment too, a payment its method. */
const auditedKinds = [
  ['stateName', null],
  ['transactionId', 'TRANSACTION'],
  ['paymentId', 'PAYMENT'],
  ['paymentMethodId', 'PAYMENT_METHOD'],
] as const;

/** One for each runtime: endpoints, due work and background work share the executor's knowledge of calls going on. */
const made = new WeakMap<ServiceRuntime, Payments>();

export const paymentsOf = (runtime: ServiceRuntime): Payments => {
  const payments = made.get(runtime) ?? paymentsOn(runtime);
  made.set(runtime, payments);
  return payments;
};

export const paymentsModule = (runtime: ServiceRuntime): DynamicModule => ({
  module: PaymentsModule,
  controllers: [
    ConfigureTestPluginEndpoint,
    SetupCheckoutEndpoint,
    HostedPagesEndpoint,
    GatewayNotificationsEndpoint,
    CreatePaymentMethodEndpoint,
    AccountPaymentMethodsEndpoint,
    PaymentMethodsEndpoint,
    DirectPaymentsEndpoint,
    PaymentOperationsByKeyEndpoint,
    PaymentOperationsEndpoint,
    InvoicePaymentOperationsEndpoint,
    CorrectTransactionsEndpoint,
    FindPaymentsEndpoint,
    GetPaymentsEndpoint,
    AuditLogsEndpoint,
    PayInvoicesEndpoint,
    OnAccounts,
    OnInvoices,
    OnClosedPayer,
  ],
  providers: [
    { provide: paymentsToken, useValue: paymentsOf(runtime) },
    {
      provide: APP_INTERCEPTOR,
      useValue: auditedAnswers(auditedKinds, (...of) => auditRecordsOf(runtime.database, ...of)),
    },
  ],
});
