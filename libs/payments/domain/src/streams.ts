import { digest } from '@billstream/kernel';

export const payerAccountStream = (accountId: string): string => `payerAccount-${accountId}`;
/** A plugin's name is free text, so the stream carries its digest. */
export const pluginConfigStream = (tenantId: string, pluginName: string): string =>
  `pluginConfig-${tenantId}-${digest(pluginName)}`;
export const paymentSettingsStream = (tenantId: string): string => `paymentSettings-${tenantId}`;
export const testGatewayStream = (tenantId: string): string => `testGateway-${tenantId}`;
/** One stream an invoice: its revision is the lock that keeps a second attempt from being opened. */
export const invoicePaymentsStream = (invoiceId: string): string => `invoicePayments-${invoiceId}`;

/** Transactions of a payment beyond the attempts at its invoice: refunds, chargebacks, and all of a direct payment. */
export const paymentStream = (paymentId: string): string => `payment-${paymentId}`;
/** One stream per external key of a tenant's payments. The key itself stays out of stream names. */
export const paymentKeyStream = (tenantId: string, key: string): string => `paymentKey-${digest(`${tenantId}:${key}`)}`;

/** The same for the external keys of transactions, whose payment has them. */
export const transactionKeyStream = (tenantId: string, key: string): string =>
  `paymentKey-${digest(`transaction:${tenantId}:${key}`)}`;

/** Prefixes of all streams of this context: what the relay follows and a backup must hold. */
export const paymentsStreams: readonly string[] = [
  'payerAccount-',
  'pluginConfig-',
  'paymentSettings-',
  'testGateway-',
  'invoicePayments-',
  'payment-',
  'paymentKey-',
];
