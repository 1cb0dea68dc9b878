import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';

/** Whoever appends first holds the key, for good. */
export type PaymentKeyEvent = {
  readonly type: 'PaymentKeyClaimed';
  readonly data: { readonly key: string; readonly paymentId: string };
};

export type ClaimPaymentKey = {
  readonly type: 'ClaimPaymentKey';
  readonly data: { readonly key: string; readonly paymentId: string };
};

export type PaymentKeyRejection = { readonly code: 'key-held'; readonly paymentId: string };

/** The payment that has the key; null: none. */
export const paymentKey: Decider<ClaimPaymentKey, PaymentKeyEvent, string | null, PaymentKeyRejection> = {
  initial: null,
  decide: ({ data }, holder) => {
    if (holder === data.paymentId) return accept();
    return holder === null
      ? accept({ type: 'PaymentKeyClaimed', data })
      : reject({ code: 'key-held', paymentId: holder });
  },
  evolve: (_, { data }) => data.paymentId,
};

export const paymentKeySchema = defineSchema<PaymentKeyEvent>({ PaymentKeyClaimed: 'paymentKey.claimed.v1' });
