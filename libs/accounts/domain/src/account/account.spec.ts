import { specificationOf } from '@billstream/event-sourcing/testing';
import { type Currency, type Instant, parseCurrency } from '@billstream/kernel';
import { type Account, type AccountEvent, type AccountTerms, noTerms } from './account';
import { account } from './account.decider';

const at = '2018-10-06T10:01:20.000Z' as Instant;
const usd = parseCurrency('USD');
const eur = parseCurrency('EUR');
const accountId = '21f742f1-ac86-4349-adc2-70cefd075232';
const plain: Account = {
  accountId,
  externalKey: accountId,
  currency: null,
  timeZone: 'Etc/UTC',
  referenceTime: at,
  billCycleDayLocal: 0,
  parentAccountId: null,
  isPaymentDelegatedToParent: false,
  isMigrated: false,
};
const created = (changes: Partial<Account> = {}): AccountEvent => ({
  type: 'AccountCreated',
  data: { ...plain, ...changes },
});
const create = (terms: Partial<AccountTerms> = {}, parentKnown = false) => ({
  type: 'CreateAccount' as const,
  data: { accountId, terms: { ...noTerms, ...terms }, parentKnown, at },
});
const update = (
  terms: Partial<AccountTerms>,
  mode: Partial<{ parentKnown: boolean; onNull: 'keep' | 'reset'; mayMoveBillCycleDay: boolean }> = {},
) => ({
  type: 'UpdateAccount' as const,
  data: {
    parentKnown: false,
    onNull: 'keep' as const,
    mayMoveBillCycleDay: false,
    ...mode,
    terms: { ...noTerms, ...terms },
  },
});
const { given } = specificationOf(account);

describe('create account', () => {
  it('needs no field at all: the id is the external key, the moment the reference time', () => {
    given().when(create()).then(created());
  });
  it('keeps what the client said', () => {
    given()
      .when(create({ externalKey: 'tester@example.com', currency: usd, timeZone: 'Asia/Seoul', billCycleDayLocal: 31 }))
      .then(
        created({ externalKey: 'tester@example.com', currency: usd, timeZone: 'Asia/Seoul', billCycleDayLocal: 31 }),
      );
  });
  it('is refused when the account exists', () => {
    given(created({ externalKey: 'k' }))
      .when(create())
      .thenRejected({ code: 'account-exists', externalKey: 'k' });
  });
  it('is refused for an external key of more than 255 characters', () => {
    given()
      .when(create({ externalKey: 'x'.repeat(256) }))
      .thenRejected({ code: 'external-key-too-long', length: 256 });
    given()
      .when(create({ externalKey: 'x'.repeat(255) }))
      .thenEvents();
  });
  it.each([-1, 32, 1.5])('is refused for bill cycle day %p', (billCycleDayLocal) => {
    given().when(create({ billCycleDayLocal })).thenRejected({ code: 'bill-cycle-day-invalid', billCycleDayLocal });
  });
  it('is refused for a parent that is not known, and for itself as parent', () => {
    given()
      .when(create({ parentAccountId: 'p' }))
      .thenRejected({ code: 'parent-unknown', parentAccountId: 'p' });
    given()
      .when(create({ parentAccountId: accountId }, true))
      .thenRejected({ code: 'parent-is-itself' });
    given()
      .when(create({ parentAccountId: 'p' }, true))
      .then(created({ parentAccountId: 'p' }));
  });
});

describe('update account', () => {
  it('is refused for an account that is not there', () => {
    given().when(update({})).thenRejected({ code: 'account-unknown' });
  });
  it('keeps what is not said and leaves no event when nothing changes', () => {
    given(created({ currency: usd }))
      .when(update({}))
      .thenNothing();
    given(created({ currency: usd }))
      .when(update({ currency: usd, externalKey: accountId, timeZone: 'Etc/UTC' }))
      .thenNothing();
  });
  it('sets a currency once', () => {
    given(created())
      .when(update({ currency: usd }))
      .then({ type: 'AccountUpdated', data: { ...plain, currency: usd } });
    given(created({ currency: usd }))
      .when(update({ currency: eur }))
      .thenRejected({ code: 'field-immutable', field: 'currency', current: 'USD', proposed: 'EUR' });
  });
  it.each([
    ['externalKey', { externalKey: 'other' }],
    ['timeZone', { timeZone: 'Asia/Seoul' }],
    ['referenceTime', { referenceTime: '2018-10-07T10:01:20.000Z' as Instant }],
  ] as const)('refuses another %s', (field, terms) => {
    const state = created();
    const decision = account.decide(update(terms), account.evolve(null, state));
    expect(decision).toMatchObject({ rejected: { code: 'field-immutable', field } });
  });
  it('takes the reference time back without its time of day', () => {
    given(created())
      .when(update({ referenceTime: '2018-10-06T00:00:00.000Z' as Instant }))
      .thenNothing();
  });
  it('sets the bill cycle day once, and moves it only where the tenant allows that', () => {
    const day = (billCycleDayLocal: number): AccountEvent => ({
      type: 'AccountUpdated',
      data: { ...plain, billCycleDayLocal },
    });
    given(created())
      .when(update({ billCycleDayLocal: 6 }))
      .then(day(6));
    given(created({ billCycleDayLocal: 6 }))
      .when(update({ billCycleDayLocal: 7 }))
      .thenRejected({ code: 'field-immutable', field: 'billCycleDayLocal', current: '6', proposed: '7' });
    given(created({ billCycleDayLocal: 6 }))
      .when(update({ billCycleDayLocal: 7 }, { mayMoveBillCycleDay: true }))
      .then(day(7));
  });
  it('never unsets a bill cycle day with a zero', () => {
    given(created({ billCycleDayLocal: 6 }))
      .when(update({ billCycleDayLocal: 0 }, { mayMoveBillCycleDay: true }))
      .thenNothing();
  });
  it('resets what may be reset where a null asks for it, and refuses a null for the rest', () => {
    const past = created({ parentAccountId: 'p', isPaymentDelegatedToParent: true });
    given(past)
      .when(update({ externalKey: accountId, timeZone: 'Etc/UTC' }, { onNull: 'reset' }))
      .then({ type: 'AccountUpdated', data: plain });
    given(past)
      .when(update({ externalKey: accountId }, { onNull: 'reset' }))
      .thenRejected({ code: 'field-immutable', field: 'timeZone', current: 'Etc/UTC', proposed: null });
  });
  it('refuses an unknown parent but not the one the account has', () => {
    given(created({ parentAccountId: 'p' }))
      .when(update({ parentAccountId: 'p', billCycleDayLocal: 1 }))
      .thenEvents();
    given(created())
      .when(update({ parentAccountId: 'p' }))
      .thenRejected({ code: 'parent-unknown', parentAccountId: 'p' });
  });
});

describe('an account and those it shares money with', () => {
  const [usd, eur] = ['USD', 'EUR'] as [Currency, Currency];
  const differs = (whose: 'parent' | 'child', currency: Currency, proposed: Currency) => ({
    ...{ code: 'family-currency-differs' as const, whose, currency, proposed },
  });
  const withFamily = <T extends { readonly data: object }>(
    command: T,
    parent: Currency | null,
    ...children: Currency[]
  ) => ({
    ...command,
    data: { ...command.data, familyCurrencies: { parent, children } },
  });
  const delegating = { currency: eur, parentAccountId: 'p', isPaymentDelegatedToParent: true };

  it('have one currency where the parent pays', () => {
    given()
      .when(withFamily(create(delegating, true), usd))
      .thenRejected(differs('parent', usd, eur));
    given()
      .when(withFamily(create({ ...delegating, isPaymentDelegatedToParent: false }, true), usd))
      .thenEvents();
    given()
      .when(withFamily(create(delegating, true), eur))
      .thenEvents();
    given(created({ ...delegating, isPaymentDelegatedToParent: false }))
      .when(withFamily(update({ isPaymentDelegatedToParent: true }), usd))
      .thenRejected(differs('parent', usd, eur));
  });
  it('may be left where they differ already, whoever pays by then', () => {
    given(created(delegating))
      .when(
        withFamily(
          update(
            { ...delegating, externalKey: accountId, timeZone: 'Etc/UTC', parentAccountId: null },
            { onNull: 'reset' },
          ),
          usd,
        ),
      )
      .then({ type: 'AccountUpdated', data: { ...plain, ...delegating, parentAccountId: null } });
  });
  it('have it also when it is set later', () => {
    given(created({ ...delegating, currency: null }))
      .when(withFamily(update({ currency: eur }), usd))
      .thenRejected(differs('parent', usd, eur));
    given(created({ currency: null }))
      .when(withFamily(update({ currency: eur }), null, eur, usd))
      .thenRejected(differs('child', usd, eur));
  });
  it('may change in everything else where they have not', () => {
    given(created(delegating))
      .when(withFamily(update({ billCycleDayLocal: 3 }), usd))
      .thenEvents();
  });
});

describe('choose bill cycle day', () => {
  const choose = (billCycleDayLocal: number) => ({ type: 'ChooseBillCycleDay' as const, data: { billCycleDayLocal } });
  it('takes the first day chosen', () => {
    given(created())
      .when(choose(15))
      .then({ type: 'BillCycleDaySet', data: { ...plain, billCycleDayLocal: 15 } });
  });
  it('leaves a day that is set', () => {
    given(created({ billCycleDayLocal: 1 }))
      .when(choose(15))
      .thenNothing();
  });
});
