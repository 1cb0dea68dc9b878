import type { Publication } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { accountInvoicesSchema } from './account-invoices.schema';

const publicEventOf = ({ type, data }: AccountInvoicesEvent): InvoicingEvent | null => {
  switch (type) {
    case 'UsageRequested': {
      const { requestId, accountId, accountExternalKey, subscriptionId, planName, timeZone, periods } = data;
      return {
        type: 'invoicing.usage-requested.v1',
        data: { requestId, accountId, accountExternalKey, subscriptionId, planName, timeZone, periods },
      };
    }
    case 'InvoiceVoided':
      return { type: 'invoicing.invoice-voided.v1', data };
    case 'DraftCommitted':
    case 'InvoiceCommitted': {
      const { invoiceId, accountId, invoiceNumber, invoiceDate, targetDate, currency, amountMinor, balanceMinor } =
        data;
      return {
        type: 'invoicing.invoice-committed.v1',
        data: { invoiceId, accountId, invoiceNumber, invoiceDate, targetDate, currency, amountMinor, balanceMinor },
      };
    }
    case 'BalanceChanged':
      return { type: 'invoicing.balance-changed.v1', data };
    case 'ChargedThroughChanged':
      return { type: 'invoicing.charged-through-changed.v1', data };
    case 'BillCycleDayChosen':
      return { type: 'invoicing.bill-cycle-day-chosen.v1', data };
    case 'AccountRecorded':
    case 'BillingTimelineRecorded':
    case 'InvoiceAwaited':
    case 'UsageRecorded':
    case 'PaymentRecorded':
    case 'ControlTagRecorded':
    case 'InvoiceItemsDrawn':
    case 'InvoiceDrafted':
    case 'DraftExtended':
    case 'InvoiceAdjusted':
    case 'CreditApplied':
    case 'NextInvoiceScheduled':
    case 'InvoicingParked':
      return null;
  }
};

/** What other contexts hear of an account's invoices; everything of one account travels in order. */
export const accountInvoicesPublication: Publication = (recorded) => {
  const event = accountInvoicesSchema.decode(recorded);
  const published = event === null ? null : publicEventOf(event);
  return published === null ? [] : [{ type: published.type, key: published.data.accountId, data: published.data }];
};
