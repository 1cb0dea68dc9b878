import type { Charge, Fetched, Money, Outcome, PaymentGateway, Refund } from '@billstream/payments-gateways';

type Row = {
  readonly kind: 'charge' | 'refund';
  readonly transactionId: string;
  readonly key: string;
  readonly invoiceRef: string;
  readonly chargeRef: string | null;
  readonly money: Money;
  readonly isPending: boolean;
  readonly atMs: number;
};

export type MemoryFault =
  | 'timeout'
  | 'timeout-before'
  | 'error-500'
  | 'reset'
  | 'reset-before'
  | 'decline'
  | 'pending'
  | 'rate-limit'
  | 'duplicate';

/** What the next matching calls meet. `crash` throws out of the call, as a process that dies takes it along. */
export type MemoryPlan = {
  readonly operation: 'charge' | 'refund' | 'setup';
  readonly effect: MemoryFault | 'crash-before' | 'crash-after';
  readonly invoiceRef?: string;
};

/** What is younger cannot be found yet. */
const indexLagMs = 300_000;

export class Crash extends Error {
  override readonly name = 'Crash';
}

const lostAfter: ReadonlySet<MemoryPlan['effect']> = new Set(['timeout', 'error-500', 'reset'] as const);
const lostBefore: ReadonlySet<MemoryPlan['effect']> = new Set(['timeout-before', 'reset-before'] as const);

/**
 * A provider in memory with PayPal's manners: it remembers the keys of successes, keeps a paid reference taken, and its
 * records are complete only after an hour. It passes the contract of gateways. Without `keepsReferences` only the
 * platform's own care stands between a payer and a second charge.
 */
export const memoryGateway = (
  nowMs: () => number,
  { keepsReferences = true }: { readonly keepsReferences?: boolean } = {},
) => {
  const calls: string[] = [];
  const rows: Row[] = [];
  const credentials = new Map<string, 'active' | 'revoked'>();
  const plans: MemoryPlan[] = [];
  let minted = 0;
  const mint = (prefix: string): string => `${prefix}-${String((minted += 1)).padStart(8, '0')}`;
  const at = (ms: number): string => new Date(ms).toISOString();

  const take = (operation: MemoryPlan['operation'], invoiceRef: string | null): MemoryPlan['effect'] | null => {
    const index = plans.findIndex(
      (plan) =>
        plan.operation === operation &&
        (plan.invoiceRef === undefined || plan.invoiceRef === (invoiceRef ?? undefined)),
    );
    return index < 0 ? null : (plans.splice(index, 1)[0]?.effect ?? null);
  };

  const answer = (row: Row): Outcome =>
    row.isPending
      ? { kind: 'Pending', why: 'review', nextLookAt: at(nowMs()), gatewayRef: row.transactionId, evidence: {} }
      : { kind: 'Succeeded', gatewayRef: row.transactionId, money: row.money, at: at(row.atMs) };
  const unknown = (code: string): Outcome => ({ kind: 'Unknown', since: at(nowMs()), evidence: { code } });

  const book = (row: Omit<Row, 'transactionId' | 'atMs'>): Row => {
    const booked = { ...row, transactionId: mint('T'), atMs: nowMs() };
    rows.push(booked);
    return booked;
  };

  const judgeCharge = ({ attemptId, credential, invoiceRef, money }: Charge, isPending: boolean): Outcome => {
    const earlier = rows.find(({ kind, key }) => kind === 'charge' && key === attemptId);
    if (earlier) return answer(earlier);
    if (credentials.get(credential) !== 'active')
      return { kind: 'Declined', hardness: 'hard', code: 'credential-gone', evidence: {} };
    const taken = keepsReferences && rows.find((row) => row.kind === 'charge' && row.invoiceRef === invoiceRef);
    if (taken) return taken.isPending ? unknown('taken') : { ...answer(taken), ...{ adopted: true } };
    return answer(book({ kind: 'charge', key: attemptId, invoiceRef, chargeRef: null, money, isPending }));
  };

  /** Breaks what would have been answered, in the way that was planned. */
  const through = (effect: MemoryPlan['effect'] | null, act: (isPending: boolean) => Outcome): Outcome => {
    if (effect === 'crash-before') throw new Crash('before the provider heard of it');
    if (effect === 'rate-limit') return { kind: 'NotExecuted', why: 'rateLimited', evidence: {} };
    if (effect === 'decline') return { kind: 'Declined', hardness: 'soft', code: '10539', evidence: {} };
    if (effect !== null && lostBefore.has(effect)) return unknown(effect);
    const result = act(effect === 'pending');
    if (effect === 'crash-after') throw new Crash('after the provider acted');
    if (effect === 'duplicate') return act(false);
    return effect !== null && lostAfter.has(effect) ? unknown(effect) : result;
  };

  const judgeRefund = ({ refundId, gatewayRef, amount }: Refund): Outcome => {
    const earlier = rows.find(({ kind, key }) => kind === 'refund' && key === refundId);
    if (earlier) return answer(earlier);
    const charge = rows.find((row) => row.kind === 'charge' && row.transactionId === gatewayRef);
    const refused: Outcome = { kind: 'NotExecuted', why: 'invalid', evidence: {} };
    if (!charge) return refused;
    const refunded = rows
      .filter((row) => row.chargeRef === gatewayRef)
      .reduce((total, row) => total + row.money.minor, 0);
    const left = charge.money.minor - refunded;
    const money = amount === 'full' ? { ...charge.money, minor: left } : amount;
    if (money.minor <= 0 || money.minor > left) return refused;
    const { invoiceRef } = charge;
    return answer(book({ kind: 'refund', key: refundId, invoiceRef, chargeRef: gatewayRef, money, isPending: false }));
  };

  const fetched = (invoiceRef: string, dispatchedAt: string): Fetched => {
    const ageMs = nowMs() - Date.parse(dispatchedAt);
    const own = rows.filter((row) => row.invoiceRef === invoiceRef && nowMs() - row.atMs >= indexLagMs);
    const isPaid = own.some(({ kind, isPending }) => kind === 'charge' && !isPending);
    const facts = own.map((row) => ({
      kind: row.kind === 'charge' ? ('payment' as const) : ('refund' as const),
      gatewayRef: row.transactionId,
      status: row.isPending ? ('pending' as const) : ('succeeded' as const),
      money: row.money,
      at: at(row.atMs),
    }));
    const isFinal = ageMs >= 3_600_000 || (isPaid && ageMs >= 300_000);
    return { kind: 'Fetched', facts, completeness: isFinal ? 'final' : 'lagging' };
  };

  const gateway: PaymentGateway = {
    name: 'memory',
    callTakesMsMax: 60_000,
    beginSetup: () =>
      Promise.resolve({ kind: 'Redirect', url: 'https://pay.invalid/', token: mint('EC'), expiresAt: at(nowMs()) }),
    completeSetup: () => {
      const reference = mint('B');
      credentials.set(reference, 'active');
      return Promise.resolve({ kind: 'CredentialIssued', credential: { reference, masked: '…', payer: {} } });
    },
    describeCredential: (reference) =>
      Promise.resolve({
        kind: 'Described',
        state: credentials.get(reference) ?? 'unknown',
        details: { reference, masked: '…', payer: {} },
      }),
    revokeCredential: (reference) => {
      const alreadyGone = credentials.get(reference) !== 'active';
      credentials.set(reference, 'revoked');
      return Promise.resolve({ kind: 'Revoked', alreadyGone });
    },
    charge: async (input) => {
      calls.push(input.attemptId);
      await Promise.resolve();
      return through(take('charge', input.invoiceRef), (isPending) => judgeCharge(input, isPending));
    },
    refund: async (input) => {
      await Promise.resolve();
      return through(take('refund', null), () => judgeRefund(input));
    },
    readNotification: (invoiceRef) => ({ kind: 'About', invoiceRef }),
    fetchByRef: ({ invoiceRef, dispatchedAt }) => Promise.resolve(fetched(invoiceRef, dispatchedAt)),
  };
  return {
    gateway,
    plan: (plan: MemoryPlan): void => void plans.push(plan),
    /** Forgets what was planned and not met yet. */
    behave: (): void => void plans.splice(0),
    rows: (): readonly Row[] => rows,
    /** The key of each charge that was asked for. */
    calls: (): readonly string[] => calls,
    credential: (): string => {
      const reference = mint('B');
      credentials.set(reference, 'active');
      return reference;
    },
    /** The provider makes up its mind about what is pending. */
    settle: (): void => rows.forEach((row, index) => void (rows[index] = { ...row, isPending: false })),
  };
};

export type MemoryGateway = ReturnType<typeof memoryGateway>;
