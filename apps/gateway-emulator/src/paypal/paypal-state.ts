import type { Part } from '../core/emulator-store';

export const TOKEN_LIFE_MS = 3 * 60 * 60 * 1000;

export type Payer = { readonly payerId: string; readonly email: string };

export type CheckoutToken = {
  readonly token: string;
  readonly merchant: string;
  readonly returnUrl: string;
  readonly cancelUrl: string;
  readonly description: string;
  readonly brandName?: string;
  readonly custom?: string;
  readonly currency: string;
  readonly singleAgreement: boolean;
  readonly issuedAtMs: number;
  readonly status: 'open' | 'approved' | 'cancelled' | 'used';
  readonly payer?: Payer;
  readonly agreementId?: string;
};

export type Agreement = {
  readonly id: string;
  readonly merchant: string;
  readonly payer: Payer;
  readonly status: 'Active' | 'Canceled';
  readonly description: string;
  readonly custom?: string;
};

export type PayPalSettings = {
  /** How long a booked transaction stays invisible to TransactionSearch; real accounts show about 300. */
  readonly searchLagSeconds: number;
  readonly blockDuplicateInvoices: boolean;
  readonly referenceTransactions: boolean;
  /** Amount = code / 100 triggers that error. */
  readonly negativeTesting: boolean;
};

export type PayPalChange =
  | { readonly type: 'salted'; readonly salt: string }
  | { readonly type: 'settings-changed'; readonly settings: Partial<PayPalSettings> }
  | { readonly type: 'token-issued'; readonly token: CheckoutToken }
  | { readonly type: 'token-approved'; readonly token: string; readonly payer: Payer }
  | { readonly type: 'token-cancelled'; readonly token: string }
  | { readonly type: 'token-used'; readonly token: string; readonly agreement: Agreement }
  | {
      readonly type: 'agreement-updated';
      readonly id: string;
      readonly to: Partial<Pick<Agreement, 'status' | 'description' | 'custom'>>;
    }
  | { readonly type: 'told-gone'; readonly referenceId: string };

export type PayPalState = Part<PayPalChange> & {
  settings(): PayPalSettings;
  salt(): string | undefined;
  token(id: string): CheckoutToken | undefined;
  agreement(id: string): Agreement | undefined;
  activeAgreementOf(merchant: string, payerId: string): Agreement | undefined;
  /** Whether the merchant has already been told that this credential will never work again. */
  wasToldGone(referenceId: string): boolean;
};

const DEFAULTS: PayPalSettings = {
  searchLagSeconds: 0,
  blockDuplicateInvoices: true,
  referenceTransactions: true,
  negativeTesting: true,
};

export const createPayPalState = (): PayPalState => {
  const tokens = new Map<string, CheckoutToken>();
  const agreements = new Map<string, Agreement>();
  const toldGone = new Set<string>();
  let settings = DEFAULTS;
  let salt: string | undefined;

  const alter = <T>(map: Map<string, T>, id: string, to: Partial<T>): void => {
    const current = map.get(id);
    if (current) map.set(id, { ...current, ...to });
  };

  const apply = (change: PayPalChange): void => {
    switch (change.type) {
      case 'salted':
        salt = change.salt;
        return;
      case 'settings-changed':
        settings = { ...settings, ...change.settings };
        return;
      case 'token-issued':
        tokens.set(change.token.token, change.token);
        return;
      case 'token-approved': {
        alter(tokens, change.token, { status: 'approved', payer: change.payer });
        return;
      }
      case 'token-cancelled': {
        alter(tokens, change.token, { status: 'cancelled' });
        return;
      }
      case 'token-used':
        agreements.set(change.agreement.id, change.agreement);
        {
          alter(tokens, change.token, { status: 'used', agreementId: change.agreement.id });
          return;
        }
      case 'agreement-updated': {
        alter(agreements, change.id, change.to);
        return;
      }
      case 'told-gone':
        toldGone.add(change.referenceId);
    }
  };

  return {
    name: 'paypal',
    apply,
    reset: () => {
      tokens.clear();
      agreements.clear();
      toldGone.clear();
      settings = DEFAULTS;
    },
    settings: () => settings,
    salt: () => salt,
    token: (id) => tokens.get(id),
    agreement: (id) => agreements.get(id),
    activeAgreementOf: (merchant, payerId) =>
      [...agreements.values()].find(
        (a) => a.merchant === merchant && a.payer.payerId === payerId && a.status === 'Active',
      ),
    wasToldGone: (referenceId) => toldGone.has(referenceId),
  };
};
