import type { AskedItem } from '@billstream/invoicing-domain';

/** Credit that an account gets for what happened elsewhere. Minor units. */
export const givenCredit = (amountMinor: number, description: string): AskedItem => ({
  type: 'CREDIT_ADJ',
  amountMinor,
  description,
  invoiceId: null,
  startDate: null,
  endDate: null,
  itemDetails: null,
  linkedItemId: null,
  quantity: null,
  rate: null,
  usageName: null,
});
