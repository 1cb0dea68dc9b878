import type { Outcome, Refund } from '../gateway-port';
import { toWireAmount } from '../wire-amount';
import { notExecuted, type NvpFields, type NvpVerdict } from './nvp-client';
import { readMoney, type PayPalClient } from './paypal-client';
import { failed, lost, pending } from './paypal-outcomes';
import { search } from './paypal-search';

const NOTE_MAX = 255;
/** Refused: the window has closed, too much is asked, or all of it is refunded already. */
const REFUND_REFUSED = '10009';

export const refund = async (client: PayPalClient, input: Refund): Promise<Outcome> => {
  const scope = scopeOf(client, input.amount);
  if (!scope) return notExecuted('invalid', 'amount-not-expressible');
  const result = await client.call('RefundTransaction', {
    TRANSACTIONID: input.gatewayRef,
    ...scope,
    NOTE: input.reason?.slice(0, NOTE_MAX),
    MSGSUBID: input.refundId,
  });
  if (result.kind !== 'Verdict') return result;
  if (result.success) return refundVerdict(client, result);
  return result.code === REFUND_REFUSED ? refusedRefund(client, input, result) : failed(client, result);
};

const scopeOf = (client: PayPalClient, amount: Refund['amount']): NvpFields | undefined => {
  if (amount === 'full') return { REFUNDTYPE: 'Full' };
  const text = toWireAmount(amount, client.scales);
  if (text === undefined || amount.minor === 0) return undefined;
  return { REFUNDTYPE: 'Partial', AMT: text, CURRENCYCODE: amount.currency };
};

const refundVerdict = (client: PayPalClient, { get, evidence }: NvpVerdict): Outcome => {
  const gatewayRef = get('REFUNDTRANSACTIONID');
  const money = readMoney(client, get('GROSSREFUNDAMT'), get('CURRENCYCODE'));
  if (!gatewayRef || !money) return lost(client, evidence);
  if (get('REFUNDSTATUS') === 'Delayed') return pending(client, 'clearing', { gatewayRef, evidence });
  return { kind: 'Succeeded', gatewayRef, money, at: client.now().toISOString() };
};

/**
 * A full refund that PayPal refuses because one has been made (in its own pages, or under an id it has forgotten) has
 * what it wants. The earlier one answers for it; its reference tells the books whether they know it.
 */
const refusedRefund = async (client: PayPalClient, input: Refund, { evidence }: NvpVerdict): Promise<Outcome> => {
  const refused: Outcome = { kind: 'NotExecuted', why: 'invalid', evidence };
  if (input.amount !== 'full') return refused;
  const details = await client.call('GetTransactionDetails', { TRANSACTIONID: input.gatewayRef });
  if (details.kind !== 'Verdict' || details.get('PAYMENTSTATUS') !== 'Refunded') return refused;
  const charged = readMoney(client, details.get('AMT'), details.get('CURRENCYCODE'));
  const found = await search(client, { INVNUM: details.get('INVNUM'), STARTDATE: details.get('ORDERTIME') });
  if (found.kind !== 'Found') return refused;
  const whole = found.facts.find(({ kind, money }) => kind === 'refund' && money.minor === charged?.minor);
  return whole
    ? { kind: 'Succeeded', gatewayRef: whole.gatewayRef, money: whole.money, at: whole.at, adopted: true }
    : refused;
};
