import type { Currency, Instant } from '@billstream/kernel';
import type { TransactionType } from '@billstream/payments-contracts';
import type {
  InvoicePurchase,
  ItemAdjustment,
  PaidBy,
  PaymentEvent,
  PaymentRef,
  TransactionFacts,
} from './payment.events';

/** REQUESTED: not sent yet. DISPATCHED: sent, or the process died on the way to it. The rest are Kill Bill's states. */
export type TransactionState =
  'REQUESTED' | 'DISPATCHED' | 'SUCCESS' | 'PENDING' | 'UNKNOWN' | 'PAYMENT_FAILURE' | 'PLUGIN_FAILURE';

export type Transaction = {
  readonly transactionId: string;
  readonly externalKey: string;
  readonly transactionType: TransactionType;
  /** As asked for. */
  readonly amountMinor: number;
  /** What moved; 0 unless it succeeded. */
  readonly processedMinor: number;
  readonly state: TransactionState;
  readonly gatewayRef: string | null;
  readonly isRecordOnly: boolean;
  readonly isAdjusted: boolean;
  readonly itemAdjustments: readonly ItemAdjustment[];
  /** The charge that it gives back; null: the payment's last one. */
  readonly chargeId: string | null;
  /** Who sent it last; only that one may call the provider. */
  readonly holder: string | null;
  /** Wall time of the first and the last time it was sent. */
  readonly firstDispatchedAt: Instant | null;
  readonly dispatchedAt: Instant | null;
  /** How often the outcome has been looked for in vain. */
  readonly looks: number;
};

export type OpenedPayment = PaymentRef & {
  readonly externalKey: string;
  readonly currency: Currency;
  readonly paidBy: PaidBy;
};

/** A payment and its transactions, in the order they were asked for. */
export type Payment = { readonly opened: OpenedPayment | null; readonly transactions: readonly Transaction[] };

export const noPayment: Payment = { opened: null, transactions: [] };

type Data<Type extends PaymentEvent['type']> = Extract<PaymentEvent, { readonly type: Type }>['data'];

const blank = {
  processedMinor: 0,
  isRecordOnly: false,
  isAdjusted: false,
  itemAdjustments: [],
  chargeId: null,
  holder: null,
  firstDispatchedAt: null,
  dispatchedAt: null,
  looks: 0,
} as const;

const purchased = ({ transactionId, externalKey, amountMinor, gatewayRef }: InvoicePurchase): Transaction => ({
  ...blank,
  ...{ transactionId, externalKey, transactionType: 'PURCHASE', state: 'SUCCESS', gatewayRef },
  ...{ amountMinor, processedMinor: amountMinor },
});

const opened = ({ purchase, ...data }: Data<'PaymentOpened'>): Payment => {
  const { paymentId, accountId, invoiceId, externalKey, currency, paidBy } = data;
  const transactions = purchase === null ? [] : [purchased(purchase)];
  return { opened: { paymentId, accountId, invoiceId, externalKey, currency, paidBy }, transactions };
};

const requested = (data: Data<'TransactionRequested'>): Transaction => ({
  ...blank,
  transactionId: data.transactionId,
  externalKey: data.externalKey,
  transactionType: data.transactionType,
  amountMinor: data.amountMinor,
  state: 'REQUESTED',
  gatewayRef: null,
  isRecordOnly: data.isRecordOnly,
  isAdjusted: data.isAdjusted ?? false,
  itemAdjustments: data.itemAdjustments ?? [],
  chargeId: data.chargeId ?? null,
});

const changed = (
  state: Payment,
  { transactionId }: Pick<TransactionFacts, 'transactionId'>,
  change: (transaction: Transaction) => Partial<Transaction>,
): Payment => ({
  ...state,
  transactions: state.transactions.map((one) =>
    one.transactionId === transactionId ? { ...one, ...change(one) } : one,
  ),
});

export const evolvePayment = (state: Payment, { type, data }: PaymentEvent): Payment => {
  switch (type) {
    case 'PaymentOpened':
      return opened(data);
    // Before everything that was asked of the payment: what happened last decides what may follow.
    case 'PurchaseFound':
      return { ...state, transactions: [purchased(data.purchase), ...state.transactions] };
    case 'TransactionRequested':
      return { ...state, transactions: [...state.transactions, requested(data)] };
    case 'TransactionDispatched':
      return changed(state, data, ({ firstDispatchedAt }) => ({
        state: 'DISPATCHED',
        holder: data.holder,
        firstDispatchedAt: firstDispatchedAt ?? data.dispatchedAt,
        dispatchedAt: data.dispatchedAt,
      }));
    case 'TransactionSucceeded':
      return changed(state, data, ({ gatewayRef }) => ({
        ...{ state: 'SUCCESS', processedMinor: data.amountMinor, gatewayRef: data.gatewayRef ?? gatewayRef },
      }));
    case 'TransactionPending':
      return changed(state, data, ({ gatewayRef, looks }) => ({
        ...{ state: 'PENDING', gatewayRef: data.gatewayRef ?? gatewayRef, looks: looks + 1 },
      }));
    case 'TransactionUnknown':
      return changed(state, data, () => ({ state: 'UNKNOWN', looks: data.look }));
    case 'TransactionFailed':
      return changed(state, data, () => ({ state: data.status, processedMinor: 0 }));
    case 'ChargebackReversed':
      return changed(state, data, () => ({ state: 'PAYMENT_FAILURE', processedMinor: 0 }));
  }
};

const open: ReadonlySet<TransactionState> = new Set(['REQUESTED', 'DISPATCHED', 'PENDING', 'UNKNOWN'] as const);

/** At most one transaction of a payment is without an end. */
export const openTransaction = ({ transactions }: Payment): Transaction | null =>
  transactions.find(({ state }) => open.has(state)) ?? null;

export const transactionOf = ({ transactions }: Payment, transactionId: string): Transaction | null =>
  transactions.find((one) => one.transactionId === transactionId) ?? null;

/** What has moved by transactions of these types, in minor units. */
export const movedMinor = ({ transactions }: Payment, ...types: readonly TransactionType[]): number =>
  transactions.reduce((sum, one) => (types.includes(one.transactionType) ? sum + one.processedMinor : sum), 0);

/** Of what was authorised: what was not captured. Zero after a void. */
export const capturableMinor = (state: Payment): number =>
  state.transactions.some(({ transactionType, state: one }) => transactionType === 'VOID' && one === 'SUCCESS')
    ? 0
    : movedMinor(state, 'AUTHORIZE') - movedMinor(state, 'CAPTURE');
