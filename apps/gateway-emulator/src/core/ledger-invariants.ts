import { counts, type LedgerRow, type MoneyLedger, type Violation } from './money-ledger';

/** What must hold after any scenario, however the network behaved; an empty list is a pass. */
export const checkInvariants = (ledger: MoneyLedger): readonly Violation[] => {
  const rows = ledger.rows();
  const charges = rows.filter((row) => row.kind === 'charge' && counts(row));
  return [
    ...ledger.violations(),
    ...repeated(charges, 'invoice-charged-twice', (row) => row.invoiceRef),
    ...repeated(
      rows.filter(counts),
      'operation-key-booked-twice',
      (row) => row.operationKey && `${row.kind} ${row.operationKey}`,
    ),
    ...rows.flatMap((row) => (row.kind === 'refund' ? refundFaults(ledger, row) : overRefunded(ledger, row))),
    ...rows
      .filter((row) => !Number.isSafeInteger(row.minor) || row.minor <= 0)
      .map((row) => violation('amount-not-positive-integer', row)),
  ];
};

const repeated = (
  rows: readonly LedgerRow[],
  rule: string,
  keyOf: (row: LedgerRow) => string | undefined,
): Violation[] => {
  const seen = new Set<string>();
  return rows.flatMap((row) => {
    const key = keyOf(row);
    if (!key) return [];
    const scoped = `${row.provider} ${row.merchant} ${key}`;
    if (seen.has(scoped)) return [violation(rule, row)];
    seen.add(scoped);
    return [];
  });
};

const refundFaults = (ledger: MoneyLedger, refund: LedgerRow): Violation[] => {
  const charge = ledger.find(refund.referenceId);
  if (!charge) return [violation('refund-without-charge', refund)];
  return charge.currency === refund.currency ? [] : [violation('refund-in-other-currency', refund)];
};

const overRefunded = (ledger: MoneyLedger, charge: LedgerRow): Violation[] =>
  ledger.refundedMinor(charge.transactionId) > charge.minor ? [violation('refunded-more-than-charged', charge)] : [];

const violation = (rule: string, row: LedgerRow): Violation => ({
  rule,
  facts: { transactionId: row.transactionId, ...(row.invoiceRef ? { invoiceRef: row.invoiceRef } : {}) },
});
