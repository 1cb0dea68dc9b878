import type { LedgerRow } from '../core/money-ledger';
import { feeOf, formatAmount, parseAmount, wireDigits } from './nvp-amount';
import { failure, firstRefusal, instant, success, type NvpFields, type NvpReply } from './nvp-envelope';
import { triggeredBy } from './nvp-errors';
import { book, mintId, record, scopeOf, type NvpOperation, type NvpRequest, type PayPal } from './paypal-context';

const MSGSUBID_MAX = 38;
const INVNUM_MAX = 127;
const REFUND_WINDOW_MS = 180 * 24 * 60 * 60 * 1000;

export const doReferenceTransaction: NvpOperation = (paypal, request) => {
  const { get, merchant } = request;
  const order = readOrder(request);
  if ('error' in order) return order;
  const operationKey = get('MSGSUBID');
  const earlier = operationKey ? paypal.ledger.ofKey(scopeOf(merchant), 'charge', operationKey) : undefined;
  if (earlier) return repeated(paypal, earlier, order);

  const credential = credentialOf(paypal, merchant, order.referenceId);
  if ('error' in credential) return refusedCredential(paypal, order.referenceId, credential);
  const forced = forcedError(paypal, request, order.amountText);
  if (forced) return failure(forced);
  if (isTaken(paypal, merchant, order.invoiceRef))
    return failure('10412', 'An earlier transaction carries the same invoice number.');

  const row = chargeRow(paypal, request, { order, credential });
  book(paypal, { type: 'booked', row });
  return success(chargeFields(paypal, row), ...(row.status === 'pending' ? ['11610'] : []));
};

type Accepted = { readonly order: Order; readonly credential: Funding };

const chargeRow = (paypal: PayPal, { get, merchant, forced }: NvpRequest, accepted: Accepted): LedgerRow => {
  const { order, credential } = accepted;
  return {
    ...scopeOf(merchant),
    kind: 'charge',
    transactionId: mintId(),
    referenceId: credential.agreementId,
    ...optional({
      invoiceRef: order.invoiceRef,
      operationKey: get('MSGSUBID'),
      custom: get('CUSTOM'),
      description: get('DESC'),
    }),
    payerRef: credential.payerId,
    minor: order.minor,
    minorDigits: order.digits,
    feeMinor: feeOf(order.minor, order.digits),
    currency: order.currency,
    status: forced?.effect === 'pending' ? 'pending' : 'completed',
    at: instant(paypal.now()),
  };
};

type Order = {
  readonly referenceId: string;
  readonly invoiceRef?: string;
  readonly amountText: string;
  readonly currency: string;
  readonly digits: number;
  readonly minor: number;
};

const readOrder = ({ get, text }: NvpRequest): Order | Extract<NvpReply, { error: string }> => {
  const currency = text('CURRENCYCODE', 'USD');
  const digits = wireDigits(currency);
  if (digits === undefined) return { error: '10755', detail: `Currency ${currency} is not supported.` };
  const amountText = text('AMT');
  const minor = parseAmount(amountText, digits) ?? 0;
  const refusal = firstRefusal([
    [text('REFERENCEID') !== '', '10004', 'REFERENCEID is missing.'],
    [minor > 0, '10004', 'AMT is missing, malformed or not positive.'],
    [text('PAYMENTACTION', 'Sale') === 'Sale', '10004', 'This emulator takes PAYMENTACTION Sale only.'],
    [text('MSGSUBID').length <= MSGSUBID_MAX, '10004', 'MSGSUBID is too long.'],
    [text('INVNUM').length <= INVNUM_MAX, '10004', 'INVNUM is too long.'],
  ]);
  if (refusal && 'error' in refusal) return refusal;
  return {
    referenceId: text('REFERENCEID'),
    ...optional({ invoiceRef: get('INVNUM') }),
    amountText,
    currency,
    digits,
    minor,
  };
};

/** PayPal answers a repeat with the present state of the first; that the second asked for more is a client's bug. */
const repeated = (paypal: PayPal, earlier: LedgerRow, order: Order): NvpReply => {
  const same =
    earlier.minor === order.minor && earlier.currency === order.currency && earlier.invoiceRef === order.invoiceRef;
  if (!same)
    book(paypal, {
      type: 'violated',
      rule: 'operation-key-reused-with-other-body',
      facts: { transactionId: earlier.transactionId, operationKey: earlier.operationKey ?? '' },
    });
  return success(chargeFields(paypal, earlier), '11607');
};

type Funding = { readonly agreementId: string; readonly payerId: string };

/** An agreement, or an earlier charge that leads to one. */
const credentialOf = (paypal: PayPal, merchant: string, referenceId: string): Funding | { error: string } => {
  const isAgreement = referenceId.startsWith('B-');
  const id = isAgreement ? referenceId : paypal.ledger.find(referenceId)?.referenceId;
  const agreement = paypal.state.agreement(id ?? '');
  if (!agreement || agreement.merchant !== merchant) return { error: isAgreement ? '11451' : '10211' };
  if (agreement.status === 'Canceled') return { error: '10201' };
  return { agreementId: agreement.id, payerId: agreement.payer.payerId };
};

const refusedCredential = (paypal: PayPal, referenceId: string, { error }: { error: string }): NvpReply => {
  if (paypal.state.wasToldGone(referenceId))
    book(paypal, { type: 'violated', rule: 'charged-again-after-hard-decline', facts: { referenceId } });
  else record(paypal, { type: 'told-gone', referenceId });
  return failure(error);
};

const forcedError = (
  paypal: PayPal,
  { forced }: NvpRequest,
  amountText: string,
  declineCode = '10539',
): string | undefined => {
  if (forced && forced.effect !== 'pending') {
    const codes = { fail: '10001', decline: declineCode, 'rate-limit': '10014' };
    return forced.code ?? codes[forced.effect];
  }
  return paypal.state.settings().negativeTesting ? triggeredBy(amountText.replace('.', '')) : undefined;
};

/** Once paid, an invoice number stays taken, refunded or not: only a payment that failed frees it. */
const isTaken = (paypal: PayPal, merchant: string, invoiceRef: string | undefined): boolean => {
  if (!invoiceRef || !paypal.state.settings().blockDuplicateInvoices) return false;
  const rows = paypal.ledger.ofInvoice(scopeOf(merchant), invoiceRef);
  return rows.some((row) => row.kind === 'charge' && row.status !== 'denied');
};

export const refundTransaction: NvpOperation = (paypal, request) => {
  const { get, text, merchant } = request;
  const operationKey = get('MSGSUBID');
  const earlier = operationKey ? paypal.ledger.ofKey(scopeOf(merchant), 'refund', operationKey) : undefined;
  if (earlier) return success(refundFields(paypal, earlier), '11607');
  const charge = paypal.ledger.find(text('TRANSACTIONID'));
  if (charge?.merchant !== merchant || charge.kind !== 'charge') return failure('10004', 'TRANSACTIONID is unknown.');
  const refusal = refundRefusal(paypal, request, charge);
  if (refusal) return refusal;
  const minor = refundMinor(request, charge, charge.minor - paypal.ledger.refundedMinor(charge.transactionId));
  if (typeof minor !== 'number') return minor;

  const row: LedgerRow = {
    ...scopeOf(merchant),
    kind: 'refund',
    transactionId: mintId(),
    referenceId: charge.transactionId,
    ...optional({ invoiceRef: text('INVOICEID', charge.invoiceRef), operationKey, description: get('NOTE') }),
    minor,
    minorDigits: charge.minorDigits,
    feeMinor: 0,
    currency: charge.currency,
    status: request.forced?.effect === 'pending' ? 'pending' : 'completed',
    at: instant(paypal.now()),
  };
  book(paypal, { type: 'booked', row });
  return success(refundFields(paypal, row));
};

const refundRefusal = (paypal: PayPal, request: NvpRequest, charge: LedgerRow): NvpReply | undefined => {
  const forced = forcedError(paypal, request, request.text('AMT'), '10009');
  if (forced) return failure(forced);
  const ageMs = paypal.now() - Date.parse(charge.at);
  return firstRefusal([
    [charge.status === 'completed', '10009', 'Only a completed transaction can be refunded.'],
    [ageMs <= REFUND_WINDOW_MS, '10009', 'The refund window of 180 days has closed.'],
    [paypal.ledger.refundedMinor(charge.transactionId) < charge.minor, '10009', 'It has already been fully refunded.'],
  ]);
};

const refundMinor = ({ get }: NvpRequest, charge: LedgerRow, left: number): number | NvpReply => {
  const type = get('REFUNDTYPE') ?? 'Full';
  const amount = get('AMT');
  if (type === 'Full') return amount === undefined ? left : failure('10004', 'AMT must be absent for a full refund.');
  if (type !== 'Partial') return failure('10004', 'REFUNDTYPE is unknown.');
  const minor = parseAmount(amount ?? '', charge.minorDigits);
  if (minor === undefined || minor <= 0) return failure('10004', 'AMT is missing, malformed or not positive.');
  if (get('CURRENCYCODE') !== charge.currency)
    return failure('10009', 'A refund must be in the currency of the payment.');
  return minor <= left ? minor : failure('10009', 'The amount exceeds what is left to refund.');
};

export const paymentStatus = (paypal: PayPal, row: LedgerRow): string => {
  if (row.status === 'pending') return 'Pending';
  if (row.status === 'denied') return 'Denied';
  if (row.status === 'reversed') return 'Reversed';
  if (row.kind === 'refund') return 'Completed';
  const refunded = paypal.ledger.refundedMinor(row.transactionId);
  if (refunded === 0) return 'Completed';
  return refunded < row.minor ? 'Partially-Refunded' : 'Refunded';
};

export const chargeFields = (paypal: PayPal, row: LedgerRow): NvpFields => ({
  TRANSACTIONID: row.transactionId,
  TRANSACTIONTYPE: 'merchtpmt',
  PAYMENTTYPE: 'instant',
  ORDERTIME: row.at,
  AMT: formatAmount(row.minor, row.minorDigits),
  FEEAMT: formatAmount(row.feeMinor, row.minorDigits),
  TAXAMT: formatAmount(0, row.minorDigits),
  CURRENCYCODE: row.currency,
  PAYMENTSTATUS: paymentStatus(paypal, row),
  PENDINGREASON: row.status === 'pending' ? 'paymentreview' : 'none',
  REASONCODE: row.status === 'reversed' ? 'chargeback' : 'none',
  BILLINGAGREEMENTID: row.referenceId,
  MSGSUBID: row.operationKey,
});

const refundFields = (paypal: PayPal, row: LedgerRow): NvpFields => ({
  REFUNDTRANSACTIONID: row.transactionId,
  GROSSREFUNDAMT: formatAmount(row.minor, row.minorDigits),
  FEEREFUNDAMT: formatAmount(0, row.minorDigits),
  NETREFUNDAMT: formatAmount(row.minor, row.minorDigits),
  TOTALREFUNDEDAMOUNT: formatAmount(paypal.ledger.refundedMinor(row.referenceId), row.minorDigits),
  CURRENCYCODE: row.currency,
  REFUNDSTATUS: row.status === 'pending' ? 'Delayed' : 'Instant',
  PENDINGREASON: row.status === 'pending' ? 'echeck' : 'none',
  MSGSUBID: row.operationKey,
});

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

const optional = <T extends Readonly<Record<string, string | undefined>>>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as Given<T>;
