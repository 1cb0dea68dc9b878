import { createHash, createHmac, randomBytes, randomInt } from 'node:crypto';
import { changeOf, type Store } from '../core/emulator-store';
import type { LedgerChange, MoneyLedger } from '../core/money-ledger';
import type { Forced } from '../core/provider-face';
import type { PayPalChange, PayPalState } from './paypal-state';
import type { NvpReply } from './nvp-envelope';

export type PayPal = {
  readonly state: PayPalState;
  readonly ledger: MoneyLedger;
  readonly store: Store;
  readonly now: () => number;
};

/** A request without its credentials: `merchant` is all that is left of them. */
export type NvpRequest = {
  readonly merchant: string;
  readonly get: (name: string) => string | undefined;
  /** The same, with a default for what is absent. */
  readonly text: (name: string, otherwise?: string) => string;
  readonly forced?: Forced | undefined;
};

export type NvpOperation = (paypal: PayPal, request: NvpRequest) => NvpReply;

export const PROVIDER = 'paypal';

export const scopeOf = (merchant: string) => ({ provider: PROVIDER, merchant });

export const record = (paypal: PayPal, ...changes: readonly PayPalChange[]): void =>
  paypal.store.commit(...changes.map((change) => changeOf(paypal.state, change)));

export const book = (paypal: PayPal, ...changes: readonly LedgerChange[]): void =>
  paypal.store.commit(...changes.map((change) => changeOf(paypal.ledger, change)));

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRSTUVWXY';

/** Random and not counted: a platform that outlives an emulator in memory must not meet the same ids again. */
export const mintId = (prefix = ''): string =>
  prefix + Array.from({ length: 17 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

export const payerIdOf = (email: string): string =>
  createHash('sha256').update(email.toLowerCase()).digest('hex').slice(0, 13).toUpperCase();

/** Tells merchants apart (invoice numbers and agreements are per merchant) without keeping any part of the login. */
export const fingerprint = (paypal: PayPal, login: string): string => {
  if (paypal.state.salt() === undefined) record(paypal, { type: 'salted', salt: randomBytes(16).toString('hex') });
  return createHmac('sha256', paypal.state.salt() ?? '')
    .update(login)
    .digest('hex')
    .slice(0, 12);
};
