import { randomUUID } from 'node:crypto';
import type { Charge, FetchByRef, Fetched, Money, PaymentGateway } from '../gateway-port';

export type LedgerEntry = {
  readonly kind: 'charge' | 'refund';
  readonly transactionId: string;
  readonly invoiceRef?: string;
  readonly amount: string;
  readonly currency: string;
  readonly status: string;
};

export type PlannedFault = {
  readonly operation: 'charge' | 'refund' | 'setup';
  readonly effect:
    | 'timeout'
    | 'timeout-before'
    | 'error-500'
    | 'reset'
    | 'reset-before'
    | 'decline'
    | 'pending'
    | 'rate-limit'
    | 'duplicate';
  readonly invoiceRef?: string;
};

/** What a provider's emulator must offer so that the suite can look behind the gateway's back. */
export type GatewayUnderTest = {
  readonly gateway: PaymentGateway;
  /** The same gateway against an address where nobody listens. */
  readonly unreachable: PaymentGateway;
  readonly currency: string;
  /** A stored credential, obtained the way a payer does it. */
  readonly credential: () => Promise<string>;
  readonly plan: (fault: PlannedFault) => Promise<void>;
  readonly ledger: (invoiceRef: string) => Promise<readonly LedgerEntry[]>;
  readonly violations: () => Promise<readonly unknown[]>;
  /** Fetches as one who has waited until the provider's records are complete. */
  readonly fetchSettled: (input: FetchByRef) => Promise<Fetched>;
};

/** What every adapter owes the payments service, whatever its provider's protocol. */
export const describeGatewayContract = (name: string, subject: () => GatewayUnderTest): void => {
  describe(`${name} as a payment gateway`, () => {
    const charge = async (overrides: Partial<Charge> = {}): Promise<Charge> => ({
      attemptId: randomUUID(),
      invoiceRef: `inv-${randomUUID()}`,
      credential: await subject().credential(),
      money: { minor: 2000, currency: subject().currency },
      description: 'standard-monthly',
      ...overrides,
    });
    const gateway = (): PaymentGateway => subject().gateway;
    const booked = async (invoiceRef: string): Promise<number> =>
      (await subject().ledger(invoiceRef)).filter((entry) => entry.kind === 'charge').length;

    afterEach(async () => expect(await subject().violations()).toEqual([]));

    chargeContract({ subject, gateway, charge, booked });
    lostAnswerContract({ subject, gateway, charge, booked });
    refundContract({ subject, gateway, charge, booked });
    credentialContract({ subject, gateway, charge, booked });
  });
};

type Bench = {
  readonly subject: () => GatewayUnderTest;
  readonly gateway: () => PaymentGateway;
  readonly charge: (overrides?: Partial<Charge>) => Promise<Charge>;
  readonly booked: (invoiceRef: string) => Promise<number>;
};

const chargeContract = ({ subject, gateway, charge, booked }: Bench): void => {
  it('charges a stored credential and says what moved', async () => {
    const input = await charge();
    expect(await gateway().charge(input)).toMatchObject({ kind: 'Succeeded', money: input.money });
    expect(await subject().ledger(input.invoiceRef)).toMatchObject([
      { kind: 'charge', currency: input.money.currency },
    ]);
  });

  it('does not charge again when the same attempt is repeated', async () => {
    const input = await charge();
    const first = await gateway().charge(input);
    expect(await gateway().charge(input)).toMatchObject({
      kind: 'Succeeded',
      gatewayRef: 'gatewayRef' in first ? first.gatewayRef : '',
    });
    expect(await booked(input.invoiceRef)).toBe(1);
  });

  it('does not charge an invoice a second time under another attempt', async () => {
    const input = await charge();
    await gateway().charge(input);
    expect(['Succeeded', 'Unknown']).toContain((await gateway().charge({ ...input, attemptId: randomUUID() })).kind);
    expect(await booked(input.invoiceRef)).toBe(1);
  });

  it('charges once when the network delivers a request twice', async () => {
    const input = await charge();
    await subject().plan({ operation: 'charge', effect: 'duplicate', invoiceRef: input.invoiceRef });
    expect(await gateway().charge(input)).toMatchObject({ kind: 'Succeeded' });
    expect(await booked(input.invoiceRef)).toBe(1);
  });

  it('reports a decline, moves nothing, and lets a new attempt succeed', async () => {
    const input = await charge();
    await subject().plan({ operation: 'charge', effect: 'decline', invoiceRef: input.invoiceRef });
    expect(await gateway().charge(input)).toMatchObject({ kind: 'Declined', hardness: 'soft' });
    expect(await booked(input.invoiceRef)).toBe(0);
    expect(await gateway().charge({ ...input, attemptId: randomUUID() })).toMatchObject({ kind: 'Succeeded' });
  });

  it('reports a charge under review as pending', async () => {
    const input = await charge();
    await subject().plan({ operation: 'charge', effect: 'pending', invoiceRef: input.invoiceRef });
    expect(await gateway().charge(input)).toMatchObject({ kind: 'Pending' });
  });

  it('knows that nothing happened when the provider turns the call away or nobody listens', async () => {
    const input = await charge();
    await subject().plan({ operation: 'charge', effect: 'rate-limit', invoiceRef: input.invoiceRef });
    expect(await gateway().charge(input)).toMatchObject({ kind: 'NotExecuted', why: 'rateLimited' });
    expect(await subject().unreachable.charge(input)).toMatchObject({ kind: 'NotExecuted', why: 'unreachable' });
    expect(await booked(input.invoiceRef)).toBe(0);
  });
};

const lostAnswerContract = ({ subject, gateway, charge, booked }: Bench): void => {
  for (const effect of ['timeout', 'error-500', 'reset'] as const) {
    it(`calls a charge unknown after ${effect}, and then finds exactly one success`, async () => {
      const input = await charge();
      const dispatchedAt = new Date().toISOString();
      await subject().plan({ operation: 'charge', effect, invoiceRef: input.invoiceRef });
      expect(await gateway().charge(input)).toMatchObject({ kind: 'Unknown' });
      const fetched = await subject().fetchSettled({ invoiceRef: input.invoiceRef, dispatchedAt });
      expect(fetched).toMatchObject({
        kind: 'Fetched',
        completeness: 'final',
        facts: [{ kind: 'payment', status: 'succeeded', money: input.money }],
      });
    });
  }

  it('repeats a charge whose answer was lost without moving the money again', async () => {
    const input = await charge();
    await subject().plan({ operation: 'charge', effect: 'timeout', invoiceRef: input.invoiceRef });
    await gateway().charge(input);
    expect(await gateway().charge(input)).toMatchObject({ kind: 'Succeeded' });
    expect(await booked(input.invoiceRef)).toBe(1);
  });

  for (const effect of ['timeout-before', 'reset-before'] as const) {
    it(`calls a charge unknown after ${effect}, and proves only later that it never happened`, async () => {
      const input = await charge();
      const dispatchedAt = new Date().toISOString();
      await subject().plan({ operation: 'charge', effect, invoiceRef: input.invoiceRef });
      expect(await gateway().charge(input)).toMatchObject({ kind: 'Unknown' });
      const asked = { invoiceRef: input.invoiceRef, dispatchedAt };
      expect(await gateway().fetchByRef(asked)).toMatchObject({ kind: 'Fetched', facts: [], completeness: 'lagging' });
      expect(await subject().fetchSettled(asked)).toMatchObject({ kind: 'Fetched', facts: [], completeness: 'final' });
    });
  }
};

const refundContract = ({ subject, gateway, charge }: Bench): void => {
  const charged = async (): Promise<{ gatewayRef: string; invoiceRef: string; money: Money }> => {
    const input = await charge();
    const outcome = await gateway().charge(input);
    if (outcome.kind !== 'Succeeded') throw new Error(`the charge to refund ended as ${outcome.kind}`);
    return { gatewayRef: outcome.gatewayRef, invoiceRef: input.invoiceRef, money: input.money };
  };

  it('refunds a part, then the rest, and never more than was charged', async () => {
    const { gatewayRef, money } = await charged();
    const part = { ...money, minor: 500 };
    expect(await gateway().refund({ refundId: randomUUID(), gatewayRef, amount: part })).toMatchObject({
      kind: 'Succeeded',
      money: part,
    });
    const rest = { ...money, minor: 1500 };
    expect(await gateway().refund({ refundId: randomUUID(), gatewayRef, amount: rest })).toMatchObject({
      kind: 'Succeeded',
      money: rest,
    });
    expect(await gateway().refund({ refundId: randomUUID(), gatewayRef, amount: part })).toMatchObject({
      kind: 'NotExecuted',
    });
  });

  it('refunds once when the answer is lost and the same refund is repeated', async () => {
    const { gatewayRef, invoiceRef, money } = await charged();
    const refund = { refundId: randomUUID(), gatewayRef, amount: 'full' } as const;
    await subject().plan({ operation: 'refund', effect: 'reset' });
    expect(await gateway().refund(refund)).toMatchObject({ kind: 'Unknown' });
    expect(await gateway().refund(refund)).toMatchObject({ kind: 'Succeeded', money });
    expect((await subject().ledger(invoiceRef)).filter((entry) => entry.kind === 'refund')).toHaveLength(1);
  });
};

const credentialContract = ({ subject, gateway, charge }: Bench): void => {
  it('describes a credential, revokes it, and does not mind that it is gone', async () => {
    const credential = await subject().credential();
    expect(await gateway().describeCredential(credential)).toMatchObject({ kind: 'Described', state: 'active' });
    expect(await gateway().revokeCredential(credential)).toEqual({ kind: 'Revoked', alreadyGone: false });
    expect(await gateway().revokeCredential(credential)).toEqual({ kind: 'Revoked', alreadyGone: true });
    expect(await gateway().describeCredential(credential)).toMatchObject({ kind: 'Described', state: 'revoked' });
  });

  it('declines hard on a revoked credential', async () => {
    const input = await charge();
    await gateway().revokeCredential(input.credential);
    expect(await gateway().charge(input)).toMatchObject({ kind: 'Declined', hardness: 'hard' });
  });
};
