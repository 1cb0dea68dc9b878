import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import {
  type AskedInvoice,
  type ManualPayTag,
  type PayerAccount,
  type PayerAccountEvent,
  type PayerFacts,
  type PaymentMethod,
  evolvePayerAccount,
  methodByCredential,
  methodByToken,
  noPayerAccount,
} from './payer-account';

export type StartCheckout = {
  readonly type: 'StartCheckout';
  readonly data: {
    readonly setupId: string;
    readonly pluginName: string;
    readonly tokenDigest: string;
    readonly currency: string;
    readonly now: Instant;
    readonly expiresAt: string;
  };
};

export type AddPaymentMethod = {
  readonly type: 'AddPaymentMethod';
  readonly data: {
    readonly paymentMethodId: string;
    readonly pluginName: string;
    /** The key the client chose; null: the credential is the key, else the id. */
    readonly externalKey: string | null;
    readonly credential: string | null;
    readonly tokenDigest: string | null;
    readonly isDefault: boolean;
  };
};

export type PayerAccountCommand =
  | { readonly type: 'RecordAccount'; readonly data: PayerFacts }
  | StartCheckout
  | AddPaymentMethod
  | { readonly type: 'SetDefaultMethod'; readonly data: { readonly paymentMethodId: string } }
  | {
      readonly type: 'RemovePaymentMethod';
      /**
       * `mayBeDefault`: the caller accepts that nothing is paid automatically afterwards. `isAutoPayOff`: also when there is
       * another default, if this one was it.
       */
      readonly data: {
        readonly paymentMethodId: string;
        readonly mayBeDefault: boolean;
        readonly isAutoPayOff?: boolean;
      };
    }
  | {
      readonly type: 'RecordManualPayTag';
      readonly data: { readonly accountId: string; readonly tag: ManualPayTag; readonly isSet: boolean };
    }
  | { readonly type: 'HoldBackInvoice'; readonly data: { readonly accountId: string; readonly invoiceId: string } }
  /** The invoice has been charged, or asks for nothing any more. */
  | { readonly type: 'ReleaseInvoice'; readonly data: { readonly accountId: string; readonly invoiceId: string } }
  /** The account was closed, and its planned retries with it. */
  | { readonly type: 'EndRetries'; readonly data: { readonly accountId: string; readonly now: Instant } }
  /** Somebody wants everything paid that the account owes. */
  | {
      readonly type: 'AskForAllInvoices';
      readonly data: { readonly invoices: readonly AskedInvoice[]; readonly now: Instant };
    }
  | { readonly type: 'RecordExcess'; readonly data: { readonly amountMinor: number; readonly now: Instant } }
  /** Changes nothing; its answer carries the state that a decision would see now. */
  | { readonly type: 'Look' };

export type PayerAccountRejection =
  | { readonly code: 'account-unknown' }
  | { readonly code: 'method-unknown'; readonly paymentMethodId: string }
  | { readonly code: 'method-is-default'; readonly paymentMethodId: string }
  | { readonly code: 'external-key-taken'; readonly externalKey: string };

type PayerDecision = Decision<PayerAccountEvent, PayerAccountRejection>;

export const payerAccount: Decider<PayerAccountCommand, PayerAccountEvent, PayerAccount, PayerAccountRejection> = {
  initial: noPayerAccount,
  decide: (command, state) => {
    if (command.type === 'Look') return accept();
    if (command.type === 'RecordAccount') return recordAccount(command.data, state);
    if (isAboutHoldingBack(command)) return holdBack(command, state);
    if (state.facts === null) return reject({ code: 'account-unknown' });
    const { accountId } = state.facts;
    switch (command.type) {
      case 'StartCheckout': {
        const { now: startedAt, ...checkout } = command.data;
        return accept({ type: 'CheckoutStarted', data: { accountId, ...checkout, startedAt } });
      }
      case 'AddPaymentMethod':
        return addMethod(command.data, state, accountId);
      case 'SetDefaultMethod': {
        const { paymentMethodId } = command.data;
        if (state.methods[paymentMethodId] === undefined) return reject({ code: 'method-unknown', paymentMethodId });
        return accept(...defaultTo(paymentMethodId, state, accountId));
      }
      case 'RemovePaymentMethod':
        return removeMethod(command.data, state, accountId);
      case 'AskForAllInvoices': {
        const { invoices, now: at } = command.data;
        return accept({ type: 'AllInvoicesAsked', data: { accountId, invoices, at } });
      }
      case 'RecordExcess': {
        const { currency } = state.facts;
        const { amountMinor, now: at } = command.data;
        if (currency === null || amountMinor <= 0) return accept();
        return accept({ type: 'ExcessReceived', data: { accountId, amountMinor, currency, at } });
      }
    }
  },
  evolve: evolvePayerAccount,
};

type HoldingBack = Extract<
  PayerAccountCommand,
  { readonly type: 'RecordManualPayTag' | 'HoldBackInvoice' | 'ReleaseInvoice' | 'EndRetries' }
>;

const holdingBack: ReadonlySet<string> = new Set([
  'RecordManualPayTag',
  'HoldBackInvoice',
  'ReleaseInvoice',
  'EndRetries',
] satisfies HoldingBack['type'][]);

const isAboutHoldingBack = (command: PayerAccountCommand): command is HoldingBack => holdingBack.has(command.type);

/** What others said is not refused: a tag may even be heard of before its account. */
const holdBack = (command: HoldingBack, state: PayerAccount): PayerDecision => {
  switch (command.type) {
    case 'RecordManualPayTag': {
      const { data } = command;
      return state.manualPayTags.includes(data.tag) === data.isSet
        ? accept()
        : accept({ type: 'ManualPayTagChanged', data });
    }
    case 'HoldBackInvoice':
      return state.heldBack.includes(command.data.invoiceId)
        ? accept()
        : accept({ type: 'InvoiceHeldBack', data: command.data });
    case 'ReleaseInvoice':
      return state.heldBack.includes(command.data.invoiceId)
        ? accept({ type: 'InvoiceReleased', data: command.data })
        : accept();
    case 'EndRetries': {
      const { accountId, now: at } = command.data;
      return state.isRetried ? accept({ type: 'RetriesEnded', data: { accountId, at } }) : accept();
    }
  }
};

const recordAccount = (facts: PayerFacts, { facts: known }: PayerAccount): PayerDecision =>
  known?.currency === facts.currency &&
  known.isPaymentDelegatedToParent === facts.isPaymentDelegatedToParent &&
  known.externalKey === facts.externalKey
    ? accept()
    : accept({ type: 'AccountRecorded', data: facts });

const defaultTo = (
  paymentMethodId: string | null,
  state: PayerAccount,
  accountId: string,
): readonly PayerAccountEvent[] =>
  state.defaultMethodId === paymentMethodId ? [] : [{ type: 'DefaultMethodSet', data: { accountId, paymentMethodId } }];

/** The method this is already, however often the payer's browser comes back: by token, else by what is charged. */
const sameMethod = (data: AddPaymentMethod['data'], state: PayerAccount): PaymentMethod | null =>
  (data.tokenDigest === null ? null : methodByToken(state, data.tokenDigest)) ??
  (data.credential === null ? null : methodByCredential(state, data.pluginName, data.credential)) ??
  state.methods[data.paymentMethodId] ??
  null;

const addMethod = (data: AddPaymentMethod['data'], state: PayerAccount, accountId: string): PayerDecision => {
  const known = sameMethod(data, state);
  if (known !== null) return accept(...(data.isDefault ? defaultTo(known.paymentMethodId, state, accountId) : []));
  const taken = new Set(Object.values(state.methods).map(({ externalKey }) => externalKey));
  if (data.externalKey !== null && taken.has(data.externalKey))
    return reject({ code: 'external-key-taken', externalKey: data.externalKey });
  const { isDefault, ...method } = data;
  const free = data.credential !== null && !taken.has(data.credential) ? data.credential : data.paymentMethodId;
  const added: PaymentMethod = { ...method, externalKey: data.externalKey ?? free };
  return accept(
    { type: 'PaymentMethodAdded', data: { accountId, ...added } },
    ...(isDefault ? defaultTo(added.paymentMethodId, state, accountId) : []),
  );
};

const removeMethod = (
  {
    paymentMethodId,
    mayBeDefault,
    isAutoPayOff = false,
  }: Extract<PayerAccountCommand, { readonly type: 'RemovePaymentMethod' }>['data'],
  state: PayerAccount,
  accountId: string,
): PayerDecision => {
  if (state.methods[paymentMethodId] === undefined) return reject({ code: 'method-unknown', paymentMethodId });
  const isDefault = state.defaultMethodId === paymentMethodId;
  if (isDefault && !mayBeDefault) return reject({ code: 'method-is-default', paymentMethodId });
  return accept(...(isDefault ? defaultTo(null, state, accountId) : []), {
    type: 'PaymentMethodRemoved',
    data: { accountId, paymentMethodId, ...(isDefault && isAutoPayOff ? { isAutoPayOff } : {}) },
  });
};
