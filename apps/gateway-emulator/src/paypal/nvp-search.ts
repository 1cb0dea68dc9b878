import type { LedgerRow } from '../core/money-ledger';
import { formatAmount } from './nvp-amount';
import { failure, instant, success } from './nvp-envelope';
import { chargeFields, paymentStatus } from './nvp-payments';
import { scopeOf, type NvpOperation, type NvpRequest, type PayPal } from './paypal-context';

const ROWS_MAX = 100;

/** Newest first, at most 100 rows, and blind to what is younger than the configured lag. */
export const transactionSearch: NvpOperation = (paypal, request) => {
  const { get, merchant } = request;
  const from = Date.parse(get('STARTDATE') ?? '');
  const to = get('ENDDATE') === undefined ? Infinity : Date.parse(get('ENDDATE') ?? '');
  if (Number.isNaN(from) || Number.isNaN(to)) return failure('10004', 'STARTDATE is missing, or a date is malformed.');
  const visibleUntil = paypal.now() - paypal.state.settings().searchLagSeconds * 1000;
  const invoiceRef = get('INVNUM');
  const rows = invoiceRef ? paypal.ledger.ofInvoice(scopeOf(merchant), invoiceRef) : paypal.ledger.rows();
  const hits = rows.filter((row) => {
    const at = Date.parse(row.at);
    return row.merchant === merchant && at >= from && at <= to && at <= visibleUntil && matches(paypal, request, row);
  });
  const shown = hits.reverse().slice(0, ROWS_MAX);
  const fields = Object.assign({}, ...shown.map((row, index) => rowFields(paypal, row, index))) as Record<
    string,
    string
  >;
  return success(fields, ...(hits.length > ROWS_MAX ? ['11002'] : []));
};

const matches = (paypal: PayPal, { get }: NvpRequest, row: LedgerRow): boolean => {
  const wanted: readonly [string, string | undefined][] = [
    ['TRANSACTIONID', row.transactionId],
    ['CURRENCYCODE', row.currency],
    ['AMT', signedAmount(row)],
    ['EMAIL', emailOf(paypal, row)],
    ['STATUS', paymentStatus(paypal, row).replace('-', ' ')],
  ];
  if (!wanted.every(([name, value]) => get(name) === undefined || get(name) === value)) return false;
  const wantedClass = get('TRANSACTIONCLASS') ?? 'All';
  return wantedClass === 'All' || (wantedClass === 'Refund') === (row.kind === 'refund');
};

const rowFields = (paypal: PayPal, row: LedgerRow, index: number): Record<string, string> => ({
  [`L_TIMESTAMP${index}`]: row.at,
  [`L_TIMEZONE${index}`]: 'GMT',
  [`L_TYPE${index}`]: row.kind === 'charge' ? 'Payment' : 'Refund',
  [`L_EMAIL${index}`]: emailOf(paypal, row) ?? '',
  [`L_TRANSACTIONID${index}`]: row.transactionId,
  [`L_STATUS${index}`]: paymentStatus(paypal, row).replace('-', ' '),
  [`L_AMT${index}`]: signedAmount(row),
  [`L_CURRENCYCODE${index}`]: row.currency,
  [`L_FEEAMT${index}`]: formatAmount(-row.feeMinor, row.minorDigits),
  [`L_NETAMT${index}`]: formatAmount((row.kind === 'refund' ? -row.minor : row.minor) - row.feeMinor, row.minorDigits),
});

const signedAmount = (row: LedgerRow): string =>
  formatAmount(row.kind === 'refund' ? -row.minor : row.minor, row.minorDigits);

const emailOf = (paypal: PayPal, row: LedgerRow): string | undefined => {
  const charge = row.kind === 'refund' ? paypal.ledger.find(row.referenceId) : row;
  return paypal.state.agreement(charge?.referenceId ?? '')?.payer.email;
};

export const getTransactionDetails: NvpOperation = (paypal, { get, merchant }) => {
  const row = paypal.ledger.find(get('TRANSACTIONID') ?? '');
  if (!row || row.merchant !== merchant) return failure('10004', 'TRANSACTIONID is unknown.');
  const refund = row.kind === 'refund';
  return success({
    ...chargeFields(paypal, row),
    AMT: signedAmount(row),
    EMAIL: emailOf(paypal, row),
    PAYERID: row.payerRef,
    INVNUM: row.invoiceRef,
    CUSTOM: row.custom,
    TRANSACTIONTYPE: refund ? 'sendmoney' : 'merchtpmt',
    PARENTTRANSACTIONID: refund ? row.referenceId : undefined,
    BILLINGAGREEMENTID: refund ? undefined : row.referenceId,
    ORDERTIME: instant(Date.parse(row.at)),
  });
};
