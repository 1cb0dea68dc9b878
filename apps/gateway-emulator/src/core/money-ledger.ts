import type { Part } from './emulator-store';

export type LedgerStatus = 'completed' | 'pending' | 'denied' | 'reversed';

/** One movement of money. This row, and nothing in the platform, says whether a payer was charged. */
export type LedgerRow = {
  readonly provider: string;
  /** Which merchant asked; a fingerprint, never a login. */
  readonly merchant: string;
  readonly kind: 'charge' | 'refund';
  readonly transactionId: string;
  /** The stored credential that was charged, or the charge that was refunded. */
  readonly referenceId: string;
  readonly invoiceRef?: string;
  readonly operationKey?: string;
  readonly custom?: string;
  readonly description?: string;
  readonly payerRef?: string;
  readonly minor: number;
  readonly minorDigits: number;
  readonly feeMinor: number;
  readonly currency: string;
  readonly status: LedgerStatus;
  readonly at: string;
};

export type LedgerChange =
  | { readonly type: 'booked'; readonly row: LedgerRow }
  | { readonly type: 'settled'; readonly transactionId: string; readonly status: LedgerStatus }
  | { readonly type: 'violated'; readonly rule: string; readonly facts: Readonly<Record<string, string>> };

export type Violation = { readonly rule: string; readonly facts: Readonly<Record<string, string>> };

type Scope = Pick<LedgerRow, 'provider' | 'merchant'>;

export type MoneyLedger = Part<LedgerChange> & {
  rows(): readonly LedgerRow[];
  find(transactionId: string): LedgerRow | undefined;
  ofInvoice(scope: Scope, invoiceRef: string): readonly LedgerRow[];
  ofKey(scope: Scope, kind: LedgerRow['kind'], operationKey: string): LedgerRow | undefined;
  refundedMinor(transactionId: string): number;
  violations(): readonly Violation[];
};

const keyOf = (...parts: readonly string[]): string => parts.join('\n');

/** Money that left the payer, or may still do so. */
export const counts = (row: LedgerRow): boolean => row.status === 'completed' || row.status === 'pending';

export const createLedger = (): MoneyLedger => {
  const order: string[] = [];
  const rows = new Map<string, LedgerRow>();
  const byInvoice = new Map<string, string[]>();
  const byKey = new Map<string, string>();
  const refundsOf = new Map<string, string[]>();
  const observed: Violation[] = [];

  const pick = (ids: readonly string[]): LedgerRow[] => ids.flatMap((id) => rows.get(id) ?? []);

  const book = (row: LedgerRow): void => {
    order.push(row.transactionId);
    rows.set(row.transactionId, row);
    if (row.invoiceRef) index(byInvoice, keyOf(row.provider, row.merchant, row.invoiceRef), row.transactionId);
    if (row.operationKey) byKey.set(keyOf(row.provider, row.merchant, row.kind, row.operationKey), row.transactionId);
    if (row.kind === 'refund') index(refundsOf, row.referenceId, row.transactionId);
  };

  const apply = (change: LedgerChange): void => {
    switch (change.type) {
      case 'booked': {
        book(change.row);
        return;
      }
      case 'settled': {
        const row = rows.get(change.transactionId);
        if (row) rows.set(row.transactionId, { ...row, status: change.status });
        return;
      }
      case 'violated':
        observed.push({ rule: change.rule, facts: change.facts });
    }
  };

  return {
    name: 'ledger',
    apply,
    reset: () => {
      [rows, byInvoice, byKey, refundsOf].forEach((map) => map.clear());
      order.length = 0;
      observed.length = 0;
    },
    rows: () => pick(order),
    find: (transactionId) => rows.get(transactionId),
    ofInvoice: ({ provider, merchant }, invoiceRef) => pick(byInvoice.get(keyOf(provider, merchant, invoiceRef)) ?? []),
    ofKey: ({ provider, merchant }, kind, key) => rows.get(byKey.get(keyOf(provider, merchant, kind, key)) ?? ''),
    refundedMinor: (id) =>
      pick(refundsOf.get(id) ?? [])
        .filter(counts)
        .reduce((sum, refund) => sum + refund.minor, 0),
    violations: () => observed,
  };
};

const index = (map: Map<string, string[]>, key: string, id: string): void => {
  const ids = map.get(key);
  if (ids) ids.push(id);
  else map.set(key, [id]);
};
