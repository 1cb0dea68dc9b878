import type { AccountClosing, AccountFacts } from '@billstream/accounts-contracts';
import { defineSchema } from '@billstream/event-sourcing';
import type { Currency, Instant } from '@billstream/kernel';

/** An account without its personal data. `billCycleDayLocal` 0: not chosen yet. */
export type Account = AccountFacts & { readonly isMigrated: boolean };

/** Each event carries the account as it is afterwards: a reader never needs an earlier one to understand it. */
export type AccountEvent =
  | { readonly type: 'AccountCreated'; readonly data: Account }
  | { readonly type: 'AccountUpdated'; readonly data: Account }
  /** Invoicing chose the day of the first billable, account-aligned event. */
  | { readonly type: 'BillCycleDaySet'; readonly data: Account }
  | { readonly type: 'AccountClosed'; readonly data: { readonly account: Account; readonly closing: AccountClosing } };

/** Null: there is no such account. */
export type AccountState = Account | null;

export const evolveAccount = (_state: AccountState, event: AccountEvent): AccountState => accountAfter(event);

export const accountAfter = (event: AccountEvent): Account =>
  event.type === 'AccountClosed' ? event.data.account : event.data;

export const accountSchema = defineSchema<AccountEvent>({
  AccountCreated: 'account.created.v1',
  AccountUpdated: 'account.updated.v1',
  BillCycleDaySet: 'account.bill-cycle-day-set.v1',
  AccountClosed: 'account.closed.v1',
});

/** What a client may say about an account's terms; null means "not said". */
export type AccountTerms = {
  readonly externalKey: string | null;
  readonly currency: Currency | null;
  readonly timeZone: string | null;
  readonly referenceTime: Instant | null;
  readonly billCycleDayLocal: number | null;
  readonly parentAccountId: string | null;
  readonly isPaymentDelegatedToParent: boolean | null;
  readonly isMigrated: boolean | null;
};

export const noTerms: AccountTerms = {
  externalKey: null,
  currency: null,
  timeZone: null,
  referenceTime: null,
  billCycleDayLocal: null,
  parentAccountId: null,
  isPaymentDelegatedToParent: null,
  isMigrated: null,
};
