import { type RequestContext, killBillProblem } from '@billstream/http';
import { derivedId, parseUuid } from '@billstream/kernel';
import { type PaidBy, defaultMethodOf, externalPlugin, paymentKeyStream } from '@billstream/payments-domain';
import {
  type PayerView,
  type PaymentView,
  paymentById,
  paymentByKey,
  paymentByTransactionKey,
} from '@billstream/payments-read-models';
import { type Payments, stepOf } from '../payments';
import { transact } from '../transact';
import type { Answer } from './answer';
import { existingMethod } from './find';
import { invalidValue } from './problems';
import { failureOf, transactionProblem } from './transaction-problems';
import { type TransactionRequest, amountOf, currencyOf, keyOf } from './transaction-request';

export type DirectPayment = {
  readonly payer: PayerView;
  readonly body: TransactionRequest;
  /** Null: the account's default. */
  readonly paymentMethodId: string | null;
};

/** Begins a payment, or goes on with the one of that id or key; answers where it is, and throws what went wrong with it. */
export const payDirectly = async (
  payments: Payments,
  { context, created }: Answer,
  { payer, body, paymentMethodId }: DirectPayment,
): Promise<void> => {
  const transactionType = beginningOf(body);
  const currency = currencyOf(body) ?? payer.currency;
  const amountMinor = amountOf(body, currency);
  if (amountMinor === null || currency === null) throw invalidValue('amount must be given');
  const transactionKey = keyOf(body.transactionExternalKey);
  const paymentKey = keyOf(body.paymentExternalKey);
  const paymentId = await paymentIdFor(payments, { body, key: paymentKey }, context);
  await assertFree(payments, { key: transactionKey, paymentId }, context);
  const paidBy = await paidByOf(payments, { payer, wanted: paymentMethodId }, context);
  const { accountId } = payer;
  const opening = {
    ...{ paymentId, accountId, invoiceId: null, externalKey: paymentKey ?? paymentId, currency },
    ...{ paidBy, purchases: [] },
  };
  const isRecordOnly = paidBy.pluginName === externalPlugin;
  const { pluginName } = paidBy;
  const asked = {
    paymentId,
    opening,
    pluginName,
    transactionType,
    amountMinor,
    currency,
    transactionKey,
    isRecordOnly,
  };
  const transaction = await transact(payments, context, asked);
  created(`/1.0/kb/payments/${paymentId}`);
  const failure = failureOf(transaction);
  if (failure !== null) throw failure;
};

/** The payment of that id or key if there is one, as in Kill Bill; whoever claims a new key first makes the payment. */
const paymentIdFor = async (
  payments: Payments,
  { body, key }: { readonly body: TransactionRequest; readonly key: string | null },
  context: RequestContext,
): Promise<string> => {
  const { tenantId } = context;
  const given = keyOf(body.paymentId);
  if (given !== null) {
    const known = await paymentById(payments.runtime.database, tenantId, parseUuid(given) ?? derivedId(given));
    if (known === null) throw transactionProblem(given)({ code: 'payment-unknown' });
    return direct(known);
  }
  const transactionKey = keyOf(body.transactionExternalKey);
  // The name of its first transaction names a payment that has none: a request that comes twice finds the same one.
  if (key === null && transactionKey !== null) return derivedId('payment-of-transaction-key', tenantId, transactionKey);
  if (key === null) return derivedId(context.commandId, 'payment');
  const known = await paymentByKey(payments.runtime.database, tenantId, key);
  if (known !== null) return direct(known);
  const paymentId = derivedId('payment-of-key', tenantId, key);
  const command = { type: 'ClaimPaymentKey' as const, data: { key, paymentId } };
  const claimed = await payments.paymentKey(
    paymentKeyStream(tenantId, key),
    command,
    stepOf(context, payments, 'claim-key'),
  );
  // A key that holds another payment was claimed for one of an invoice.
  if (claimed.outcome === 'rejected') throw ofInvoice(claimed.rejection.paymentId);
  return paymentId;
};

const assertFree = async (
  { runtime }: Payments,
  { key, paymentId }: { readonly key: string | null; readonly paymentId: string },
  { tenantId }: RequestContext,
): Promise<void> => {
  if (key === null) return;
  const holder = await paymentByTransactionKey(runtime.database, tenantId, key);
  if (holder === null || holder.paymentId === paymentId) return;
  throw transactionProblem(holder.paymentId)({ code: 'transaction-key-exists', externalKey: key });
};

const paidByOf = async (
  payments: Payments,
  { payer: { accountId }, wanted }: { readonly payer: PayerView; readonly wanted: string | null },
  { tenantId }: RequestContext,
): Promise<PaidBy> => {
  if (wanted === null || wanted === '') {
    const method = defaultMethodOf(await payments.payerState(tenantId, accountId));
    if (method !== null) return paying(method);
    throw killBillProblem(404, 7021, 'PaymentApiException', 'The account has no default payment method');
  }
  const method = await existingMethod(payments, tenantId, { id: wanted, includeRemoved: false });
  if (method.accountId !== accountId)
    throw killBillProblem(400, 7033, 'PaymentApiException', `Payment method ${wanted} is another account's`);
  return paying(method);
};

/** What an invoice's payment moves is decided with the invoice: beside it, the payer would be charged twice. */
const ofInvoice = (paymentId: string): Error =>
  transactionProblem(paymentId)({
    code: 'operation-not-allowed',
    transactionType: 'PURCHASE',
    after: 'PURCHASE of an invoice',
  });

const direct = ({ paymentId, invoiceId }: Pick<PaymentView, 'paymentId' | 'invoiceId'>): string => {
  if (invoiceId !== null) throw ofInvoice(paymentId);
  return paymentId;
};

const paying = ({ paymentMethodId, pluginName, credential }: PaidBy): PaidBy => ({
  ...{ paymentMethodId, pluginName, credential },
});

const beginnings = ['AUTHORIZE', 'PURCHASE', 'CREDIT'] as const;

/** What a payment may begin with; Kill Bill answers 412 to anything else. */
export const beginningOf = ({ transactionType }: TransactionRequest): (typeof beginnings)[number] => {
  const beginning = beginnings.find((type) => type === transactionType);
  if (beginning !== undefined) return beginning;
  throw killBillProblem(
    ...([412, null, 'IllegalArgumentException'] as const),
    `transactionType must be one of ${beginnings.join(', ')}`,
  );
};
