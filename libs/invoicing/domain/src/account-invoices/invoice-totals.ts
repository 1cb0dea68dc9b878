import type { LocalDate } from '@billstream/kernel';
import type { CreditItem, InvoiceHead, InvoiceItem, InvoiceItemType } from './account-invoices.events';

export type InvoiceStatus = 'DRAFT' | 'COMMITTED' | 'VOID';

/** What a later command has to know of an item. */
export type KnownItem = Pick<
  InvoiceItem,
  'itemId' | 'type' | 'subscriptionId' | 'bundleId' | 'linkedItemId' | 'startDate' | 'endDate' | 'amountMinor'
>;

/** Where one invoice stands. Minor units. */
export type InvoiceTotals = {
  readonly status: InvoiceStatus;
  readonly invoiceNumber: string;
  readonly invoiceDate: LocalDate;
  readonly targetDate: LocalDate;
  /** All items but account credit: what asks to be paid. */
  readonly chargedMinor: number;
  /** Account credit made (positive) and used (negative) on it. */
  readonly creditMinor: number;
  readonly paidMinor: number;
  readonly isMigration: boolean;
  readonly isWrittenOff: boolean;
  readonly items: readonly KnownItem[];
};

/** What an invoice asks for, whatever its state. */
export const rawBalanceOf = ({ chargedMinor, creditMinor, paidMinor }: InvoiceTotals): number =>
  chargedMinor + creditMinor - paidMinor;

/** What is owed: nothing of a draft, of a void, a written-off or a migrated invoice (Kill Bill 2.13). */
export const balanceOf = (totals: InvoiceTotals): number =>
  totals.status !== 'COMMITTED' || totals.isWrittenOff || totals.isMigration ? 0 : rawBalanceOf(totals);

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

const noTotals = { chargedMinor: 0, creditMinor: 0, paidMinor: 0, isWrittenOff: false, items: [] } as const;

export const newTotals = (
  { invoiceNumber, invoiceDate, targetDate, isMigration }: InvoiceHead,
  status: InvoiceStatus,
  items: readonly InvoiceItem[],
): InvoiceTotals =>
  withItems({ ...noTotals, status, invoiceNumber, invoiceDate, targetDate, isMigration: isMigration ?? false }, items);

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

/** What is left of an item after the repairs and adjustments that were linked to it, on any invoice that counts. */
export const leftOf = (item: KnownItem, invoices: Readonly<Record<string, InvoiceTotals>>): number =>
  Object.values(invoices)
    .filter(({ status }) => status !== 'VOID')
    .flatMap(({ items }) => items)
    .filter(
      ({ type, linkedItemId }) =>
        linkedItemId === item.itemId && (type === 'REPAIR_ADJ' || type === 'ITEM_ADJ' || type === 'CBA_ADJ'),
    )
    .reduce((left, { amountMinor }) => left + amountMinor, item.amountMinor);
