import type { Publication } from '@billstream/event-sourcing';
import { accountInvoicesPublication } from './account-invoices/account-invoices.publication';
import { accountInvoicesStreams } from './account-invoices/account-invoices.schema';
import { overduePublication, overdueStreams } from './overdue/overdue';
import { overdueConfigStreams } from './overdue/overdue-config';
import { tenantInvoicingStreams } from './tenant/tenant-invoicing';

/** Prefixes of all streams of invoicing. */
export const invoicingStreams: readonly string[] = [
  accountInvoicesStreams,
  overdueStreams,
  overdueConfigStreams,
  tenantInvoicingStreams,
];

export const invoicingPublication: Publication = (recorded) =>
  recorded.stream.startsWith(overdueStreams) ? overduePublication(recorded) : accountInvoicesPublication(recorded);
