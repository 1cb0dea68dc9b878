import { type RequestContext, unwrap } from '@billstream/http';
import {
  type AttemptOutcome,
  type InvoicePaymentsCommand,
  invoicePaymentsStream,
  paymentStream,
} from '@billstream/payments-domain';
import type { PaymentView, TransactionView } from '@billstream/payments-read-models';
import { newId } from '@billstream/kernel';
import { paymentProblem } from './http/problems';
import { transactionProblem } from './http/transaction-problems';
import { type Payments, stepOf } from './payments';

/** What an operator, or a notification of the provider, says of a transaction. */
export type SaidState = 'SUCCESS' | 'PENDING' | 'UNKNOWN' | 'PAYMENT_FAILURE' | 'PLUGIN_FAILURE';

const code = 'corrected';

/** As an answer of the provider would have said it; null: nobody knows, which is no answer. */
const outcomeSaid = (
  said: SaidState,
  { view, transaction }: { readonly view: PaymentView; readonly transaction: TransactionView },
): AttemptOutcome | null => {
  const { firstReference: gatewayRef, amountMinor } = transaction;
  const message = null;
  switch (said) {
    case 'SUCCESS': {
      const { currency } = view;
      const movedAt = transaction.effectiveAt;
      return { kind: 'succeeded', gatewayRef, amountMinor, currency, feeMinor: null, movedAt, isAdopted: false };
    }
    case 'PENDING':
      return { kind: 'pending', why: code, gatewayRef };
    case 'PAYMENT_FAILURE':
      return { kind: 'declined', hardness: 'soft', code, message, isUnlisted: false, retryNotBefore: null };
    case 'PLUGIN_FAILURE':
      return { kind: 'not-executed', why: 'expired', code, message };
    case 'UNKNOWN':
      return null;
  }
};

/**
 * `retries`: what follows a failure; as-said: as if the provider had said it just now. Only an operator may say that what
 * was told as a success was none: a provider's older word can come late.
 */
export type Said = {
  readonly said: SaidState;
  readonly by: 'operator' | 'provider';
  readonly retries: 'as-said' | 'none' | 'asked-for';
};

/**
 * Puts down what became of a transaction, as somebody knows who looked at the provider's own site. A failure of an
 * automatic payment that was open is followed by its retries, one that was told as a success only when they are asked for
 * (Kill Bill's IPCD_RETRIES). False: the log says otherwise for good, because money moved on or another attempt has been
 * made since.
 */
export const correctTransaction = async (
  payments: Payments,
  context: RequestContext,
  of: Said & { readonly view: PaymentView; readonly transaction: TransactionView },
): Promise<boolean> => {
  const { view, transaction, said } = of;
  if (transaction.state === said) return true;
  const isAttempt = view.invoiceId !== null && transaction.transactionType === 'PURCHASE';
  if (isAttempt) return correctAttempt(payments, context, { ...of, invoiceId: view.invoiceId });
  const { transactionId } = transaction;
  const data = { transactionId, state: said, now: payments.runtime.clock.now(context.tenantId) };
  const { position } = unwrap(
    await payments.payment(
      paymentStream(view.paymentId),
      { type: 'CorrectTransaction', data },
      stepOf(context, payments, 'correct'),
    ),
    transactionProblem(view.paymentId),
  );
  await payments.runtime.visible(position);
  return true;
};

type OfAttempt = Said & {
  readonly view: PaymentView;
  readonly transaction: TransactionView;
  readonly invoiceId: string;
};

/** Refunded or charged back, in whole or in part: then it did move. */
const hasMovedOn = ({ transactions }: PaymentView): boolean =>
  transactions.some(({ transactionType, state }) => transactionType !== 'PURCHASE' && !state.endsWith('_FAILURE'));

/** What to decide about an attempt, from what is known of it already; null: nothing that anybody says can change it. */
const correctionOf = async (
  payments: Payments,
  context: RequestContext,
  { view, transaction, said, by, retries, invoiceId }: OfAttempt,
  step: ReturnType<typeof stepOf>,
): Promise<InvoicePaymentsCommand | null> => {
  const { transactionId } = transaction;
  const now = payments.runtime.clock.now(context.tenantId);
  const policy = await payments.retryPolicyOf(context.tenantId);
  if (transaction.state === 'SUCCESS') {
    if (by !== 'operator' || said !== 'PAYMENT_FAILURE' || hasMovedOn(view)) return null;
    return {
      type: 'TakeBackSuccess',
      data: { transactionId, code, retriedBy: retries === 'asked-for' ? policy : null, now },
    };
  }
  const outcome = outcomeSaid(said, { view, transaction });
  if (outcome === null) return null;
  const look = { ...step, commandId: newId() };
  const { state } = unwrap(
    await payments.invoicePayments(invoicePaymentsStream(invoiceId), { type: 'Look' }, look),
    paymentProblem(invoiceId),
  );
  const holder = state.open?.holder ?? null;
  return {
    type: 'RecordOutcome',
    data: { transactionId, outcome, holder, policy, ...(retries === 'none' && { isLast: true }), now },
  };
};

const correctAttempt = async (payments: Payments, context: RequestContext, of: OfAttempt): Promise<boolean> => {
  const step = stepOf(context, payments, 'correct');
  const command = await correctionOf(payments, context, of, step);
  if (command === null) return false;
  const { events, position } = unwrap(
    await payments.invoicePayments(invoicePaymentsStream(of.invoiceId), command, step),
    paymentProblem(of.invoiceId),
  );
  await payments.runtime.visible(position);
  return events.length > 0;
};
