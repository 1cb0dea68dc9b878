import type { Money } from '../gateway-port';
import { fromWireAmount, type Scales } from '../wire-amount';
import type { NvpFields, NvpResult } from './nvp-client';

/** How far PayPal's search index is trusted. Defaults are those the Kill Bill plugin has lived with. */
export type SearchTrust = {
  /** Before this age a search may miss what has happened. */
  readonly minAgeSeconds: number;
  readonly lookBackSeconds: number;
  /** From this age on, not found means not done. */
  readonly giveUpSeconds: number;
};

/** What the operations share; the connection inside it is the only place that knows the credentials. */
export type PayPalClient = {
  readonly call: (method: string, fields: NvpFields) => Promise<NvpResult>;
  readonly now: () => Date;
  readonly redirectUrl: string;
  readonly scales: Scales;
  readonly search: SearchTrust;
};

export const readMoney = (
  client: PayPalClient,
  amount: string | undefined,
  currency: string | undefined,
): Money | undefined =>
  amount === undefined || currency === undefined ? undefined : fromWireAmount(amount, currency, client.scales.platform);
