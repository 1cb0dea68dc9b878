import type { TransactionType } from '@billstream/payments-contracts';
import { type Payment, type Transaction, movedMinor } from './payment';

const isCharge = ({ transactionType, state }: Transaction): boolean =>
  (transactionType === 'PURCHASE' || transactionType === 'CAPTURE') && state === 'SUCCESS';

const chargesOf = ({ transactions }: Payment): readonly Transaction[] => transactions.filter(isCharge);

/** Of what was charged: what was neither given back nor taken back by the payer's bank. */
export const refundableMinor = (state: Payment): number =>
  movedMinor(state, 'PURCHASE', 'CAPTURE') - movedMinor(state, 'REFUND', 'CHARGEBACK');

/** The same of one charge. What gives back and names no charge is about the last one. */
const leftOf = (state: Payment, { transactionId, processedMinor }: Transaction): number => {
  const last = chargesOf(state).at(-1)?.transactionId;
  return state.transactions
    .filter(({ transactionType }) => transactionType === 'REFUND' || transactionType === 'CHARGEBACK')
    .filter(({ chargeId }) => (chargeId ?? last) === transactionId)
    .reduce((left, one) => left - one.processedMinor, processedMinor);
};

/**
 * Most that one refund or chargeback may take back. A provider gives back charge by charge, so of several purchases it is
 * the most that is left of one; captures are parts of one authorisation, which Kill Bill refunds together.
 */
export const returnableMinor = (state: Payment): number => {
  const charges = chargesOf(state);
  const arePurchases = charges.length > 1 && charges.every(({ transactionType }) => transactionType === 'PURCHASE');
  return arePurchases ? Math.max(...charges.map((charge) => leftOf(state, charge))) : refundableMinor(state);
};

/** The charge that a refund or chargeback of so much takes back: the last that has enough left, else the last one. */
const chargeFor = (state: Payment, amountMinor: number): Transaction | null => {
  const charges = chargesOf(state);
  return charges.findLast((charge) => leftOf(state, charge) >= amountMinor) ?? charges.at(-1) ?? null;
};

/** The movement that a refund, a capture or a void refers to at the provider. */
export const referredTo = (state: Payment, { transactionType, chargeId }: Transaction): Transaction | null => {
  if (transactionType === 'REFUND')
    return chargesOf(state).findLast(({ transactionId }) => chargeId === null || transactionId === chargeId) ?? null;
  return state.transactions.findLast((one) => one.transactionType === 'AUTHORIZE' && one.state === 'SUCCESS') ?? null;
};

/** Whether a refund gives back all of a charge of which nothing was given back before. */
export const isWholeRefund = (state: Payment, refund: Transaction): boolean => {
  const charge = referredTo(state, refund);
  return (
    charge !== null && leftOf(state, charge) === charge.processedMinor && charge.processedMinor === refund.amountMinor
  );
};

const gaveBack: ReadonlySet<TransactionType> = new Set(['REFUND', 'CHARGEBACK'] as const);

/** What gives back names its charge only where there is a choice. */
export const chargeIdFor = (
  state: Payment,
  { transactionType, amountMinor }: Pick<Transaction, 'transactionType' | 'amountMinor'>,
): { readonly chargeId?: string } => {
  const charge = gaveBack.has(transactionType) && chargesOf(state).length > 1 ? chargeFor(state, amountMinor) : null;
  return charge === null ? {} : { chargeId: charge.transactionId };
};
