import type { LocalDate } from '@billstream/kernel';
import type { InvoiceItem } from './account-invoices.events';

/** An item of account credit: it is about no subscription. Positive: credit made; negative: credit used. */
export const creditInvoiceItem = (amountMinor: number, date: LocalDate): Omit<InvoiceItem, 'itemId'> => ({
  type: 'CBA_ADJ',
  subscriptionId: null,
  bundleId: null,
  productName: null,
  prettyProductName: null,
  planName: null,
  prettyPlanName: null,
  phaseName: null,
  prettyPhaseName: null,
  catalogEffectiveDate: null,
  linkedItemId: null,
  startDate: date,
  endDate: date,
  amountMinor,
  rate: null,
  quantity: null,
  usageName: null,
  usagePeriod: null,
  itemDetails: null,
});
