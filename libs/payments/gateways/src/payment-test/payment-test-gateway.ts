import type { Decimal } from '@billstream/kernel';
import type { Charge, Evidence, Money, Notification, Outcome, PaymentGateway, Refund } from '../gateway-port';
import { type MinorDigits, fromWireAmount } from '../wire-amount';

/** What the plugin is to do with a call. Null: process it, at once, as it was asked for. */
export type PaymentTestBehaviour = {
  readonly action: string | null;
  readonly sleepSeconds: number | null;
  /** Major units; processed whatever was asked for. */
  readonly amount: Decimal | null;
};

export type PaymentTestOptions = {
  readonly behaviourOf: (method: PaymentTestMethod) => Promise<PaymentTestBehaviour>;
  readonly minorDigits: MinorDigits;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<unknown>;
};

export type PaymentTestMethod =
  'authorizePayment' | 'capturePayment' | 'purchasePayment' | 'voidPayment' | 'creditPayment' | 'refundPayment';

/** The longest delay the plugin can be told to make. */
export const paymentTestSleepSecondsMax = 60;
const answeredWithinMs = 5_000;

type Call = { readonly key: string; readonly money: Money };

/**
 * Kill Bill's `killbill-payment-test`: a provider for tests that moves no money and answers as it was told to. It keeps
 * no records and needs none: the same key always gives the same reference, so a repeat is the same movement, and what
 * it never answered has never happened.
 */
export const paymentTestGateway = (options: PaymentTestOptions): PaymentGateway => {
  const at = (): string => options.now().toISOString();
  const act = async (method: PaymentTestMethod, call: Call): Promise<Outcome> => {
    const behaviour = await options.behaviourOf(method);
    if (behaviour.sleepSeconds !== null) await options.sleep(behaviour.sleepSeconds * 1_000);
    return answerOf(behaviour, call, { at: at(), minorDigits: options.minorDigits });
  };
  const charged = (method: PaymentTestMethod) => (input: Charge) =>
    act(method, { key: input.attemptId, money: input.money });
  return {
    name: 'payment-test',
    callTakesMsMax: paymentTestSleepSecondsMax * 1_000 + answeredWithinMs,
    beginSetup: () => Promise.resolve({ kind: 'NeedCardPacket' }),
    completeSetup: ({ token }) => Promise.resolve({ kind: 'CredentialIssued', credential: detailsOf(token) }),
    describeCredential: (reference) =>
      Promise.resolve({ kind: 'Described', state: 'active', details: detailsOf(reference) }),
    revokeCredential: () => Promise.resolve({ kind: 'Revoked', alreadyGone: false }),
    charge: charged('purchasePayment'),
    refund: (input) => act('refundPayment', { key: input.refundId, money: refundedOf(input) }),
    authorize: charged('authorizePayment'),
    credit: charged('creditPayment'),
    capture: ({ captureId, money }) => act('capturePayment', { key: captureId, money }),
    void: ({ voidId, money }) => act('voidPayment', { key: voidId, money }),
    fetchByRef: async () => {
      const { action } = await options.behaviourOf('purchasePayment');
      if (isSilent(action)) return { kind: 'Unknown', since: at(), evidence: { code: silence } };
      return { kind: 'Fetched', facts: [], completeness: 'final' };
    },
    readNotification,
  };
};

/** Kill Bill's PaymentPluginStatus (0.24); the others decide nothing. */
const said: Readonly<Record<string, Extract<Notification, { kind: 'Said' }>['status']>> = {
  PROCESSED: 'succeeded',
  ERROR: 'failed',
  CANCELED: 'not-executed',
};

const unreadable: Notification = {
  kind: 'Unreadable',
  problem: `expected {"kbPaymentId": "...", "status": "${Object.keys(said).join(' | ')}"}`,
};

/** A test sends what it wants to have happened to a payment that was made to wait. */
const readNotification = (payload: string): Notification => {
  const fields = fieldsIn(payload);
  const [invoiceRef, status] = [fields.get('kbPaymentId'), fields.get('status')];
  const wanted = typeof status === 'string' && Object.hasOwn(said, status) ? said[status] : undefined;
  if (typeof invoiceRef !== 'string' || wanted === undefined) return unreadable;
  return { kind: 'Said', invoiceRef, status: wanted };
};

const fieldsIn = (payload: string): ReadonlyMap<string, unknown> => {
  try {
    const value: unknown = JSON.parse(payload);
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    // A query, as when a provider calls without a body.
    return new Map(new URLSearchParams(payload));
  }
};

const silence = 'nothing-answered';
const isSilent = (action: string | null): boolean => action === 'RETURN_NIL' || action === 'ACTION_THROW_EXCEPTION';

const detailsOf = (reference: string) => ({ reference, masked: reference, payer: {} });

const refundedOf = ({ amount, expectedRefundable }: Refund): Money => {
  const money = amount === 'full' ? expectedRefundable : amount;
  if (money === undefined) throw new TypeError('a full refund of the test plugin has to say how much that is');
  return money;
};

type Circumstances = { readonly at: string; readonly minorDigits: MinorDigits };

const answerOf = (behaviour: PaymentTestBehaviour, call: Call, { at, minorDigits }: Circumstances): Outcome => {
  const { action } = behaviour;
  const gatewayRef = `test-${call.key}`;
  if (isSilent(action)) return { kind: 'Unknown', since: at, evidence: { code: silence } };
  const evidence: Evidence = action === null ? {} : { code: action, message: 'The test plugin was told so' };
  switch (action) {
    case 'ACTION_RETURN_PLUGIN_STATUS_ERROR':
      return { kind: 'Declined', hardness: 'soft', code: action, evidence };
    case 'ACTION_RETURN_PLUGIN_STATUS_PENDING':
      return { kind: 'Pending', why: 'review', nextLookAt: at, gatewayRef, evidence };
    case 'ACTION_RETURN_PLUGIN_STATUS_CANCELED':
      return { kind: 'NotExecuted', why: 'unreachable', evidence };
    case null:
    default:
      return { kind: 'Succeeded', gatewayRef, money: processedOf(behaviour, call, minorDigits), at };
  }
};

const processedOf = ({ amount }: PaymentTestBehaviour, { money }: Call, minorDigits: MinorDigits): Money =>
  (amount === null ? undefined : fromWireAmount(amount, money.currency, minorDigits)) ?? money;
