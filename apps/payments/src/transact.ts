import { type RequestContext, killBillProblem, unwrap } from '@billstream/http';
import type { TransactionType } from '@billstream/payments-contracts';
import { derivedId, newId } from '@billstream/kernel';
import {
  type AdjustedItem,
  type ItemAdjustment,
  type Opening,
  type Payment,
  type RequestTransaction,
  type Transaction,
  externalPlugin,
  payment,
  paymentStream,
  transactionOf,
} from '@billstream/payments-domain';
import { type PaymentView, methodById } from '@billstream/payments-read-models';
import { setTimeout as pause } from 'node:timers/promises';
import { claimTransactionKey } from './client-keys';
import { invalidValue } from './http/problems';
import { transactionProblem } from './http/transaction-problems';
import { type Payments, stepOf } from './payments';

/** What somebody asks of a payment; `opening` null: it is there already. `amountMinor` null: all that is left. */
export type Wanted = {
  readonly paymentId: string;
  readonly opening: Opening | null;
  /** Of the payment; asked only where a provider has to do something. */
  readonly pluginName: string;
  readonly transactionType: TransactionType;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly transactionKey: string | null;
  readonly isRecordOnly: boolean;
  readonly isAdjusted?: boolean;
  readonly itemAdjustments?: readonly ItemAdjustment[];
  readonly adjustedItems?: readonly AdjustedItem[] | null;
};

/** As long as Kill Bill waits for a plugin; the transaction goes on after that. */
const patienceMs = 30_000;
const shortestPauseMs = 5;
const longestPauseMs = 250;

const operations = {
  PURCHASE: 'charge',
  REFUND: 'refund',
  AUTHORIZE: 'authorize',
  CAPTURE: 'capture',
  VOID: 'void',
  CREDIT: 'credit',
} as const;

/** Nothing is put on record that the plugin could never do. */
const assertPossible = async (
  payments: Payments,
  tenantId: string,
  { transactionType, pluginName }: { readonly transactionType: TransactionType; readonly pluginName: string },
): Promise<void> => {
  const gateway = await payments.gatewayOf(tenantId, pluginName);
  if ('problem' in gateway) throw invalidValue(gateway.problem);
  if (transactionType === 'CHARGEBACK' || gateway[operations[transactionType]] !== undefined) return;
  throw killBillProblem(400, 7032, 'PaymentApiException', `Payment plugin ${pluginName} has no ${transactionType}`);
};

/**
 * Asks for a transaction and waits for what comes of it. Whoever repeats the request gets the same transaction. One that
 * is still REQUESTED or DISPATCHED has not been answered in time.
 */
export const transact = async (payments: Payments, context: RequestContext, wanted: Wanted): Promise<Transaction> => {
  const { paymentId, pluginName, transactionKey, isAdjusted = false, itemAdjustments = [], ...asked } = wanted;
  const { transactionType } = wanted;
  if (!wanted.isRecordOnly) await assertPossible(payments, context.tenantId, { transactionType, pluginName });
  const transactionId = transactionIdOf(context);
  const data = {
    ...{ ...asked, transactionId, externalKey: transactionKey ?? transactionId, isAdjusted, itemAdjustments },
    now: payments.runtime.clock.now(context.tenantId),
  };
  const command = { type: 'RequestTransaction' as const, data };
  if (transactionKey !== null) {
    await assertAcceptable(payments, context, paymentId, command);
    await claimTransactionKey(payments, context, { key: transactionKey, paymentId });
  }
  const step = stepOf(context, payments, 'transaction');
  unwrap(await payments.payment(paymentStream(paymentId), command, step), transactionProblem(paymentId));
  const { tenantId, correlationId } = context;
  if (!wanted.isRecordOnly) await payments.transactions.execute({ tenantId, paymentId, transactionId, correlationId });
  return answered(payments, context, { paymentId, transactionId });
};

/** A name is given for good, so not to a transaction that is refused. One that this very request made was not. */
const assertAcceptable = async (
  payments: Payments,
  context: RequestContext,
  paymentId: string,
  command: RequestTransaction,
): Promise<void> => {
  const state = await paymentState(payments, context, paymentId);
  if (transactionOf(state, command.data.transactionId) !== null) return;
  const decision = payment.decide(command, state);
  if ('rejected' in decision) throw transactionProblem(paymentId)(decision.rejected);
};

const transactionIdOf = ({ commandId }: RequestContext): string => derivedId(commandId, 'transaction');

/** What this very request made of the payment when it was sent before; null: it is sent for the first time. */
export const madeBefore = async (
  payments: Payments,
  context: RequestContext,
  paymentId: string,
): Promise<Transaction | null> =>
  transactionOf(await paymentState(payments, context, paymentId), transactionIdOf(context));

const paymentState = async (
  payments: Payments,
  { tenantId, correlationId, actor }: RequestContext,
  paymentId: string,
): Promise<Payment> => {
  const look = { commandId: newId(), tenantId, actor, at: payments.runtime.clock.now(tenantId), correlationId };
  return unwrap(await payments.payment(paymentStream(paymentId), { type: 'Look' }, look), transactionProblem(paymentId))
    .state;
};

type Ids = { readonly paymentId: string; readonly transactionId: string };

/** The transaction once it has an answer, or when nobody can wait any longer, with the read models up to it. */
export const answered = async (
  payments: Payments,
  context: RequestContext,
  { paymentId, transactionId }: Ids,
): Promise<Transaction> => {
  const until = Date.now() + patienceMs;
  for (let wait = shortestPauseMs; ; wait = Math.min(2 * wait, longestPauseMs)) {
    const transaction = transactionOf(await paymentState(payments, context, paymentId), transactionId);
    if (transaction === null) throw new Error(`transaction ${transactionId} was asked for and is not there`);
    const isOpen = transaction.state === 'REQUESTED' || transaction.state === 'DISPATCHED';
    if (!isOpen || Date.now() >= until) {
      await payments.runtime.caughtUp();
      return transaction;
    }
    await pause(wait);
  }
};

/**
 * How the stream of a payment begins that was made for an invoice: with what it moved, which no longer changes. Null for
 * any other payment, whose stream has begun.
 */
export const openingOf = async (
  { runtime }: Payments,
  tenantId: string,
  view: PaymentView,
): Promise<Opening | null> => {
  const { invoiceId, paymentId, accountId, externalKey, currency, paymentMethodId, pluginName } = view;
  if (invoiceId === null) return null;
  const purchases = view.transactions.filter((one) => one.transactionType === 'PURCHASE' && one.state === 'SUCCESS');
  const lookup = { by: paymentMethodId, includeRemoved: true };
  const credential = (await methodById(runtime.database, tenantId, lookup))?.credential ?? null;
  return {
    ...{ paymentId, accountId, invoiceId, externalKey, currency },
    paidBy: { paymentMethodId, pluginName, credential },
    purchases: purchases.map((purchase) => ({
      ...{ transactionId: purchase.transactionId, externalKey: purchase.externalKey },
      ...{ amountMinor: purchase.processedMinor ?? purchase.amountMinor, gatewayRef: purchase.firstReference },
      at: purchase.effectiveAt,
    })),
  };
};

/** Money that came without a provider goes back without one. */
export const isExternal = ({ pluginName }: PaymentView): boolean => pluginName === externalPlugin;
