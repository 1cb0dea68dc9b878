import type { Charge, Evidence, Outcome } from '../gateway-port';
import { toWireAmount } from '../wire-amount';
import { notExecuted, type NvpVerdict } from './nvp-client';
import { readMoney, type PayPalClient } from './paypal-client';
import { classOf } from './paypal-errors';
import { failed, lost, pending } from './paypal-outcomes';
import { isPaid, search } from './paypal-search';

const AMOUNT_CHARACTERS_MAX = 10;
const DESCRIPTION_MAX = 127;

export const charge = async (client: PayPalClient, input: Charge): Promise<Outcome> => {
  const amount = toWireAmount(input.money, client.scales);
  if (amount === undefined || amount.length > AMOUNT_CHARACTERS_MAX || input.money.minor === 0)
    return notExecuted('invalid', 'amount-not-expressible');
  const dispatchedAt = client.now().toISOString();
  const result = await client.call('DoReferenceTransaction', {
    REFERENCEID: input.credential,
    PAYMENTACTION: 'Sale',
    PAYMENTTYPE: 'Any',
    AMT: amount,
    CURRENCYCODE: input.money.currency,
    INVNUM: input.invoiceRef,
    CUSTOM: input.attemptId,
    MSGSUBID: input.attemptId,
    DESC: input.description.slice(0, DESCRIPTION_MAX),
  });
  if (result.kind !== 'Verdict') return result;
  if (result.success) return chargeVerdict(client, result);
  if (classOf(result.code) === 'duplicate')
    return adoptEarlier(client, input, { dispatchedAt, evidence: result.evidence });
  return failed(client, result);
};

/** A repeat of the key answers with the present state, so a charge that was refunded since is still a charge. */
const CHARGED: ReadonlySet<string> = new Set([
  'Completed',
  'Processed',
  'Refunded',
  'Partially-Refunded',
  'Canceled-Reversal',
]);
const NOT_CHARGED: ReadonlySet<string> = new Set(['Denied', 'Failed', 'Voided', 'Expired']);

const chargeVerdict = (client: PayPalClient, { get, evidence }: NvpVerdict): Outcome => {
  const gatewayRef = get('TRANSACTIONID');
  const money = readMoney(client, get('AMT'), get('CURRENCYCODE'));
  if (!gatewayRef || !money) return lost(client, evidence);
  const status = get('PAYMENTSTATUS') ?? 'none';
  if (CHARGED.has(status)) {
    const fee = readMoney(client, get('FEEAMT'), money.currency);
    const at = get('ORDERTIME') ?? client.now().toISOString();
    return { kind: 'Succeeded', gatewayRef, money, ...(fee ? { fee } : {}), at };
  }
  if (status === 'Pending')
    return pending(client, get('PENDINGREASON') === 'echeck' ? 'clearing' : 'review', { gatewayRef, evidence });
  // Neither paid nor unpaid (Reversed, or a status we do not know): the facts have to be read, not guessed.
  if (!NOT_CHARGED.has(status)) return lost(client, evidence);
  return { kind: 'Declined', hardness: 'soft', code: `status-${status.toLowerCase()}`, evidence };
};

/** Before PayPal kept any books. */
const EVER = '2000-01-01T00:00:00Z';

type Adoption = { readonly dispatchedAt: string; readonly evidence: Evidence };

/** PayPal says this invoice is paid. If its index already shows by what, that payment answers for the attempt. */
const adoptEarlier = async (client: PayPalClient, { invoiceRef }: Charge, adoption: Adoption): Promise<Outcome> => {
  // The earlier payment may be months old, which the usual look-back would not reach.
  const found = await search(client, { INVNUM: invoiceRef, STARTDATE: EVER });
  const paid = found.kind === 'Found' ? found.facts.find(isPaid) : undefined;
  if (!paid) return { kind: 'Unknown', since: adoption.dispatchedAt, evidence: adoption.evidence };
  const { gatewayRef, money, fee, at } = paid;
  return { kind: 'Succeeded', gatewayRef, money, ...(fee ? { fee } : {}), at, adopted: true };
};
