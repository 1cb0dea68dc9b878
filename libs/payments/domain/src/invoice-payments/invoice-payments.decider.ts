import { type Decider, type Decision, accept, reject } from '@billstream/event-sourcing';
import { type Instant, derivedId } from '@billstream/kernel';
import { type RecordOutcome, recordOutcome } from './attempt-outcome';
import type {
  AbortReason,
  ChargedMethod,
  CommittedInvoice,
  InvoicePaymentsEvent,
  SkipReason,
} from './invoice-payments.events';
import {
  type InvoicePayments,
  type OpenAttempt,
  chargeableMinor,
  evolveInvoicePayments,
  noInvoicePayments,
  owedMinor,
} from './invoice-payments';
import { type TakeBackSuccess, takeBackSuccess } from './take-back';

/** Invoicing committed the invoice. `method`: the account's default; null: it has none. */
export type RecordInvoice = {
  readonly type: 'RecordInvoice';
  readonly data: {
    readonly invoice: CommittedInvoice;
    readonly method: ChargedMethod | null;
    readonly isDelegatedToParent: boolean;
    /** The account pays only when somebody asks it to. */
    readonly isManualPay: boolean;
    readonly now: Instant;
  };
};

/**
 * `asOf`: revision of invoicing's stream that says so. `purchasedMinor`: payments that the balance counts; null: it was
 * told before invoicing said that.
 */
export type RecordBalance = {
  readonly type: 'RecordBalance';
  readonly data: { readonly balanceMinor: number; readonly asOf: number; readonly purchasedMinor: number | null };
};

/** Somebody asks for the invoice to be paid now. `amountMinor` null: all that is owed. */
export type PayInvoice = {
  readonly type: 'PayInvoice';
  readonly data: {
    readonly method: ChargedMethod | null;
    readonly amountMinor: number | null;
    readonly now: Instant;
  } & ClientKeys;
};

/**
 * The client's own names of the payment and its transaction. `ofPayment`: the payment that they were claimed for; another
 * one is not begun with them.
 */
export type ClientKeys = {
  readonly paymentKey?: string;
  readonly transactionKey?: string;
  readonly ofPayment?: string;
};

/** Money that came another way. */
export type RecordExternalPayment = {
  readonly type: 'RecordExternalPayment';
  readonly data: {
    readonly paymentMethodId: string;
    readonly pluginName: string;
    readonly amountMinor: number | null;
    readonly now: Instant;
  } & ClientKeys;
};

/**
 * Asks for the right to call the provider: granted when the state afterwards names this `holder`. `after`: the holder
 * whose call has been proven to have moved nothing, so that the same attempt may be sent once more; null: the first time.
 */
export type DispatchPayment = {
  readonly type: 'DispatchPayment';
  readonly data: {
    readonly transactionId: string;
    readonly holder: string;
    readonly after: string | null;
    /** Wall time. */
    readonly dispatchedAt: Instant;
    readonly now: Instant;
  };
};

export type RetryPayment = {
  readonly type: 'RetryPayment';
  readonly data: {
    readonly paymentId: string;
    readonly method: ChargedMethod | null;
    readonly isManualPay: boolean;
    /** False: the account was closed, and nothing of it is tried again. */
    readonly isRetried?: boolean;
    readonly now: Instant;
  };
};

export type WriteOff = { readonly invoiceId: string; readonly accountId: string; readonly isWrittenOff: boolean };

/** What kept the account from being charged has gone. Pays what is still owed; a payment under way is enough. */
export type PayHeldBack = {
  readonly type: 'PayHeldBack';
  readonly data: { readonly method: ChargedMethod | null; readonly now: Instant };
};

/** Somebody does not want the planned retry. */
export type CancelRetry = {
  readonly type: 'CancelRetry';
  readonly data: { readonly paymentId: string; readonly now: Instant };
};

export type InvoicePaymentsCommand =
  | CancelRetry
  | RecordInvoice
  | PayHeldBack
  | { readonly type: 'RecordWriteOff'; readonly data: WriteOff }
  | RecordBalance
  | PayInvoice
  | RecordExternalPayment
  | DispatchPayment
  | RecordOutcome
  | TakeBackSuccess
  | RetryPayment
  /** Changes nothing; its answer carries the state that a decision would see now. */
  | { readonly type: 'Look' };

export type InvoicePaymentsRejection =
  | { readonly code: 'invoice-unknown' }
  | { readonly code: 'nothing-owed' }
  | { readonly code: 'keys-of-another-payment'; readonly paymentId: string }
  | { readonly code: 'payment-under-way'; readonly transactionId: string }
  | { readonly code: 'no-method' }
  | { readonly code: 'no-retry-planned' }
  | { readonly code: 'amount-above-balance'; readonly owedMinor: number };

type PaymentDecision = Decision<InvoicePaymentsEvent, InvoicePaymentsRejection>;

export const invoicePayments: Decider<
  InvoicePaymentsCommand,
  InvoicePaymentsEvent,
  InvoicePayments,
  InvoicePaymentsRejection
> = {
  initial: noInvoicePayments,
  decide: (command, state) => {
    switch (command.type) {
      case 'RecordInvoice':
        return recordInvoice(command.data, state);
      case 'RecordBalance':
        return recordBalance(command.data, state);
      case 'RecordWriteOff':
        return recordWriteOff(command.data, state);
      case 'PayHeldBack':
        return payHeldBack(command.data, state);
      case 'PayInvoice':
        return payInvoice(command.data, state);
      case 'RecordExternalPayment':
        return recordExternalPayment(command.data, state);
      case 'DispatchPayment':
        return dispatch(command.data, state);
      case 'RecordOutcome':
        return recordOutcome(command.data, state);
      case 'TakeBackSuccess':
        return takeBackSuccess(command.data, state);
      case 'RetryPayment':
        return retry(command.data, state);
      case 'CancelRetry':
        return cancelRetry(command.data, state);
      case 'Look':
        return accept();
    }
  },
  evolve: evolveInvoicePayments,
};

type Requested = Extract<InvoicePaymentsEvent, { readonly type: 'PaymentRequested' }>;

type Request = ClientKeys & {
  readonly method: ChargedMethod;
  readonly amountMinor: number;
  readonly at: Instant;
  readonly isOnce?: boolean;
};

/** The payment that the next attempt at the invoice belongs to. */
export const nextPaymentId = ({ succeeded }: Pick<InvoicePayments, 'succeeded'>, invoiceId: string): string =>
  derivedId('payment', invoiceId, String(succeeded));

/** Ids follow from the invoice and two counters, so a decision made twice names the same attempt. */
const requested = (
  state: InvoicePayments,
  { invoiceId, accountId, currency }: NonNullable<InvoicePayments['invoice']>,
  { method, amountMinor, at, ...more }: Request,
): Requested => {
  const attempt = state.attempts + 1;
  const paymentId = nextPaymentId(state, invoiceId);
  const transactionId = derivedId('transaction', paymentId, String(attempt));
  const facts = { invoiceId, accountId, paymentId, transactionId, amountMinor, currency, at };
  return { type: 'PaymentRequested', data: { ...facts, ...method, attempt, ...more } };
};

const recordInvoice = (
  { invoice, method, isDelegatedToParent, isManualPay, now }: RecordInvoice['data'],
  state: InvoicePayments,
): PaymentDecision => {
  if (state.invoice !== null) return accept();
  const recorded: InvoicePaymentsEvent = { type: 'InvoiceRecorded', data: invoice };
  const { invoiceId, accountId, balanceMinor } = invoice;
  if (balanceMinor <= 0) return accept(recorded);
  const skipped = (reason: SkipReason): InvoicePaymentsEvent => ({
    type: 'PaymentSkipped',
    data: { invoiceId, accountId, reason, at: now },
  });
  if (isDelegatedToParent) return accept(recorded, skipped('delegated-to-parent'));
  if (isManualPay) return accept(recorded, skipped('manual-pay'));
  if (method === null) return accept(recorded, skipped('no-default-method'));
  return accept<InvoicePaymentsEvent>(
    recorded,
    requested(state, invoice, { method, amountMinor: balanceMinor, at: now }),
  );
};

/**
 * After money moved, invoicing's figures lag until it has heard of that, so it says which payments they count: what else
 * moved still goes off. Where it does not say, a balance above what is owed by our own count is not believed, because
 * believing it could charge the payer twice.
 */
const recordBalance = (
  { balanceMinor, asOf, purchasedMinor }: RecordBalance['data'],
  state: InvoicePayments,
): PaymentDecision => {
  if (state.invoice === null || asOf <= state.asOf) return accept();
  if (purchasedMinor === null && state.unconfirmedMinor !== 0 && balanceMinor > owedMinor(state)) return accept();
  const unconfirmedMinor = purchasedMinor === null ? 0 : state.movedMinor - purchasedMinor;
  if (balanceMinor === state.balanceMinor && unconfirmedMinor === state.unconfirmedMinor) return accept();
  const { invoiceId, accountId } = state.invoice;
  const told = { invoiceId, accountId, balanceMinor, asOf };
  return accept({
    type: 'BalanceRecorded',
    data: unconfirmedMinor === 0 ? told : { ...told, unconfirmedMinor },
  });
};

/** It may even be heard of before the invoice. */
const recordWriteOff = (data: WriteOff, state: InvoicePayments): PaymentDecision =>
  state.isWrittenOff === data.isWrittenOff ? accept() : accept({ type: 'WriteOffChanged', data });

const payHeldBack = ({ method, now }: PayHeldBack['data'], state: InvoicePayments): PaymentDecision => {
  const { invoice, open, retryAt } = state;
  const owed = chargeableMinor(state);
  if (invoice === null || open !== null || retryAt !== null || owed <= 0) return accept();
  const { invoiceId, accountId } = invoice;
  if (method === null)
    return accept({ type: 'PaymentSkipped', data: { invoiceId, accountId, reason: 'no-default-method', at: now } });
  return accept(requested(state, invoice, { method, amountMinor: owed, at: now }));
};

type Payable = {
  readonly invoice: NonNullable<InvoicePayments['invoice']>;
  readonly amountMinor: number;
};

const payable = (
  wanted: number | null,
  ofPayment: string | undefined,
  state: InvoicePayments,
): Payable | { readonly rejected: InvoicePaymentsRejection } => {
  const { invoice, open } = state;
  if (invoice === null) return reject({ code: 'invoice-unknown' });
  if (open !== null) return reject({ code: 'payment-under-way', transactionId: open.transactionId });
  if (ofPayment !== undefined && ofPayment !== nextPaymentId(state, invoice.invoiceId))
    return reject({ code: 'keys-of-another-payment', paymentId: ofPayment });
  const owed = chargeableMinor(state);
  if (owed <= 0) return reject({ code: 'nothing-owed' });
  const amountMinor = wanted ?? owed;
  if (amountMinor > owed || amountMinor <= 0) return reject({ code: 'amount-above-balance', owedMinor: owed });
  return { invoice, amountMinor };
};

const payInvoice = (
  { method, amountMinor, now, ofPayment, ...keys }: PayInvoice['data'],
  state: InvoicePayments,
): PaymentDecision => {
  const due = payable(amountMinor, ofPayment, state);
  if ('rejected' in due) return due;
  if (method === null) return reject({ code: 'no-method' });
  return accept(
    requested(state, due.invoice, { method, amountMinor: due.amountMinor, at: now, isOnce: true, ...keys }),
  );
};

const recordExternalPayment = (
  { paymentMethodId, pluginName, amountMinor, now, ofPayment, ...keys }: RecordExternalPayment['data'],
  state: InvoicePayments,
): PaymentDecision => {
  const due = payable(amountMinor, ofPayment, state);
  if ('rejected' in due) return due;
  const method: ChargedMethod = { paymentMethodId, pluginName, credential: '' };
  const request = requested(state, due.invoice, { method, amountMinor: due.amountMinor, at: now, ...keys });
  const { invoiceId, accountId, paymentId, transactionId, currency, at } = request.data;
  const facts = { invoiceId, accountId, paymentId, transactionId, amountMinor: due.amountMinor, currency, at };
  const evidence = { gatewayRef: null, feeMinor: null, movedAt: now, isAdopted: false, isLate: false };
  return accept<InvoicePaymentsEvent>(request, { type: 'PaymentSucceeded', data: { ...facts, ...evidence } });
};

const dispatch = (data: DispatchPayment['data'], state: InvoicePayments): PaymentDecision => {
  const { invoice, open } = state;
  if (invoice === null || open?.transactionId !== data.transactionId) return accept();
  // Who was granted the right since the proof may be calling at this moment: one call at a time.
  const maySend = data.after === null ? open.status === 'requested' : isSentAndOpen(open) && open.holder === data.after;
  if (!maySend) return accept();
  const owed = chargeableMinor(state);
  if (owed < open.amountMinor) return accept(...askForLess({ invoice, open, owed, now: data.now }, state));
  const { invoiceId, accountId } = invoice;
  const { paymentId, transactionId } = open;
  const { holder, dispatchedAt, now: at } = data;
  const ref = { invoiceId, accountId, paymentId, transactionId };
  return accept({ type: 'PaymentDispatched', data: { ...ref, holder, dispatchedAt, at } });
};

const isSentAndOpen = ({ status }: OpenAttempt): boolean => status === 'dispatched' || status === 'unknown';

type Less = Pick<Payable, 'invoice'> & {
  readonly open: OpenAttempt;
  readonly owed: number;
  readonly now: Instant;
};

/** Credit or another payment came in before anything was sent: the attempt ends, and only the rest is asked for. */
const askForLess = ({ invoice, open, owed, now }: Less, state: InvoicePayments): readonly InvoicePaymentsEvent[] => {
  const end = (reason: AbortReason): InvoicePaymentsEvent => ({
    type: 'PaymentAborted',
    data: {
      invoiceId: invoice.invoiceId,
      accountId: invoice.accountId,
      paymentId: open.paymentId,
      transactionId: open.transactionId,
      reason,
      at: now,
    },
  });
  if (owed <= 0) return [end('paid-meanwhile')];
  const { method, isOnce, keys } = open;
  const rest = { method, amountMinor: owed, at: now, ...(isOnce && { isOnce }), ...keys };
  return [end('balance-changed'), requested(state, invoice, rest)];
};

const retry = (
  { paymentId, method, isManualPay, isRetried = true, now }: RetryPayment['data'],
  state: InvoicePayments,
): PaymentDecision => {
  const { invoice, open, retryAt } = state;
  // A reminder that comes early is one of an earlier retry, delivered again.
  if (invoice === null || open !== null || retryAt === null || now < retryAt) return accept();
  const { invoiceId, accountId } = invoice;
  const end = (reason: AbortReason): PaymentDecision =>
    accept({ type: 'PaymentAborted', data: { invoiceId, accountId, paymentId, transactionId: null, reason, at: now } });
  const owed = chargeableMinor(state);
  if (owed <= 0) return end('paid-meanwhile');
  if (!isRetried) return end('cancelled');
  if (isManualPay) return end('manual-pay');
  if (method === null) return end('no-method');
  return accept(requested(state, invoice, { method, amountMinor: owed, at: now }));
};

const cancelRetry = (
  { paymentId, now: at }: CancelRetry['data'],
  { invoice, retryAt }: InvoicePayments,
): PaymentDecision => {
  if (invoice === null || retryAt === null) return reject({ code: 'no-retry-planned' });
  const { invoiceId, accountId } = invoice;
  const data = { invoiceId, accountId, paymentId, transactionId: null, reason: 'cancelled' as const, at };
  return accept({ type: 'PaymentAborted', data });
};
