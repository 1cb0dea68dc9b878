import { type RequestContext, unwrap } from '@billstream/http';
import { newId } from '@billstream/kernel';
import {
  type ClientKeys,
  type InvoicePayments,
  type InvoicePaymentsCommand,
  type InvoicePaymentsRejection,
  invoicePayments,
  invoicePaymentsStream,
  nextPaymentId,
  paymentKeyStream,
  transactionKeyStream,
} from '@billstream/payments-domain';
import { type PaymentView, paymentById, paymentByKey, paymentByTransactionKey } from '@billstream/payments-read-models';
import { keyTaken, paymentProblem } from './http/problems';
import { type Payments, stepOf } from './payments';

type Claim = { readonly key: string; readonly paymentId: string };

/**
 * Gives a payment the client's name of one of its transactions, for good: of equal requests that come at the same time
 * only one payment can have it. Throws when another one does. Answers the payment for which this request claimed it when
 * it was sent first.
 */
export const claimTransactionKey = async (
  payments: Payments,
  context: RequestContext,
  { key, paymentId }: Claim,
): Promise<string> => {
  const stream = transactionKeyStream(context.tenantId, key);
  // Names that were used before names were claimed are known by the read model alone.
  const user = await paymentByTransactionKey(payments.runtime.database, context.tenantId, key);
  if (user !== null && user.paymentId !== paymentId && (await payments.paymentKey.stateOf(stream)) === null)
    throw keyTaken('transactionExternalKey', key);
  const command = { type: 'ClaimPaymentKey' as const, data: { key, paymentId } };
  const claimed = await payments.paymentKey(stream, command, stepOf(context, payments, 'claim-transaction-key'));
  if (claimed.outcome !== 'accepted') throw keyTaken('transactionExternalKey', key);
  return claimed.state ?? paymentId;
};

/** What payments of an invoice are named with by whoever asks for them, and what asks for them. */
export type NamedPayment = {
  readonly invoiceId: string;
  readonly keys: ClientKeys;
  readonly command: InvoicePaymentsCommand;
};

/**
 * `ofPayment`: the one that the names were claimed for; `holder`: the one that has the name already, null: not known yet.
 * `refused`: why there will be no payment; nothing was claimed.
 */
export type Named =
  | { readonly ofPayment: string }
  | { readonly holder: PaymentView | null; readonly key: string }
  | { readonly refused: InvoicePaymentsRejection };

/** Claims the client's names for the next payment of the invoice, before anything of it is on record. */
export const nameNextPayment = async (
  payments: Payments,
  context: RequestContext,
  { invoiceId, keys, command }: NamedPayment,
): Promise<Named> => {
  const { tenantId } = context;
  const { database } = payments.runtime;
  const { paymentKey: key, transactionKey } = keys;
  const state = await stateOf(payments, context, invoiceId);
  const { open } = state;
  // A name is given for good, so not to a payment that this request cannot begin.
  const decision = invoicePayments.decide(command, state);
  if (open === null && 'rejected' in decision && (await areUnclaimed(payments, tenantId, keys)))
    return { refused: decision.rejected };
  await payments.runtime.caughtUp();
  const paymentId = nextPaymentId(state, invoiceId);
  if (key !== undefined) {
    const named = await paymentByKey(database, tenantId, key);
    if (named !== null && (named.paymentId !== paymentId || open !== null)) return { key, holder: named };
    if (open !== null)
      throw paymentProblem(invoiceId)({ code: 'payment-under-way', transactionId: open.transactionId });
    const holder = named === null ? await claimPaymentKey(payments, context, { key, paymentId }) : paymentId;
    // A payment that had failed before it got this name shows its first one.
    if (holder !== paymentId) return { key, holder: await paymentById(database, tenantId, holder) };
  }
  if (transactionKey === undefined) return { ofPayment: paymentId };
  // Nothing can begin now, unless it was begun by this very request.
  if (open !== null) return { ofPayment: open.transactionId };
  return { ofPayment: await claimTransactionKey(payments, context, { key: transactionKey, paymentId }) };
};

/** Whether nobody has any of the names yet, this very request neither, which may have been sent before. */
const areUnclaimed = async ({ paymentKey }: Payments, tenantId: string, keys: ClientKeys): Promise<boolean> => {
  const streams = [
    ...(keys.paymentKey === undefined ? [] : [paymentKeyStream(tenantId, keys.paymentKey)]),
    ...(keys.transactionKey === undefined ? [] : [transactionKeyStream(tenantId, keys.transactionKey)]),
  ];
  const holders = await Promise.all(streams.map((stream) => paymentKey.stateOf(stream)));
  return holders.every((holder) => holder === null);
};

/** The payment that has the key afterwards. */
const claimPaymentKey = async (
  payments: Payments,
  context: RequestContext,
  { key, paymentId }: Claim,
): Promise<string> => {
  const command = { type: 'ClaimPaymentKey' as const, data: { key, paymentId } };
  const stream = paymentKeyStream(context.tenantId, key);
  const claimed = await payments.paymentKey(stream, command, stepOf(context, payments, 'claim-key'));
  return claimed.outcome === 'rejected' ? claimed.rejection.paymentId : paymentId;
};

/** Whether it was this request that gave the payment its name: a client that sends it again says so by its command. */
export const isSentAgain = async (payments: Payments, context: RequestContext, claim: Claim): Promise<boolean> => {
  const command = { type: 'ClaimPaymentKey' as const, data: claim };
  const stream = paymentKeyStream(context.tenantId, claim.key);
  const claimed = await payments.paymentKey(stream, command, stepOf(context, payments, 'claim-key'));
  return claimed.outcome === 'accepted' && claimed.repeated;
};

/** The invoice's payments as the next decision will see them. */
export const stateOf = async (
  payments: Payments,
  context: RequestContext,
  invoiceId: string,
): Promise<InvoicePayments> => {
  const look = { ...stepOf(context, payments, 'look'), commandId: newId() };
  return unwrap(
    await payments.invoicePayments(invoicePaymentsStream(invoiceId), { type: 'Look' }, look),
    paymentProblem(invoiceId),
  ).state;
};
