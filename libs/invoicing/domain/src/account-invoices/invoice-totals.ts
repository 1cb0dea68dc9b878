import type { LocalDate } from '@billstream/kernel';
import { type Book, valuesIn } from './book';
import type { CreditItem, InvoiceHead, InvoiceItem, InvoiceItemType } from './account-invoices.events';

export type InvoiceStatus = 'DRAFT' | 'COMMITTED' | 'VOID';

/** What a later command has to know of an item. */
export type KnownItem = Pick<
  InvoiceItem,
  'itemId' | 'type' | 'subscriptionId' | 'bundleId' | 'linkedItemId' | 'startDate' | 'endDate' | 'amountMinor'
>;

/** Where one invoice stands. Minor units. */
export type InvoiceTotals = {
  /** How many invoices of the account were made before it. */
  readonly place: number;
  readonly status: InvoiceStatus;
  readonly invoiceNumber: string;
  readonly invoiceDate: LocalDate;
  readonly targetDate: LocalDate;
  /** All items but account credit: what asks to be paid. */
  readonly chargedMinor: number;
  /** Account credit made (positive) and used (negative) on it; of a void invoice, since it was voided. */
  readonly creditMinor: number;
  readonly paidMinor: number;
  /** Payments that succeeded, whatever was given back of them. */
  readonly purchasedMinor: number;
  /** What the parent account has paid of it. */
  readonly settledMinor: number;
  readonly isParentInvoice: boolean;
  /** The account that pays for it. */
  readonly parentAccountId: string | null;
  readonly isMigration: boolean;
  readonly isWrittenOff: boolean;
  readonly items: readonly KnownItem[];
};

/** What an invoice asks for, whatever its state. */
export const rawBalanceOf = ({ chargedMinor, creditMinor, paidMinor, settledMinor }: InvoiceTotals): number =>
  chargedMinor + creditMinor - paidMinor - settledMinor;

const isOwed = ({ status, isWrittenOff, isMigration }: InvoiceTotals): boolean =>
  status === 'COMMITTED' && !isWrittenOff && !isMigration;

/**
 * What is owed: nothing of a draft, of a written-off or a migrated invoice (Kill Bill 2.13). Nothing of a void one either,
 * but money that came for it after all is the payer's, so that it becomes credit (ADR 0021).
 */
export const balanceOf = (totals: InvoiceTotals): number => {
  if (totals.status === 'VOID') return rawBalanceOf(totals) - totals.chargedMinor;
  return isOwed(totals) ? rawBalanceOf(totals) : 0;
};

/** What a child's invoice asks for, whether its parent has paid it or not. */
export const withoutParentOf = (totals: InvoiceTotals): number =>
  isOwed(totals) ? rawBalanceOf(totals) + totals.settledMinor : 0;

type Amount = { readonly type: InvoiceItemType; readonly amountMinor: number };

const sumOf = (items: readonly Amount[], isOf: (type: InvoiceItemType) => boolean): number =>
  items.reduce((total, { type, amountMinor }) => (isOf(type) ? total + amountMinor : total), 0);

export const creditOf = (items: readonly Amount[]): number => sumOf(items, (type) => type === 'CBA_ADJ');
export const chargesOf = (items: readonly Amount[]): number => sumOf(items, (type) => type !== 'CBA_ADJ');

/** Kill Bill's amount of an invoice: credit given with nothing else on it is not a negative charge (Kill Bill 2.13). */
export const amountOf = (items: readonly Amount[]): number =>
  items.every(({ type }) => type === 'CREDIT_ADJ' || type === 'CBA_ADJ') ? 0 : chargesOf(items);

const known = ({
  itemId,
  type,
  subscriptionId,
  bundleId,
  linkedItemId,
  startDate,
  endDate,
  amountMinor,
}: InvoiceItem): KnownItem => ({
  itemId,
  type,
  subscriptionId,
  bundleId,
  linkedItemId,
  startDate,
  endDate,
  amountMinor,
});

const noTotals = {
  chargedMinor: 0,
  creditMinor: 0,
  paidMinor: 0,
  purchasedMinor: 0,
  settledMinor: 0,
  isWrittenOff: false,
  items: [],
} as const;

export const newTotals = (
  head: InvoiceHead,
  status: InvoiceStatus,
  items: readonly InvoiceItem[],
  place: number,
): InvoiceTotals => {
  const { invoiceNumber, invoiceDate, targetDate } = head;
  const { isMigration = false, isParentInvoice = false, parentAccountId = null } = head;
  const facts = {
    place,
    status,
    invoiceNumber,
    invoiceDate,
    targetDate,
    isMigration,
    isParentInvoice,
    parentAccountId,
  };
  return withItems({ ...noTotals, ...facts }, items);
};

/** An item of a draft stands for another amount. */
export const withItemAmount = (totals: InvoiceTotals, itemId: string, amountMinor: number): InvoiceTotals => {
  const before = totals.items.find((item) => item.itemId === itemId);
  if (before === undefined || before.amountMinor === amountMinor) return totals;
  return {
    ...totals,
    chargedMinor: totals.chargedMinor - before.amountMinor + amountMinor,
    items: totals.items.map((item) => (item === before ? { ...item, amountMinor } : item)),
  };
};

export const withItems = (totals: InvoiceTotals, items: readonly InvoiceItem[]): InvoiceTotals => ({
  ...totals,
  chargedMinor: totals.chargedMinor + chargesOf(items),
  creditMinor: totals.creditMinor + creditOf(items),
  items: [...totals.items, ...items.map(known)],
});

export const withCreditItem = (
  totals: InvoiceTotals,
  { itemId, amountMinor, date, linkedItemId }: CreditItem,
): InvoiceTotals => ({
  ...totals,
  creditMinor: totals.creditMinor + amountMinor,
  items: [
    ...totals.items,
    {
      itemId,
      type: 'CBA_ADJ',
      subscriptionId: null,
      bundleId: null,
      linkedItemId: linkedItemId ?? null,
      startDate: date,
      endDate: date,
      amountMinor,
    },
  ],
});

const takesBack: ReadonlySet<InvoiceItemType> = new Set(['REPAIR_ADJ', 'ITEM_ADJ', 'CBA_ADJ'] as const);

/** What repairs and adjustments took back of each item that they are linked to, on any invoice that counts. Negative. */
export const takenBack = (invoices: Book<InvoiceTotals>): ReadonlyMap<string, number> => {
  const taken = new Map<string, number>();
  for (const { status, items } of valuesIn(invoices)) {
    if (status === 'VOID') continue;
    for (const { type, linkedItemId, amountMinor } of items)
      if (linkedItemId !== null && takesBack.has(type))
        taken.set(linkedItemId, (taken.get(linkedItemId) ?? 0) + amountMinor);
  }
  return taken;
};

/** What is left of an item after that. Of many items, ask what was taken back once. */
export const leftOf = ({ itemId, amountMinor }: KnownItem, taken: ReadonlyMap<string, number>): number =>
  amountMinor + (taken.get(itemId) ?? 0);
