import { type Currency, type Instant, type LocalDate, localDateOf } from '@billstream/kernel';
import type { InvoiceItem, InvoiceRun, RecordedAccount } from './account-invoices.events';
import { type AccountInvoices, isTagged } from './account-invoices.state';
import { type BillingEvent, accountTimeOf, billingEventsOf } from './billing-events';
import { type InvoicingSettings, lookBackFrom } from './invoicing-settings';
import type { SubscriptionLedger } from './subscription-ledger';
import { entryOf } from './book';

/** An item before it is numbered within its invoice. */
export type NewItem = Omit<InvoiceItem, 'itemId'>;

/** What no kind of item but its own has. */
export const plainItem = {
  linkedItemId: null,
  rate: null,
  quantity: null,
  usageName: null,
  usagePeriod: null,
  itemDetails: null,
} as const;

/** One subscription as a run looks at it. */
export type Work = {
  readonly ledger: SubscriptionLedger;
  readonly events: readonly BillingEvent[];
  readonly account: RecordedAccount;
  readonly currency: Currency;
  readonly run: InvoiceRun;
  readonly settings: InvoicingSettings;
  /** The first day that the run looks at; null is the beginning. */
  readonly from: LocalDate | null;
  /** The target date of the invoice that charged something. */
  readonly targetDateOf: (invoiceId: string) => LocalDate | null;
};

/** The rules of one run and the day it runs on, by which a limited look-back counts. */
export type RunRules = { readonly settings: InvoicingSettings; readonly now: Instant };

/** The subscriptions that a run is about; nothing while the account has no currency. */
export const worksOf = (state: AccountInvoices, run: InvoiceRun, { settings, now }: RunRules): readonly Work[] => {
  const { account } = state;
  const currency = account?.currency;
  if (!account || !currency) return [];
  const from = lookBackFrom(settings, localDateOf(now, accountTimeOf(account)));
  const targetDateOf = (invoiceId: string): LocalDate | null => entryOf(state.invoices, invoiceId)?.targetDate ?? null;
  return Object.values(state.subscriptions)
    .filter(({ timeline }) => !isTagged(state, timeline.bundleId, 'AUTO_INVOICING_OFF'))
    .map((ledger) => ({
      ledger,
      events: billingEventsOf(ledger.timeline, account),
      account,
      currency,
      run,
      settings,
      from,
      targetDateOf,
    }));
};
