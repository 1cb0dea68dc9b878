import type { AccountClosing } from '@billstream/accounts-contracts';
import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Currency, Instant } from '@billstream/kernel';
import { type Account, type AccountEvent, type AccountState, type AccountTerms, evolveAccount } from './account';
import { mergeTerms } from './merge-terms';

/** Currencies of those who pay with the account for one another; null: none yet, or no parent. */
export type FamilyCurrencies = {
  /** Of the parent that it has, or is to have. */
  readonly parent: Currency | null;
  /** Of the children whose invoices it pays. */
  readonly children: readonly Currency[];
};

export type CreateAccount = {
  readonly type: 'CreateAccount';
  readonly data: {
    readonly accountId: string;
    readonly terms: AccountTerms;
    /** Whether `terms.parentAccountId` is an account of the same tenant. */
    readonly parentKnown: boolean;
    readonly familyCurrencies?: FamilyCurrencies;
    /** Business time: the reference time of an account that names none. */
    readonly at: Instant;
  };
};

export type UpdateAccount = {
  readonly type: 'UpdateAccount';
  readonly data: {
    readonly terms: AccountTerms;
    readonly parentKnown: boolean;
    readonly familyCurrencies?: FamilyCurrencies;
    /** What a null in `terms` asks for: to keep the field, or to reset it (Kill Bill's treatNullAsReset). */
    readonly onNull: 'keep' | 'reset';
    /** Whether a bill cycle day that is set may be replaced (the tenant's `account.allowBCDUpdate`). */
    readonly mayMoveBillCycleDay: boolean;
  };
};

export type ChooseBillCycleDay = {
  readonly type: 'ChooseBillCycleDay';
  readonly data: { readonly billCycleDayLocal: number };
};

export type CloseAccount = { readonly type: 'CloseAccount'; readonly data: Omit<AccountClosing, 'accountId'> };

export type AccountCommand = CreateAccount | UpdateAccount | ChooseBillCycleDay | CloseAccount;

export type ImmutableField = 'externalKey' | 'currency' | 'timeZone' | 'referenceTime' | 'billCycleDayLocal';

export type AccountRejection =
  | { readonly code: 'account-exists'; readonly externalKey: string }
  | { readonly code: 'account-unknown' }
  | { readonly code: 'external-key-too-long'; readonly length: number }
  | { readonly code: 'bill-cycle-day-invalid'; readonly billCycleDayLocal: number }
  | { readonly code: 'parent-unknown'; readonly parentAccountId: string }
  | { readonly code: 'parent-is-itself' }
  | {
      readonly code: 'family-currency-differs';
      readonly whose: 'parent' | 'child';
      readonly currency: Currency;
      readonly proposed: Currency;
    }
  | {
      readonly code: 'field-immutable';
      readonly field: ImmutableField;
      readonly current: string;
      readonly proposed: string | null;
    };

type AccountDecision = Decision<AccountEvent, AccountRejection>;

export const externalKeyMax = 255;
/** What Kill Bill shows for an account whose creator named no time zone. */
export const defaultTimeZone = 'Etc/UTC';

export const account: Decider<AccountCommand, AccountEvent, AccountState, AccountRejection> = {
  initial: null,
  decide: (command, state) => {
    switch (command.type) {
      case 'CreateAccount':
        return create(command.data, state);
      case 'UpdateAccount':
        return update(command.data, state);
      case 'ChooseBillCycleDay':
        return chooseBillCycleDay(command.data, state);
      case 'CloseAccount':
        return close(command.data, state);
    }
  },
  evolve: evolveAccount,
};

const create = (command: CreateAccount['data'], state: AccountState): AccountDecision => {
  const { accountId, terms, parentKnown, at } = command;
  if (state !== null) return reject({ code: 'account-exists', externalKey: state.externalKey });
  const created: Account = {
    accountId,
    externalKey: terms.externalKey ?? accountId,
    currency: terms.currency,
    timeZone: terms.timeZone ?? defaultTimeZone,
    referenceTime: terms.referenceTime ?? at,
    billCycleDayLocal: terms.billCycleDayLocal ?? 0,
    parentAccountId: terms.parentAccountId,
    isPaymentDelegatedToParent: terms.isPaymentDelegatedToParent ?? false,
    isMigrated: terms.isMigrated ?? false,
  };
  const refusal = unsound(created, parentKnown) ?? unlikeFamily(created, command.familyCurrencies);
  return refusal === null ? accept({ type: 'AccountCreated', data: created }) : reject(refusal);
};

const update = (command: UpdateAccount['data'], state: AccountState): AccountDecision => {
  if (state === null) return reject({ code: 'account-unknown' });
  const merged = mergeTerms(state, command.terms, command);
  if ('code' in merged) return reject(merged);
  const parentKnown = command.parentKnown || merged.parentAccountId === state.parentAccountId;
  const refusal = unsound(merged, parentKnown);
  if (refusal !== null) return reject(refusal);
  if (sameAccount(state, merged)) return accept();
  const unlike = sharesAsBefore(state, merged) ? null : unlikeFamily(merged, command.familyCurrencies);
  return unlike === null ? accept({ type: 'AccountUpdated', data: merged }) : reject(unlike);
};

/** The first billable day becomes the account's; a day that a user or an earlier bill set stays. */
const chooseBillCycleDay = (
  { billCycleDayLocal }: ChooseBillCycleDay['data'],
  state: AccountState,
): AccountDecision => {
  if (state === null) return reject({ code: 'account-unknown' });
  if (state.billCycleDayLocal !== 0) return accept();
  const chosen: Account = { ...state, billCycleDayLocal };
  const refusal = unsound(chosen, true);
  return refusal === null ? accept({ type: 'BillCycleDaySet', data: chosen }) : reject(refusal);
};

/** An account may be closed again, for what was not asked for the first time. */
const close = (closing: CloseAccount['data'], state: AccountState): AccountDecision => {
  if (state === null) return reject({ code: 'account-unknown' });
  const { accountId } = state;
  return accept({ type: 'AccountClosed', data: { account: state, closing: { accountId, ...closing } } });
};

/** Why an account with these terms must not be, or null. */
const unsound = (proposed: Account, parentKnown: boolean): AccountRejection | null => {
  const { externalKey, billCycleDayLocal, parentAccountId } = proposed;
  if (externalKey.length > externalKeyMax) return { code: 'external-key-too-long', length: externalKey.length };
  if (!Number.isInteger(billCycleDayLocal) || billCycleDayLocal < 0 || billCycleDayLocal > 31)
    return { code: 'bill-cycle-day-invalid', billCycleDayLocal };
  if (parentAccountId === null) return null;
  if (parentAccountId === proposed.accountId) return { code: 'parent-is-itself' };
  return parentKnown ? null : { code: 'parent-unknown', parentAccountId };
};

/**
 * Nothing is converted, so an invoice that a parent of another currency should pay would be paid by nobody. A currency
 * that is not set yet differs from none.
 */
const unlikeFamily = (
  { currency, parentAccountId, isPaymentDelegatedToParent }: Account,
  { parent, children }: FamilyCurrencies = { parent: null, children: [] },
): AccountRejection | null => {
  if (currency === null) return null;
  const isPaidFor = isPaymentDelegatedToParent && parentAccountId !== null;
  if (isPaidFor && parent !== null && parent !== currency)
    return { code: 'family-currency-differs', whose: 'parent', currency: parent, proposed: currency };
  const child = children.find((one) => one !== currency);
  return child === undefined
    ? null
    : { code: 'family-currency-differs', whose: 'child', currency: child, proposed: currency };
};

/** An account that differs from its family already may change in everything else. */
const sharesAsBefore = (a: Account, b: Account): boolean =>
  a.currency === b.currency &&
  a.parentAccountId === b.parentAccountId &&
  a.isPaymentDelegatedToParent === b.isPaymentDelegatedToParent;

const sameAccount = (a: Account, b: Account): boolean =>
  a.currency === b.currency &&
  a.billCycleDayLocal === b.billCycleDayLocal &&
  a.parentAccountId === b.parentAccountId &&
  a.isPaymentDelegatedToParent === b.isPaymentDelegatedToParent &&
  a.isMigrated === b.isMigrated;
