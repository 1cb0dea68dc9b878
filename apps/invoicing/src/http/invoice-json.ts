import type { CommittedInvoice, InvoiceItem, InvoiceItemType } from '@billstream/invoicing-domain';
import type { InvoiceView } from '@billstream/invoicing-read-models';
import { type Currency, money, toDecimal, toNumber } from '@billstream/kernel';

type Owner = { readonly invoiceId: string; readonly accountId: string; readonly currency: Currency };

const amountIn =
  (currency: Currency) =>
  (minor: number | bigint): number =>
    toNumber(toDecimal(money(Number(minor), currency)));

/** What Kill Bill writes where nobody gave a description. */
const descriptions: { readonly [Type in InvoiceItemType]: (item: InvoiceItem) => string | null } = {
  RECURRING: ({ phaseName }) => phaseName,
  FIXED: ({ phaseName }) => `${phaseName ?? ''} (fixed price)`,
  USAGE: ({ usageName }) => `${usageName ?? ''} (usage item)`,
  EXTERNAL_CHARGE: () => 'External charge',
  TAX: () => 'Tax',
  PARENT_SUMMARY: () => 'Summary of a child account',
  REPAIR_ADJ: () => 'Adjustment (subscription change)',
  ITEM_ADJ: () => 'Invoice item adjustment',
  CREDIT_ADJ: () => 'Invoice adjustment (account credit)',
  CBA_ADJ: ({ amountMinor }) =>
    amountMinor > 0 ? 'Adjustment (account credit)' : 'Adjustment (use of account credit)',
};

/** What a client wrote of an item, else what its type says. */
export const descriptionOf = (item: InvoiceItem): string | null => {
  const { type, description } = item;
  return description === undefined || description === null || description === ''
    ? descriptions[type](item)
    : description;
};

/** Kill Bill's InvoiceItem JSON, every field present and in its order. */
export const itemJson = (item: InvoiceItem, { invoiceId, accountId, currency }: Owner) => ({
  invoiceItemId: item.itemId,
  invoiceId,
  linkedInvoiceItemId: item.linkedItemId,
  accountId,
  childAccountId: item.childAccountId ?? null,
  bundleId: item.bundleId,
  subscriptionId: item.subscriptionId,
  productName: item.productName,
  planName: item.planName,
  phaseName: item.phaseName,
  usageName: item.usageName,
  prettyProductName: item.prettyProductName,
  prettyPlanName: item.prettyPlanName,
  prettyPhaseName: item.prettyPhaseName,
  prettyUsageName: item.usageName,
  itemType: item.type,
  description: descriptionOf(item),
  startDate: item.startDate,
  endDate: item.endDate,
  amount: amountIn(currency)(item.amountMinor),
  rate: item.rate === null ? null : toNumber(item.rate),
  currency,
  quantity: item.quantity === null ? null : toNumber(item.quantity),
  itemDetails: item.itemDetails,
  catalogEffectiveDate: item.catalogEffectiveDate,
  childItems: null,
  auditLogs: [],
});

/** The usage that an invoice charges. A void one charges none: what it counted is free for another (Kill Bill 2.12). */
const trackingIdsOf = ({ status, items }: InvoiceView): readonly string[] =>
  status === 'VOID' ? [] : [...new Set(items.flatMap(({ trackingIds = [] }) => trackingIds))];

/** Kill Bill's Invoice JSON (0.20 and later), every field present and in its order. */
export const invoiceJson = (invoice: InvoiceView) => {
  const amount = amountIn(invoice.currency);
  return {
    amount: amount(invoice.amountMinor),
    currency: invoice.currency,
    status: invoice.status,
    creditAdj: amount(invoice.creditMinor),
    refundAdj: amount(invoice.refundedMinor === 0n ? 0n : -invoice.refundedMinor),
    invoiceId: invoice.invoiceId,
    invoiceDate: invoice.invoiceDate,
    targetDate: invoice.targetDate,
    invoiceNumber: invoice.invoiceNumber,
    balance: amount(invoice.balanceMinor),
    accountId: invoice.accountId,
    bundleKeys: null,
    credits: null,
    items: invoice.items.map((item) => itemJson(item, invoice)),
    trackingIds: trackingIdsOf(invoice),
    isParentInvoice: invoice.isParentInvoice,
    parentInvoiceId: invoice.parentInvoiceId,
    parentAccountId: invoice.parentAccountId,
    auditLogs: [],
  };
};

/** An invoice that nobody keeps, in the same form; with the draft to which it would be added, as that would be then. */
export const previewJson = (invoice: CommittedInvoice, draft: InvoiceView | null = null) =>
  invoiceJson({
    ...invoice,
    status: 'COMMITTED',
    isParentInvoice: false,
    parentInvoiceId: null,
    parentAccountId: null,
    ...(draft === null
      ? {}
      : { invoiceId: draft.invoiceId, invoiceNumber: draft.invoiceNumber, invoiceDate: draft.invoiceDate }),
    items: [...(draft?.items ?? []), ...invoice.items],
    amountMinor: BigInt(invoice.amountMinor) + (draft?.amountMinor ?? 0n),
    balanceMinor: BigInt(invoice.balanceMinor) + (draft?.amountMinor ?? 0n) + (draft?.creditMinor ?? 0n),
    creditMinor: BigInt(invoice.balanceMinor - invoice.amountMinor) + (draft?.creditMinor ?? 0n),
    refundedMinor: 0n,
  });
