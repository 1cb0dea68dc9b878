/**
 * The one way the platform speaks to any payment provider. Refusals and lost answers are values here; a gateway
 * throws only when it is used wrongly. No type carries an API credential, so none can be logged through it.
 */

/** Whole minor units in the platform's own scale; how a provider writes them is the adapter's business. */
export type Money = { readonly minor: number; readonly currency: string };

/** What the provider said, kept for support and operators. Never contains a credential or a payer's data. */
export type Evidence = {
  readonly code?: string;
  readonly message?: string;
  /** The provider's own handle for this exchange; its support asks for it. */
  readonly correlationId?: string;
};

export type Succeeded = {
  readonly kind: 'Succeeded';
  readonly gatewayRef: string;
  readonly money: Money;
  readonly fee?: Money;
  readonly at: string;
  /** The provider had done this before we asked: the money may belong to an earlier attempt on the same invoice. */
  readonly adopted?: true;
  readonly newCredential?: string;
};

/** Accepted, verdict to come. No second charge meanwhile. */
export type Pending = {
  readonly kind: 'Pending';
  readonly why: 'review' | 'clearing' | 'in-progress';
  readonly nextLookAt: string;
  readonly gatewayRef?: string;
  readonly evidence: Evidence;
};

export type ActionRequired = {
  readonly kind: 'ActionRequired';
  readonly action: 'threeDS' | 'reapprove' | 'changeFunding';
  readonly url?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly expiresAt?: string;
  readonly evidence: Evidence;
};

export type Declined = {
  readonly kind: 'Declined';
  /** hard: this credential will not work again. soft: another day it may. */
  readonly hardness: 'hard' | 'soft';
  readonly code: string;
  /** The code is not in our table: worth one retry and an operator's look. */
  readonly unlisted?: true;
  readonly networkAdvice?: string;
  readonly retryNotBefore?: string;
  readonly evidence: Evidence;
};

/** Certain that no money moved, and not the payer's fault: does not count as a dunning attempt. */
export type NotExecuted = {
  readonly kind: 'NotExecuted';
  readonly why: 'rateLimited' | 'misconfigured' | 'invalid' | 'unreachable';
  readonly evidence: Evidence;
};

/** The money may have moved. Only `fetchByRef`, or a repeat under the same key, ends this. */
export type Unknown = { readonly kind: 'Unknown'; readonly since: string; readonly evidence: Evidence };

export type Outcome = Succeeded | Pending | ActionRequired | Declined | NotExecuted | Unknown;

export type BeginSetup = {
  /** Our own id of this setup; the provider hands it back. */
  readonly setupId: string;
  readonly returnUrl: string;
  readonly cancelUrl: string;
  readonly currency: string;
  readonly description: string;
  /** new-each-time: every approval makes a credential. one-per-payer: the provider reuses the payer's. */
  readonly agreementKind?: 'new-each-time' | 'one-per-payer';
  readonly brandName?: string;
};

export type SetupStarted =
  | { readonly kind: 'Redirect'; readonly url: string; readonly token: string; readonly expiresAt: string }
  | { readonly kind: 'WidgetConfig'; readonly publicFields: Readonly<Record<string, string>> }
  | { readonly kind: 'NeedCardPacket' }
  | NotExecuted
  | Unknown;

export type CompleteSetup = { readonly setupId?: string; readonly token: string };

export type CredentialDetails = {
  /** Bearer-like: whoever holds it can charge. Store it sealed; show `masked`. */
  readonly reference: string;
  readonly masked: string;
  readonly payer: { readonly payerRef?: string; readonly email?: string; readonly country?: string };
};

export type SetupCompleted =
  | { readonly kind: 'CredentialIssued'; readonly credential: CredentialDetails }
  | { readonly kind: 'Challenge'; readonly url: string; readonly fields: Readonly<Record<string, string>> }
  | {
      readonly kind: 'Rejected';
      /** not-approved: the payer may still agree. ended: a new setup is needed. */
      readonly why: 'not-approved' | 'ended' | 'refused';
      readonly evidence: Evidence;
    }
  | NotExecuted
  | Unknown;

export type CredentialState =
  | {
      readonly kind: 'Described';
      readonly state: 'active' | 'revoked' | 'unknown';
      readonly details: CredentialDetails;
    }
  | NotExecuted
  | Unknown;

export type CredentialRevoked = { readonly kind: 'Revoked'; readonly alreadyGone: boolean } | NotExecuted | Unknown;

export type Charge = {
  /** One per intention to move money; a repeat after a lost answer keeps it, a retry after a decline takes a new one. */
  readonly attemptId: string;
  readonly invoiceRef: string;
  readonly credential: string;
  readonly money: Money;
  readonly description: string;
};

export type Refund = {
  readonly refundId: string;
  /** The charge that is given back. */
  readonly gatewayRef: string;
  /** `full` only when nothing of the charge has been refunded before. */
  readonly amount: Money | 'full';
  readonly expectedRefundable?: Money;
  readonly reason?: string;
};

/** Takes all or part of what was authorised. */
export type Capture = {
  readonly captureId: string;
  /** The authorisation. */
  readonly gatewayRef: string;
  readonly money: Money;
};

/** Gives up what is left of an authorisation. */
export type VoidAuthorization = {
  readonly voidId: string;
  readonly gatewayRef: string;
  /** What is left of it. */
  readonly money: Money;
};

export type GatewayFact = {
  readonly kind: 'payment' | 'refund';
  readonly gatewayRef: string;
  readonly status: 'succeeded' | 'pending' | 'failed' | 'refunded' | 'partially-refunded' | 'reversed';
  /** Always positive; `kind` says which way it went. */
  readonly money: Money;
  readonly fee?: Money;
  readonly at: string;
};

export type FetchByRef = {
  readonly invoiceRef: string;
  /** When the request left, by the wall clock: providers know nothing of a tenant's test clock. */
  readonly dispatchedAt: string;
};

export type Fetched =
  | {
      readonly kind: 'Fetched';
      readonly facts: readonly GatewayFact[];
      /** lagging: absence proves nothing yet, look again. final: what is not listed did not happen. */
      readonly completeness: 'final' | 'lagging';
    }
  | NotExecuted
  | Unknown;

/**
 * What a provider's message to us is about. `About` says no more than which payment to look at: what happened is asked
 * of the provider's own records, so a forged message moves nothing. `Said` is of a provider that keeps no records.
 */
export type Notification =
  | { readonly kind: 'About'; readonly invoiceRef: string }
  | { readonly kind: 'Said'; readonly invoiceRef: string; readonly status: 'succeeded' | 'failed' | 'not-executed' }
  /** About no payment of ours: an agreement, another merchant's system. */
  | { readonly kind: 'Nothing' }
  | { readonly kind: 'Unreadable'; readonly problem: string };

export type PaymentGateway = {
  readonly name: string;
  /** Wall time by which every call has been answered or given up as `Unknown`. */
  readonly callTakesMsMax: number;
  readonly beginSetup: (input: BeginSetup) => Promise<SetupStarted>;
  readonly completeSetup: (input: CompleteSetup) => Promise<SetupCompleted>;
  readonly describeCredential: (credential: string) => Promise<CredentialState>;
  readonly revokeCredential: (credential: string) => Promise<CredentialRevoked>;
  readonly charge: (input: Charge) => Promise<Outcome>;
  readonly refund: (input: Refund) => Promise<Outcome>;
  readonly fetchByRef: (input: FetchByRef) => Promise<Fetched>;
  /** `payload`: the body as it was sent, or the query where there was none. */
  readonly readNotification: (payload: string) => Notification;
  /** Not every provider can do these with a stored credential; a repeat under the same id moves nothing twice. */
  readonly authorize?: (input: Charge) => Promise<Outcome>;
  readonly capture?: (input: Capture) => Promise<Outcome>;
  readonly void?: (input: VoidAuthorization) => Promise<Outcome>;
  /** Gives the payer money that was not charged before. */
  readonly credit?: (input: Charge) => Promise<Outcome>;
};
