import type {
  Charge,
  Evidence,
  Fetched,
  FetchByRef,
  GatewayFact,
  Money,
  NotExecuted,
  Outcome,
  PaymentGateway,
  Refund,
  Unknown,
} from '../gateway-port';
import { fromWireAmount, isoMinorDigits, toWireAmount, type MinorDigits, type Scales } from '../wire-amount';
import {
  callNvp,
  notExecuted,
  unknown,
  type NvpConnection,
  type NvpFields,
  type NvpResult,
  type NvpVerdict,
  type PayPalCredentials,
} from './nvp-client';
import { classOf } from './paypal-errors';
import { payPalCredentials } from './paypal-credentials';

/** How far PayPal's search index is trusted. Defaults are those the Kill Bill plugin has lived with. */
export type SearchTrust = {
  /** Before this age a search may miss what has happened. */
  readonly minAgeSeconds: number;
  readonly lookBackSeconds: number;
  /** From this age on, not found means not done. */
  readonly giveUpSeconds: number;
};

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

/** What the operations share; the connection inside it is the only place that knows the credentials. */
export type PayPalClient = {
  readonly call: (method: string, fields: NvpFields) => Promise<NvpResult>;
  readonly now: () => Date;
  readonly redirectUrl: string;
  readonly scales: Scales;
  readonly search: SearchTrust;
};

const TIMEOUT_MS = 60_000;
const SEARCH: SearchTrust = { minAgeSeconds: 300, lookBackSeconds: 3600, giveUpSeconds: 3600 };
const LOOK_AGAIN_MS = { review: 60 * 60 * 1000, clearing: 24 * 60 * 60 * 1000, 'in-progress': 10_000 } as const;
const AMOUNT_CHARACTERS_MAX = 10;
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
    ...payPalCredentials(client),
    charge: (input) => charge(client, input),
    refund: (input) => refund(client, input),
    fetchByRef: (input) => fetchByRef(client, input),
  };
};

const charge = async (client: PayPalClient, input: Charge): Promise<Outcome> => {
  const amount = toWireAmount(input.money, client.scales);
  if (amount === undefined || amount.length > AMOUNT_CHARACTERS_MAX || input.money.minor === 0)
    return notExecuted('invalid', 'amount-not-expressible');
  const dispatchedAt = client.now().toISOString();
  const result = await client.call('DoReferenceTransaction', {
    REFERENCEID: input.credential,
    PAYMENTACTION: 'Sale',
    PAYMENTTYPE: 'Any',
    AMT: amount,
    CURRENCYCODE: input.money.currency,
    INVNUM: input.invoiceRef,
    CUSTOM: input.attemptId,
    MSGSUBID: input.attemptId,
    DESC: input.description.slice(0, 127),
  });
  if (result.kind !== 'Verdict') return result;
  if (result.success) return chargeVerdict(client, result);
  if (classOf(result.code) === 'duplicate')
    return adoptEarlier(client, input, { dispatchedAt, evidence: result.evidence });
  return failed(client, result);
};

/** A repeat of the key answers with the present state, so a charge that was refunded since is still a charge. */
const chargeVerdict = (client: PayPalClient, verdict: NvpVerdict): Outcome => {
  const { get, evidence } = verdict;
  const gatewayRef = get('TRANSACTIONID');
  const money = readMoney(client, get('AMT'), get('CURRENCYCODE'));
  if (!gatewayRef || !money) return lost(client, evidence);
  switch (get('PAYMENTSTATUS')) {
    case 'Completed':
    case 'Processed':
    case 'Refunded':
    case 'Partially-Refunded':
    case 'Canceled-Reversal': {
      const fee = readMoney(client, get('FEEAMT'), get('CURRENCYCODE'));
      return {
        kind: 'Succeeded',
        gatewayRef,
        money,
        ...(fee ? { fee } : {}),
        at: get('ORDERTIME') ?? client.now().toISOString(),
      };
    }
    case 'Pending':
      return pending(client, get('PENDINGREASON') === 'echeck' ? 'clearing' : 'review', { gatewayRef, evidence });
    case 'Denied':
    case 'Failed':
    case 'Voided':
    case 'Expired':
      return {
        kind: 'Declined',
        hardness: 'soft',
        code: `status-${String(get('PAYMENTSTATUS')).toLowerCase()}`,
        evidence,
      };
    default:
      // Reversed, or a status we do not know: the facts have to be read, not guessed.
      return lost(client, evidence);
  }
};

type Adoption = { readonly dispatchedAt: string; readonly evidence: Evidence };

/** PayPal says this invoice is paid. If its index already shows by what, that payment answers for the attempt. */
const adoptEarlier = async (client: PayPalClient, { invoiceRef }: Charge, adoption: Adoption): Promise<Outcome> => {
  // The earlier payment may be months old, which the usual look-back would not reach.
  const found = await search(client, { INVNUM: invoiceRef, STARTDATE: '2000-01-01T00:00:00Z' });
  const paid = found.kind === 'Found' ? found.facts.find(isPaid) : undefined;
  if (!paid) return { kind: 'Unknown', since: adoption.dispatchedAt, evidence: adoption.evidence };
  const { gatewayRef, money, fee, at } = paid;
  return { kind: 'Succeeded', gatewayRef, money, ...(fee ? { fee } : {}), at, adopted: true };
};

const isPaid = ({ kind, status }: GatewayFact): boolean => kind === 'payment' && PAID.has(status);

const PAID: ReadonlySet<GatewayFact['status']> = new Set(['succeeded', 'refunded', 'partially-refunded']);

const failed = (client: PayPalClient, { code = 'none', evidence }: NvpVerdict): Outcome => {
  const refused = (why: NotExecuted['why']): NotExecuted => ({ kind: 'NotExecuted', why, evidence });
  switch (classOf(code)) {
    case 'hard':
      return { kind: 'Declined', hardness: 'hard', code, evidence };
    case 'soft':
      return { kind: 'Declined', hardness: 'soft', code, evidence };
    case 'pending':
      return pending(client, 'review', { evidence });
    case 'in-progress':
      return pending(client, 'in-progress', { evidence });
    case 'change-funding':
      return { kind: 'ActionRequired', action: 'changeFunding', evidence };
    case 'reapprove':
      return { kind: 'ActionRequired', action: 'reapprove', evidence };
    case 'rate-limited':
      return refused('rateLimited');
    case 'misconfigured':
      return refused('misconfigured');
    case 'invalid':
      return refused('invalid');
    case 'duplicate':
    case 'unknown':
      return lost(client, evidence);
    case undefined:
      return { kind: 'Declined', hardness: 'soft', code, unlisted: true, evidence };
  }
};

const lost = (client: PayPalClient, evidence: Evidence): Unknown => ({
  ...unknown(client.now().toISOString(), ''),
  evidence,
});

type PendingFacts = { readonly gatewayRef?: string; readonly evidence: Evidence };

const pending = (client: PayPalClient, why: keyof typeof LOOK_AGAIN_MS, facts: PendingFacts): Outcome => ({
  kind: 'Pending',
  why,
  nextLookAt: new Date(client.now().getTime() + LOOK_AGAIN_MS[why]).toISOString(),
  ...facts,
});

const refund = async (client: PayPalClient, input: Refund): Promise<Outcome> => {
  const partial = input.amount === 'full' ? undefined : input.amount;
  const amount = partial && toWireAmount(partial, client.scales);
  if (partial && (amount === undefined || partial.minor === 0)) return notExecuted('invalid', 'amount-not-expressible');
  const result = await client.call('RefundTransaction', {
    TRANSACTIONID: input.gatewayRef,
    REFUNDTYPE: partial ? 'Partial' : 'Full',
    AMT: amount,
    CURRENCYCODE: partial?.currency,
    NOTE: input.reason?.slice(0, 255),
    MSGSUBID: input.refundId,
  });
  if (result.kind !== 'Verdict') return result;
  return result.success ? refundVerdict(client, result) : failed(client, result);
};

const refundVerdict = (client: PayPalClient, { get, evidence }: NvpVerdict): Outcome => {
  const gatewayRef = get('REFUNDTRANSACTIONID');
  const money = readMoney(client, get('GROSSREFUNDAMT'), get('CURRENCYCODE'));
  if (!gatewayRef || !money) return lost(client, evidence);
  if (get('REFUNDSTATUS') === 'Delayed') return pending(client, 'clearing', { gatewayRef, evidence });
  return { kind: 'Succeeded', gatewayRef, money, at: client.now().toISOString() };
};

const fetchByRef = async (client: PayPalClient, { invoiceRef, dispatchedAt }: FetchByRef): Promise<Fetched> => {
  const { minAgeSeconds, lookBackSeconds, giveUpSeconds } = client.search;
  const dispatched = Date.parse(dispatchedAt);
  const ageSeconds = (client.now().getTime() - dispatched) / 1000;
  const found = await search(client, { INVNUM: invoiceRef, STARTDATE: nvpDate(dispatched - lookBackSeconds * 1000) });
  if (found.kind !== 'Found') return found;
  const settled = ageSeconds >= giveUpSeconds || (ageSeconds >= minAgeSeconds && found.facts.some(isPaid));
  return { kind: 'Fetched', facts: found.facts, completeness: settled && !found.truncated ? 'final' : 'lagging' };
};

type Found = { readonly kind: 'Found'; readonly facts: readonly GatewayFact[]; readonly truncated: boolean };

const search = async (client: PayPalClient, fields: NvpFields): Promise<Found | NotExecuted | Unknown> => {
  const result = await client.call('TransactionSearch', fields);
  if (result.kind !== 'Verdict') return result;
  if (!result.success) {
    const why = classOf(result.code) === 'rate-limited' ? 'rateLimited' : 'misconfigured';
    return { kind: 'NotExecuted', why, evidence: result.evidence };
  }
  const facts: GatewayFact[] = [];
  for (let index = 0; result.get(`L_TRANSACTIONID${index}`) !== undefined; index++) {
    const fact = readFact(client, result.get, index);
    // A row we cannot read may be the very payment we look for; dropping it would prove an absence.
    if (!fact) return lost(client, { ...result.evidence, code: 'unreadable-row' });
    facts.push(fact);
  }
  return { kind: 'Found', facts, truncated: result.code === '11002' };
};

const STATUSES: Readonly<Record<string, GatewayFact['status']>> = {
  completed: 'succeeded',
  processed: 'succeeded',
  'canceled reversal': 'succeeded',
  pending: 'pending',
  processing: 'pending',
  'under review': 'pending',
  denied: 'failed',
  failed: 'failed',
  voided: 'failed',
  expired: 'failed',
  reversed: 'reversed',
  refunded: 'refunded',
  'partially refunded': 'partially-refunded',
};

const readFact = (client: PayPalClient, get: NvpVerdict['get'], index: number): GatewayFact | undefined => {
  const currency = get(`L_CURRENCYCODE${index}`);
  const money = readMoney(client, get(`L_AMT${index}`), currency);
  const fee = readMoney(client, get(`L_FEEAMT${index}`), currency);
  const status = STATUSES[(get(`L_STATUS${index}`) ?? '').toLowerCase().replace('-', ' ')];
  if (!money || !status) return undefined;
  return {
    kind: get(`L_TYPE${index}`) === 'Refund' ? 'refund' : 'payment',
    gatewayRef: get(`L_TRANSACTIONID${index}`) ?? '',
    status,
    money: positive(money),
    ...(fee ? { fee: positive(fee) } : {}),
    at: get(`L_TIMESTAMP${index}`) ?? '',
  };
};

const positive = ({ minor, currency }: Money): Money => ({ minor: Math.abs(minor), currency });

const readMoney = (
  client: PayPalClient,
  amount: string | undefined,
  currency: string | undefined,
): Money | undefined =>
  amount === undefined || currency === undefined ? undefined : fromWireAmount(amount, currency, client.scales.platform);

const nvpDate = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
