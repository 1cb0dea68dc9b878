import type { Account, AccountTerms } from './account';
import type { AccountRejection, ImmutableField } from './account.decider';

type Mode = { readonly onNull: 'keep' | 'reset'; readonly mayMoveBillCycleDay: boolean };

/**
 * An account with the terms a client sent laid over it, by the rules of Kill Bill 2.x `PUT /accounts/{id}`: what was set
 * once stays (external key, currency, time zone, reference time, and the bill cycle day unless the tenant allows it to
 * move); a null keeps, or resets what may be reset. A null for something that may not change is refused in reset mode.
 */
export const mergeTerms = (current: Account, terms: AccountTerms, mode: Mode): Account | AccountRejection => {
  const refusal = changedForGood(current, terms, mode);
  if (refusal !== null) return refusal;
  const day = terms.billCycleDayLocal ?? 0;
  const reset = mode.onNull === 'reset';
  return {
    ...current,
    currency: current.currency ?? terms.currency,
    billCycleDayLocal: day === 0 ? current.billCycleDayLocal : day,
    parentAccountId: terms.parentAccountId ?? (reset ? null : current.parentAccountId),
    isPaymentDelegatedToParent:
      terms.isPaymentDelegatedToParent ?? (reset ? false : current.isPaymentDelegatedToParent),
    isMigrated: terms.isMigrated ?? (reset ? false : current.isMigrated),
  };
};

const changedForGood = (current: Account, terms: AccountTerms, mode: Mode): AccountRejection | null => {
  const checks: readonly Check[] = [
    { field: 'externalKey', current: current.externalKey, proposed: terms.externalKey },
    { field: 'currency', current: current.currency, proposed: terms.currency },
    { field: 'timeZone', current: current.timeZone, proposed: terms.timeZone },
    ...billCycleDayCheck(current, terms, mode),
  ];
  const changed = checks.find(
    ({ current: before, proposed }) =>
      before !== null && proposed !== before && (proposed !== null || mode.onNull === 'reset'),
  );
  if (changed && changed.current !== null) return { code: 'field-immutable', ...changed, current: changed.current };
  return referenceTimeMoved(current, terms);
};

type Check = { readonly field: ImmutableField; readonly current: string | null; readonly proposed: string | null };

/** Zero says "not set" on both sides: it never replaces a day. */
const billCycleDayCheck = (current: Account, terms: AccountTerms, mode: Mode): readonly Check[] => {
  if (current.billCycleDayLocal === 0) return [];
  const proposed = terms.billCycleDayLocal === null || terms.billCycleDayLocal === 0 ? null : terms.billCycleDayLocal;
  if (proposed !== null && mode.mayMoveBillCycleDay) return [];
  return [
    {
      field: 'billCycleDayLocal',
      current: String(current.billCycleDayLocal),
      proposed: proposed === null ? null : String(proposed),
    },
  ];
};

/** Compared by day alone, as Kill Bill does: clients send the day back without its time. A null always keeps it. */
const referenceTimeMoved = (current: Account, { referenceTime }: AccountTerms): AccountRejection | null =>
  referenceTime === null || referenceTime.slice(0, 10) === current.referenceTime.slice(0, 10)
    ? null
    : { code: 'field-immutable', field: 'referenceTime', current: current.referenceTime, proposed: referenceTime };
