import { specificationOf } from '@billstream/event-sourcing/testing';
import type { Currency } from '@billstream/kernel';
import { type PayerAccountCommand, payerAccount } from './payer-account.decider';
import type { PayerAccountEvent } from './payer-account';

const { given } = specificationOf(payerAccount);
const accountId = 'account-1';
const facts = { accountId, currency: 'USD' as Currency, isPaymentDelegatedToParent: false };
const known: PayerAccountEvent = { type: 'AccountRecorded', data: facts };
const add = (change: Partial<Extract<PayerAccountCommand, { type: 'AddPaymentMethod' }>['data']> = {}) => ({
  type: 'AddPaymentMethod' as const,
  data: {
    ...{ paymentMethodId: 'method-1', pluginName: 'paypal', externalKey: null, credential: 'B-1' },
    ...{ tokenDigest: 'digest-1', isDefault: true, ...change },
  },
});
const added: PayerAccountEvent = {
  type: 'PaymentMethodAdded',
  data: {
    ...{ accountId, paymentMethodId: 'method-1', externalKey: 'B-1' },
    ...{ pluginName: 'paypal', credential: 'B-1', tokenDigest: 'digest-1' },
  },
};
const isDefault: PayerAccountEvent = { type: 'DefaultMethodSet', data: { accountId, paymentMethodId: 'method-1' } };

describe('a payer', () => {
  it('is recorded once and again only when something changed', () => {
    given().when({ type: 'RecordAccount', data: facts }).then(known);
    given(known).when({ type: 'RecordAccount', data: facts }).thenNothing();
  });
  it('that nobody has heard of gets no method', () => given().when(add()).thenRejected({ code: 'account-unknown' }));
});

describe('adding a method', () => {
  it('takes what the provider charges as its key', () => {
    given(known).when(add()).then(added, isDefault);
  });
  it('gives the same method for the same token, whatever id the request would have given it', () =>
    given(known, added, isDefault)
      .when(add({ paymentMethodId: 'method-2' }))
      .thenNothing());
  it('gives the same method for the same agreement behind another token', () =>
    given(known, added, isDefault)
      .when(add({ paymentMethodId: 'method-2', tokenDigest: 'digest-2' }))
      .thenNothing());
  it('makes a known method the default when asked to', () => {
    given(known, added).when(add()).then(isDefault);
  });
  it('refuses a key that another method of the account has', () =>
    given(known, added)
      .when(add({ externalKey: 'B-1', credential: 'B-2', tokenDigest: 'digest-2', paymentMethodId: 'method-2' }))
      .thenRejected({ code: 'external-key-taken', externalKey: 'B-1' }));
});

describe('the default method', () => {
  const remove = (mayBeDefault: boolean) => ({
    type: 'RemovePaymentMethod' as const,
    data: { paymentMethodId: 'method-1', mayBeDefault },
  });
  it('is not removed by accident', () =>
    given(known, added, isDefault)
      .when(remove(false))
      .thenRejected({ code: 'method-is-default', paymentMethodId: 'method-1' }));
  it('leaves the account without one when it is removed', () => {
    given(known, added, isDefault)
      .when(remove(true))
      .then(
        { type: 'DefaultMethodSet', data: { accountId, paymentMethodId: null } },
        { type: 'PaymentMethodRemoved', data: { accountId, paymentMethodId: 'method-1' } },
      );
  });
  it('is told to leave payments switched off only where it was the default', () => {
    const data = { paymentMethodId: 'method-1', mayBeDefault: true, isAutoPayOff: true };
    const removed = { accountId, paymentMethodId: 'method-1' };
    given(known, added, isDefault)
      .when({ type: 'RemovePaymentMethod', data })
      .then(
        { type: 'DefaultMethodSet', data: { accountId, paymentMethodId: null } },
        { type: 'PaymentMethodRemoved', data: { ...removed, isAutoPayOff: true } },
      );
    given(known, added)
      .when({ type: 'RemovePaymentMethod', data })
      .then({ type: 'PaymentMethodRemoved', data: removed });
  });
  it('is one of the account’s methods', () =>
    given(known)
      .when({ type: 'SetDefaultMethod', data: { paymentMethodId: 'method-9' } })
      .thenRejected({ code: 'method-unknown', paymentMethodId: 'method-9' }));
});
