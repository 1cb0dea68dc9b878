import { type Currency, type Instant, type LocalDate, localDateOf } from '@billstream/kernel';
import type { AccountInvoicesEvent, RecordedAccount } from './account-invoices.events';
import { type AccountInvoices, evolve } from './account-invoices.state';
import { accountTimeOf } from './billing-events';
import { type InvoicingSettings, defaultSettings } from './invoicing-settings';

/** When a command is decided, by the tenant's clock, and by which rules of the tenant; absent are Kill Bill's defaults. */
export type Given = { readonly now: Instant; readonly settings?: InvoicingSettings };

/** What every step of one decision goes by. */
export type Occasion = { readonly now: Instant; readonly settings: InvoicingSettings };

export const occasionOf = ({ now, settings = defaultSettings }: Given): Occasion => ({ now, settings });

export type Step = (state: AccountInvoices) => readonly AccountInvoicesEvent[];

/** Steps of one decision: each sees what the ones before it decided. */
export const inSequence = (state: AccountInvoices, steps: readonly Step[]): readonly AccountInvoicesEvent[] => {
  const events: AccountInvoicesEvent[] = [];
  let current = state;
  for (const step of steps) {
    const decided = step(current);
    current = decided.reduce(evolve, current);
    events.push(...decided);
  }
  return events;
};

/** An account that can be invoiced: it is known and has a currency. */
export type Billable = { readonly account: RecordedAccount; readonly currency: Currency };

export const billable = ({ account }: AccountInvoices): Billable | null =>
  account?.currency ? { account, currency: account.currency } : null;

/** The account that pays for this one, where there is one. */
export const payerOf = ({
  parentAccountId,
  isPaymentDelegatedToParent,
}: RecordedAccount): { readonly parentAccountId?: string } =>
  parentAccountId !== undefined && isPaymentDelegatedToParent === true ? { parentAccountId } : {};

/** The account's day. */
export const todayOf = (account: RecordedAccount, { now }: Occasion): LocalDate =>
  localDateOf(now, accountTimeOf(account));
