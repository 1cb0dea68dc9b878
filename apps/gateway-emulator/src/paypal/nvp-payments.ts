import type { LedgerRow } from '../core/money-ledger';
import { feeOf, formatAmount, parseAmount, wireDigits } from './nvp-amount';
import { failure, instant, success, type NvpFields, type NvpReply } from './nvp-envelope';
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
  if (order.invoiceRef && paypal.state.settings().blockDuplicateInvoices && isTaken(paypal, merchant, order.invoiceRef))
    return failure('10412', 'An earlier transaction carries the same invoice number.');

  const pending = request.forced?.effect === 'pending';
  const row: LedgerRow = {
    ...scopeOf(merchant),
    kind: 'charge',
    transactionId: mintId(),
    referenceId: credential.agreementId,
    ...optional({ invoiceRef: order.invoiceRef, operationKey, custom: get('CUSTOM'), description: get('DESC') }),
    payerRef: credential.payerId,
    minor: order.minor,
    minorDigits: order.digits,
    feeMinor: feeOf(order.minor, order.digits),
    currency: order.currency,
    status: pending ? 'pending' : 'completed',
    at: instant(paypal.now()),
  };
  book(paypal, { type: 'booked', row });
  return success(chargeFields(paypal, row), ...(pending ? ['11610'] : []));
};

type Order = {
  readonly referenceId: string;
  readonly invoiceRef?: string;
  readonly amountText: string;
  readonly currency: string;
  readonly digits: number;
  readonly minor: number;
};

const readOrder = ({ get }: NvpRequest): Order | Extract<NvpReply, { error: string }> => {
  const invalid = (detail: string) => ({ error: '10004', detail });
  const referenceId = get('REFERENCEID');
  const currency = get('CURRENCYCODE') ?? 'USD';
  const amountText = get('AMT') ?? '';
  const digits = wireDigits(currency);
  const invoiceRef = get('INVNUM');
  if (!referenceId) return invalid('REFERENCEID is missing.');
  if (digits === undefined) return { error: '10755', detail: `Currency ${currency} is not supported.` };
  const minor = parseAmount(amountText, digits);
  if (minor === undefined || minor <= 0) return invalid('AMT is missing, malformed or not positive.');
  if ((get('PAYMENTACTION') ?? 'Sale') !== 'Sale') return invalid('This emulator takes PAYMENTACTION Sale only.');
  if ((get('MSGSUBID') ?? '').length > MSGSUBID_MAX) return invalid('MSGSUBID is too long.');
  if (invoiceRef && invoiceRef.length > INVNUM_MAX) return invalid('INVNUM is too long.');
  return { referenceId, ...optional({ invoiceRef }), amountText, currency, digits, minor };
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

const FORCED_CODES = { fail: '10001', decline: '10539', 'rate-limit': '10014' } as const;

const forcedError = (paypal: PayPal, { forced }: NvpRequest, amountText: string): string | undefined => {
  if (forced && forced.effect !== 'pending') return forced.code ?? FORCED_CODES[forced.effect];
  return paypal.state.settings().negativeTesting ? triggeredBy(amountText.replace('.', '')) : undefined;
};

/** Once paid, an invoice number stays taken, refunded or not: only a payment that failed frees it. */
const isTaken = (paypal: PayPal, merchant: string, invoiceRef: string): boolean =>
  paypal.ledger
    .ofInvoice(scopeOf(merchant), invoiceRef)
    .some((row) => row.kind === 'charge' && row.status !== 'denied');

export const refundTransaction: NvpOperation = (paypal, request) => {
  const { get, merchant } = request;
  const operationKey = get('MSGSUBID');
  const earlier = operationKey ? paypal.ledger.ofKey(scopeOf(merchant), 'refund', operationKey) : undefined;
  if (earlier) return success(refundFields(paypal, earlier), '11607');
  const charge = paypal.ledger.find(get('TRANSACTIONID') ?? '');
  if (!charge || charge.merchant !== merchant || charge.kind !== 'charge')
    return failure('10004', 'TRANSACTIONID is unknown.');
  if (request.forced && request.forced.effect !== 'pending') return failure(request.forced.code ?? '10009');

  const left = charge.minor - paypal.ledger.refundedMinor(charge.transactionId);
  if (charge.status !== 'completed') return failure('10009', 'Only a completed transaction can be refunded.');
  if (paypal.now() - Date.parse(charge.at) > REFUND_WINDOW_MS)
    return failure('10009', 'The refund window of 180 days has closed.');
  if (left === 0) return failure('10009', 'This transaction has already been fully refunded.');
  const minor = refundMinor(request, charge, left);
  if (typeof minor !== 'number') return minor;
  const triggered = paypal.state.settings().negativeTesting
    ? triggeredBy((get('AMT') ?? '').replace('.', ''))
    : undefined;
  if (triggered) return failure(triggered);

  const row: LedgerRow = {
    ...scopeOf(merchant),
    kind: 'refund',
    transactionId: mintId(),
    referenceId: charge.transactionId,
    ...optional({ invoiceRef: get('INVOICEID') ?? charge.invoiceRef, operationKey, description: get('NOTE') }),
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
