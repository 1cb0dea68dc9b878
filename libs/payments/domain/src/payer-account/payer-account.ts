import { defineSchema } from '@billstream/event-sourcing';
import type { Currency, Instant } from '@billstream/kernel';

/** Kill Bill's names of the plugins that can hold a method here. */
export const payPalPlugin = 'killbill-paypal-express';
export const externalPlugin = '__EXTERNAL_PAYMENT__';

export type PaymentMethod = {
  readonly paymentMethodId: string;
  /** What Kill Bill shows; for PayPal the billing agreement id, unless the client chose a key. */
  readonly externalKey: string;
  readonly pluginName: string;
  /** What the provider charges (PayPal: the billing agreement id); null where no provider is involved. */
  readonly credential: string | null;
  /** Digest of the checkout token it was exchanged for: the same token again means the same method. */
  readonly tokenDigest: string | null;
};

export type PayerFacts = {
  readonly accountId: string;
  readonly currency: Currency | null;
  readonly isPaymentDelegatedToParent: boolean;
  /** Absent in what was recorded before payments could name an account by its key. */
  readonly externalKey?: string;
};

/** The control tags with which an account is not charged without being asked. */
export const manualPayTags = ['AUTO_PAY_OFF', 'MANUAL_PAY'] as const;
export type ManualPayTag = (typeof manualPayTags)[number];

/** `amountMinor`: at most so much; null: all that it asks for. */
export type AskedInvoice = { readonly invoiceId: string; readonly amountMinor: number | null };

export type PayerAccountEvent =
  | { readonly type: 'AccountRecorded'; readonly data: PayerFacts }
  /** The payer was sent to the provider to agree. `expiresAt` is the provider's wall time. */
  | {
      readonly type: 'CheckoutStarted';
      readonly data: {
        readonly accountId: string;
        readonly setupId: string;
        readonly pluginName: string;
        readonly tokenDigest: string;
        readonly currency: string;
        readonly startedAt: Instant;
        readonly expiresAt: string;
      };
    }
  | { readonly type: 'PaymentMethodAdded'; readonly data: PaymentMethod & { readonly accountId: string } }
  | {
      readonly type: 'PaymentMethodRemoved';
      /** `isAutoPayOff`: it was the default, and nothing more is to be paid on its own. */
      readonly data: { readonly accountId: string; readonly paymentMethodId: string; readonly isAutoPayOff?: true };
    }
  /** Null: the account has no default any more, so nothing is paid automatically. */
  | {
      readonly type: 'DefaultMethodSet';
      readonly data: { readonly accountId: string; readonly paymentMethodId: string | null };
    }
  | {
      readonly type: 'ManualPayTagChanged';
      readonly data: { readonly accountId: string; readonly tag: ManualPayTag; readonly isSet: boolean };
    }
  /** The invoice would have been charged, were it not for a tag: it will be when the last one is taken off. */
  | { readonly type: 'InvoiceHeldBack'; readonly data: { readonly accountId: string; readonly invoiceId: string } }
  | { readonly type: 'InvoiceReleased'; readonly data: { readonly accountId: string; readonly invoiceId: string } }
  /** The account was closed and nothing of it is to happen by itself: a payment that fails is not tried again. */
  | { readonly type: 'RetriesEnded'; readonly data: { readonly accountId: string; readonly at: Instant } }
  /** What was owed when somebody asked for all of it to be paid: asked again, the same is paid, and not more. */
  | {
      readonly type: 'AllInvoicesAsked';
      readonly data: {
        readonly accountId: string;
        readonly invoices: readonly AskedInvoice[];
        readonly at: Instant;
      };
    }
  /** Money came another way, and more of it than was owed. Minor units. */
  | {
      readonly type: 'ExcessReceived';
      readonly data: {
        readonly accountId: string;
        readonly amountMinor: number;
        readonly currency: Currency;
        readonly at: Instant;
      };
    };

export type PayerAccount = {
  /** Null: no such account has been heard of. */
  readonly facts: PayerFacts | null;
  readonly methods: Readonly<Record<string, PaymentMethod>>;
  readonly defaultMethodId: string | null;
  readonly manualPayTags: readonly ManualPayTag[];
  readonly heldBack: readonly string[];
  /** Payments that fail are tried again. */
  readonly isRetried: boolean;
};

export const noPayerAccount: PayerAccount = {
  facts: null,
  methods: {},
  defaultMethodId: null,
  manualPayTags: [],
  heldBack: [],
  isRetried: true,
};

const without = (methods: PayerAccount['methods'], paymentMethodId: string): PayerAccount['methods'] =>
  Object.fromEntries(Object.entries(methods).filter(([id]) => id !== paymentMethodId));

export const evolvePayerAccount = (state: PayerAccount, { type, data }: PayerAccountEvent): PayerAccount => {
  switch (type) {
    case 'AccountRecorded':
      return { ...state, facts: data };
    case 'CheckoutStarted':
      return state;
    case 'PaymentMethodAdded': {
      const { paymentMethodId, externalKey, pluginName, credential, tokenDigest } = data;
      const method: PaymentMethod = { paymentMethodId, externalKey, pluginName, credential, tokenDigest };
      return { ...state, methods: { ...state.methods, [paymentMethodId]: method } };
    }
    case 'PaymentMethodRemoved':
      return { ...state, methods: without(state.methods, data.paymentMethodId) };
    case 'DefaultMethodSet':
      return { ...state, defaultMethodId: data.paymentMethodId };
    case 'ManualPayTagChanged': {
      const others = state.manualPayTags.filter((tag) => tag !== data.tag);
      return { ...state, manualPayTags: data.isSet ? [...others, data.tag] : others };
    }
    case 'InvoiceHeldBack':
      return { ...state, heldBack: [...state.heldBack, data.invoiceId] };
    case 'InvoiceReleased':
      return { ...state, heldBack: state.heldBack.filter((invoiceId) => invoiceId !== data.invoiceId) };
    case 'RetriesEnded':
      return { ...state, isRetried: false };
    case 'AllInvoicesAsked':
    case 'ExcessReceived':
      return state;
  }
};

export const payerAccountSchema = defineSchema<PayerAccountEvent>({
  AccountRecorded: 'payerAccount.account-recorded.v1',
  CheckoutStarted: 'payerAccount.checkout-started.v1',
  PaymentMethodAdded: 'payerAccount.payment-method-added.v1',
  PaymentMethodRemoved: 'payerAccount.payment-method-removed.v1',
  DefaultMethodSet: 'payerAccount.default-method-set.v1',
  ManualPayTagChanged: 'payerAccount.manual-pay-tag-changed.v1',
  InvoiceHeldBack: 'payerAccount.invoice-held-back.v1',
  InvoiceReleased: 'payerAccount.invoice-released.v1',
  RetriesEnded: 'payerAccount.retries-ended.v1',
  AllInvoicesAsked: 'payerAccount.all-invoices-asked.v1',
  ExcessReceived: 'payerAccount.excess-received.v1',
});

/** Nothing is charged without somebody asking for it. */
export const isManualPay = ({ manualPayTags: tags }: PayerAccount): boolean => tags.length > 0;

/** The method that automatic payments use; null when there is none. */
export const defaultMethodOf = ({ methods, defaultMethodId }: PayerAccount): PaymentMethod | null =>
  defaultMethodId === null ? null : (methods[defaultMethodId] ?? null);

export const methodByToken = ({ methods }: PayerAccount, tokenDigest: string): PaymentMethod | null =>
  Object.values(methods).find((method) => method.tokenDigest === tokenDigest) ?? null;

export const methodByCredential = (
  { methods }: PayerAccount,
  pluginName: string,
  credential: string,
): PaymentMethod | null =>
  Object.values(methods).find((method) => method.pluginName === pluginName && method.credential === credential) ?? null;
