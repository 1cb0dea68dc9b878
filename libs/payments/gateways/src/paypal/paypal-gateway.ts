import type { PaymentGateway } from '../gateway-port';
import { isoMinorDigits, type MinorDigits } from '../wire-amount';
import { callNvp, type NvpConnection, type PayPalCredentials } from './nvp-client';
import { charge } from './paypal-charges';
import type { PayPalClient, SearchTrust } from './paypal-client';
import { payPalCredentials } from './paypal-credentials';
import { refund } from './paypal-refunds';
import { readNotification } from './paypal-notifications';
import { fetchByRef } from './paypal-search';

export type PayPalGatewayOptions = {
  readonly endpoint: string;
  /** The browser's address, without a query: `https://www.paypal.com/cgi-bin/webscr`. */
  readonly redirectUrl: string;
  readonly credentials: PayPalCredentials;
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
  readonly now?: () => Date;
  readonly search?: Partial<SearchTrust>;
  /** The platform's scale of minor units; ISO 4217 unless told otherwise. */
  readonly minorDigits?: MinorDigits;
};

const TIMEOUT_MS = 60_000;
/** A charge that is refused as a duplicate, or a refund as done before, is looked up: so many requests at most. */
const REQUESTS_MAX = 3;
const SEARCH: SearchTrust = { minAgeSeconds: 300, lookBackSeconds: 3600, giveUpSeconds: 3600 };
const WITHOUT_FRACTION = new Set(['HUF', 'JPY', 'TWD']);

export const payPalGateway = (options: PayPalGatewayOptions): PaymentGateway => {
  const now = options.now ?? (() => new Date());
  const connection: NvpConnection = {
    endpoint: options.endpoint,
    credentials: options.credentials,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    fetch: options.fetch ?? fetch,
    now,
  };
  const client: PayPalClient = {
    call: (method, fields) => callNvp(connection, method, fields),
    now,
    redirectUrl: options.redirectUrl,
    scales: {
      platform: options.minorDigits ?? isoMinorDigits,
      wire: (currency) => (WITHOUT_FRACTION.has(currency) ? 0 : 2),
    },
    search: { ...SEARCH, ...options.search },
  };
  return {
    name: 'paypal',
    callTakesMsMax: REQUESTS_MAX * connection.timeoutMs,
    ...payPalCredentials(client),
    charge: (input) => charge(client, input),
    refund: (input) => refund(client, input),
    fetchByRef: (input) => fetchByRef(client, input),
    readNotification,
  };
};
