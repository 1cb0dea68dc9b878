import { type RequestContext, unwrap } from '@billstream/http';
import { type AttemptOutcome, invoicePaymentsStream, paymentStream } from '@billstream/payments-domain';
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
 * Puts down what became of a transaction, as somebody knows who looked at the provider's own site. A failure of an
 * automatic payment is followed by its retries, as if the provider had said it. False: the log says otherwise for good,
 * because money moved or another attempt has been made since.
 */
export const correctTransaction = async (
  payments: Payments,
  context: RequestContext,
  of: { readonly view: PaymentView; readonly transaction: TransactionView; readonly said: SaidState },
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

type OfAttempt = {
  readonly view: PaymentView;
  readonly transaction: TransactionView;
  readonly said: SaidState;
  readonly invoiceId: string;
};

const correctAttempt = async (
  payments: Payments,
  context: RequestContext,
  { view, transaction, said, invoiceId }: OfAttempt,
): Promise<boolean> => {
  const outcome = outcomeSaid(said, { view, transaction });
  if (outcome === null) return false;
  const stream = invoicePaymentsStream(invoiceId);
  const step = stepOf(context, payments, 'correct');
  const look = { ...step, commandId: newId() };
  const { state } = unwrap(await payments.invoicePayments(stream, { type: 'Look' }, look), paymentProblem(invoiceId));
  const { transactionId } = transaction;
  const data = {
    ...{ transactionId, outcome, holder: state.open?.holder ?? null },
    policy: await payments.retryPolicyOf(context.tenantId),
    now: payments.runtime.clock.now(context.tenantId),
  };
  const { events, position } = unwrap(
    await payments.invoicePayments(stream, { type: 'RecordOutcome', data }, step),
    paymentProblem(invoiceId),
  );
  await payments.runtime.visible(position);
  return events.length > 0;
};
