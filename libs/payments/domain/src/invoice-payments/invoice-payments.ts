import type { Currency, Instant } from '@billstream/kernel';
import type { AttemptFacts, ChargedMethod, InvoicePaymentsEvent } from './invoice-payments.events';

/**
 * requested: not sent yet. dispatched: sent, or the process died on the way to it. pending: the provider will decide.
 * unknown: an answer was lost.
 */
export type AttemptStatus = 'requested' | 'dispatched' | 'pending' | 'unknown';

export type OpenAttempt = {
  readonly paymentId: string;
  readonly transactionId: string;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly method: ChargedMethod;
  readonly status: AttemptStatus;
  /** Who sent it last; only that one may call the provider. */
  readonly holder: string | null;
  /** Wall time of the first and the last time it was sent. */
  readonly firstDispatchedAt: Instant | null;
  readonly dispatchedAt: Instant | null;
  readonly gatewayRef: string | null;
  /** How often the outcome has been looked for in vain. */
  readonly looks: number;
  /** A failure of it is not tried again. */
  readonly isOnce: boolean;
  /** The client's own names of the payment and of this attempt at it. */
  readonly keys: { readonly paymentKey?: string; readonly transactionKey?: string };
};

/** An attempt that ended without success. Kept so that a success that shows up late still finds its place. */
export type ClosedAttempt = { readonly paymentId: string; readonly currency: Currency };

/** `attempt`: the how manyth of its payment it was. Minor units. */
export type SettledAttempt = AttemptFacts & {
  readonly attempt: number;
  readonly gatewayRef: string | null;
  readonly declines: number;
};

export type InvoicePayments = {
  readonly invoice: { readonly invoiceId: string; readonly accountId: string; readonly currency: Currency } | null;
  /** As invoicing last said, and the revision of its stream that said so. */
  readonly balanceMinor: number;
  readonly asOf: number;
  /** What moved that this balance does not hold. */
  readonly unconfirmedMinor: number;
  /** What all payments of it that succeeded come to. */
  readonly movedMinor: number;
  /** The provider's ids of what moved: the same one again is the same money. */
  readonly movements: readonly string[];
  /** Its account has a parent that pays it, for good: also when the account leaves that parent. */
  readonly isParents: boolean;
  /** Nothing of it is charged any more, whatever its balance. */
  readonly isWrittenOff: boolean;
  /** Payments that moved money; numbers the next one. */
  readonly succeeded: number;
  /** Of the payment at hand: attempts opened, declines, and attempts that were not executed. */
  readonly attempts: number;
  readonly declines: number;
  readonly failures: number;
  /** At most one, whatever happens: opening a second is refused. */
  readonly open: OpenAttempt | null;
  readonly retryAt: Instant | null;
  readonly closed: Readonly<Record<string, ClosedAttempt>>;
  /** The last payment that succeeded: what somebody may know better of than its provider did. Null: none, or not any more. */
  readonly settled: SettledAttempt | null;
};

export const noInvoicePayments: InvoicePayments = {
  invoice: null,
  balanceMinor: 0,
  asOf: -1,
  unconfirmedMinor: 0,
  movedMinor: 0,
  movements: [],
  isParents: false,
  isWrittenOff: false,
  succeeded: 0,
  attempts: 0,
  declines: 0,
  failures: 0,
  open: null,
  retryAt: null,
  closed: {},
  settled: null,
};

/** What may still be charged: never more than invoicing asked for less what has moved since. */
export const owedMinor = ({ balanceMinor, unconfirmedMinor }: InvoicePayments): number =>
  balanceMinor - unconfirmedMinor;

/** The same, for whoever is about to charge it: nothing of what is written off or the parent's to pay. */
export const chargeableMinor = (state: InvoicePayments): number =>
  state.isWrittenOff || state.isParents ? 0 : owedMinor(state);

export const evolveInvoicePayments = (
  state: InvoicePayments,
  { type, data }: InvoicePaymentsEvent,
): InvoicePayments => {
  switch (type) {
    case 'InvoiceRecorded': {
      const { invoiceId, accountId, currency, balanceMinor, asOf } = data;
      return { ...state, invoice: { invoiceId, accountId, currency }, balanceMinor, asOf };
    }
    case 'BalanceRecorded':
      return withBalance(state, data);
    case 'WriteOffChanged':
      return { ...state, isWrittenOff: data.isWrittenOff };
    case 'PaymentSkipped':
      return skipped(state, data);
    case 'PaymentRequested':
      return { ...state, attempts: state.attempts + 1, retryAt: null, open: opened(data), settled: null };
    case 'PaymentDispatched':
      return changed(state, (open) => ({
        ...open,
        status: 'dispatched',
        holder: data.holder,
        firstDispatchedAt: open.firstDispatchedAt ?? data.dispatchedAt,
        dispatchedAt: data.dispatchedAt,
      }));
    case 'PaymentSucceeded':
      return succeeded(state, data);
    case 'PaymentDeclined':
      return declined(state, data.transactionId);
    case 'PaymentNotExecuted':
      return closed({ ...state, failures: state.failures + 1 }, data.transactionId);
    case 'PaymentPending':
      return changed(state, (open) => ({
        ...open,
        status: 'pending',
        gatewayRef: data.gatewayRef ?? open.gatewayRef,
        looks: open.looks + 1,
      }));
    case 'PaymentUnknown':
      return changed(state, (open) => ({ ...open, status: 'unknown', looks: data.look }));
    case 'RetryScheduled':
      return { ...state, retryAt: data.retryAt };
    case 'PaymentAborted':
      return aborted(state, data);
  }
};

type Data<Type extends InvoicePaymentsEvent['type']> = Extract<InvoicePaymentsEvent, { readonly type: Type }>['data'];

const skipped = (state: InvoicePayments, { reason }: Data<'PaymentSkipped'>): InvoicePayments =>
  reason === 'delegated-to-parent' ? { ...state, isParents: true } : state;

const withBalance = (
  state: InvoicePayments,
  { balanceMinor, asOf, unconfirmedMinor = 0 }: Data<'BalanceRecorded'>,
): InvoicePayments => ({ ...state, balanceMinor, asOf, unconfirmedMinor });

const opened = (data: Data<'PaymentRequested'>): OpenAttempt => ({
  paymentId: data.paymentId,
  transactionId: data.transactionId,
  amountMinor: data.amountMinor,
  currency: data.currency,
  method: { paymentMethodId: data.paymentMethodId, pluginName: data.pluginName, credential: data.credential },
  status: 'requested',
  holder: null,
  firstDispatchedAt: null,
  dispatchedAt: null,
  gatewayRef: null,
  looks: 0,
  isOnce: data.isOnce ?? false,
  keys: {
    ...(data.paymentKey !== undefined && { paymentKey: data.paymentKey }),
    ...(data.transactionKey !== undefined && { transactionKey: data.transactionKey }),
  },
});

const changed = (state: InvoicePayments, change: (open: OpenAttempt) => OpenAttempt): InvoicePayments =>
  state.open === null ? state : { ...state, open: change(state.open) };

const closed = (state: InvoicePayments, transactionId: string): InvoicePayments => {
  if (state.open?.transactionId !== transactionId) return state;
  const { paymentId, currency } = state.open;
  return { ...state, open: null, closed: { ...state.closed, [transactionId]: { paymentId, currency } } };
};

/** Without a transaction it was given up between two attempts. */
const aborted = (state: InvoicePayments, { transactionId }: Data<'PaymentAborted'>): InvoicePayments =>
  transactionId === null ? { ...state, retryAt: null } : closed({ ...state, retryAt: null }, transactionId);

/** The next payment of the invoice, should there be one, starts from nothing under a name of its own. */
const succeeded = (state: InvoicePayments, data: Data<'PaymentSucceeded'>): InvoicePayments => {
  const { transactionId, amountMinor, gatewayRef } = data;
  const { invoiceId, accountId, paymentId, currency, at } = data;
  const { attempts: attempt, declines } = state;
  const facts = { invoiceId, accountId, paymentId, transactionId, amountMinor, currency, at };
  return {
    ...state,
    unconfirmedMinor: state.unconfirmedMinor + amountMinor,
    movedMinor: state.movedMinor + amountMinor,
    movements: gatewayRef === null ? state.movements : [...state.movements, gatewayRef],
    succeeded: state.succeeded + 1,
    attempts: 0,
    declines: 0,
    failures: 0,
    retryAt: null,
    open: state.open?.transactionId === transactionId ? null : state.open,
    closed: Object.fromEntries(Object.entries(state.closed).filter(([id]) => id !== transactionId)),
    settled: data.isLate ? null : { ...facts, attempt, declines, gatewayRef },
  };
};

/** Of a payment that had succeeded, too: somebody knew better. */
const declined = (state: InvoicePayments, transactionId: string): InvoicePayments =>
  state.settled?.transactionId === transactionId
    ? takenBack(state, state.settled)
    : closed({ ...state, declines: state.declines + 1 }, transactionId);

/** As if it had failed in the first place: the next attempt is one more at the same payment. */
const takenBack = (state: InvoicePayments, settled: SettledAttempt): InvoicePayments => ({
  ...state,
  movedMinor: state.movedMinor - settled.amountMinor,
  movements: state.movements.filter((ref) => ref !== settled.gatewayRef),
  succeeded: state.succeeded - 1,
  attempts: settled.attempt,
  declines: settled.declines + 1,
  closed: { ...state.closed, [settled.transactionId]: { paymentId: settled.paymentId, currency: settled.currency } },
  settled: null,
});
