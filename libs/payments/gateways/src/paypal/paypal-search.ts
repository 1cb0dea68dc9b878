import type { Fetched, FetchByRef, GatewayFact, Money, NotExecuted, Unknown } from '../gateway-port';
import type { NvpFields, NvpVerdict } from './nvp-client';
import { readMoney, type PayPalClient } from './paypal-client';
import { classOf } from './paypal-errors';
import { lost } from './paypal-outcomes';

export const fetchByRef = async (client: PayPalClient, { invoiceRef, dispatchedAt }: FetchByRef): Promise<Fetched> => {
  const { minAgeSeconds, lookBackSeconds, giveUpSeconds } = client.search;
  const dispatched = Date.parse(dispatchedAt);
  const ageSeconds = (client.now().getTime() - dispatched) / 1000;
  const found = await search(client, { INVNUM: invoiceRef, STARTDATE: nvpDate(dispatched - lookBackSeconds * 1000) });
  if (found.kind !== 'Found') return found;
  const settled = ageSeconds >= giveUpSeconds || (ageSeconds >= minAgeSeconds && found.facts.some(isPaid));
  return { kind: 'Fetched', facts: found.facts, completeness: settled && !found.truncated ? 'final' : 'lagging' };
};

export const isPaid = ({ kind, status }: GatewayFact): boolean => kind === 'payment' && PAID.has(status);

const PAID: ReadonlySet<GatewayFact['status']> = new Set(['succeeded', 'refunded', 'partially-refunded']);

type Found = { readonly kind: 'Found'; readonly facts: readonly GatewayFact[]; readonly truncated: boolean };

export const search = async (client: PayPalClient, fields: NvpFields): Promise<Found | NotExecuted | Unknown> => {
  const result = await client.call('TransactionSearch', fields);
  if (result.kind !== 'Verdict') return result;
  if (!result.success) {
    const why = classOf(result.code) === 'rate-limited' ? 'rateLimited' : 'misconfigured';
    return { kind: 'NotExecuted', why, evidence: result.evidence };
  }
  const facts: GatewayFact[] = [];
  for (let index = 0; result.get(`L_TRANSACTIONID${index}`) !== undefined; index++) {
    if (SIDE_ROWS.test(result.get(`L_TYPE${index}`) ?? '')) continue;
    const fact = readFact(client, result.get, index);
    // A row we cannot read may be the very payment we look for; dropping it would prove an absence.
    if (!fact) return lost(client, { ...result.evidence, code: 'unreadable-row' });
    facts.push(fact);
  }
  return { kind: 'Found', facts, truncated: result.code === '11002' };
};

/** Rows that PayPal adds beside a payment; they move the merchant's money, not the payer's. */
const SIDE_ROWS = /^(Fee|Currency Conversion|Temporary Hold|Transfer)/;

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

const nvpDate = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
