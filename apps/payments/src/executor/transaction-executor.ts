import type { CommandContext, Handle, Handled } from '@billstream/event-sourcing';
import { type Clock, type Instant, derivedId, epochMs, newId } from '@billstream/kernel';
import {
  type AttemptOutcome,
  type Payment,
  type PaymentCommand,
  type PaymentEvent,
  type PaymentRejection,
  type Transaction,
  capturableMinor,
  isWholeRefund,
  paymentStream,
  referredTo,
  transactionOf,
} from '@billstream/payments-domain';
import type { Charge, FetchByRef, Money, Outcome, PaymentGateway } from '@billstream/payments-gateways';
import { findingOf, outcomeOf } from './attempt-outcome-of';
import { type ExecutorParts, beforeTheCallMs, repeatWithinMs } from './executor';

export type TransactionExecutorParts = Pick<ExecutorParts, 'gatewayOf' | 'clock' | 'wallNow' | 'isAlone'> & {
  readonly handle: Handle<PaymentCommand, PaymentEvent, Payment, PaymentRejection>;
};

export type TransactionTask = {
  readonly tenantId: string;
  readonly paymentId: string;
  readonly transactionId: string;
  readonly correlationId: string;
};

type Seen = { readonly state: Payment; readonly transaction: Transaction };
type Call = { readonly after: string | null; readonly isCompletion: boolean };

/** Commands to the stream of a task's payment. */
const commandsOf = ({ handle, clock }: Pick<TransactionExecutorParts, 'handle' | 'clock'>) => {
  const issue = async (task: TransactionTask, command: PaymentCommand, commandId: string) => {
    const handled: Handled<PaymentEvent, Payment, PaymentRejection> = await handle(
      paymentStream(task.paymentId),
      command,
      contextOf(task, clock, commandId),
    );
    if (handled.outcome !== 'accepted') throw new Error(`${command.type} ended as ${handled.outcome}`);
    return handled;
  };
  const look = async (task: TransactionTask): Promise<Seen | null> => {
    const { state } = await issue(task, { type: 'Look' }, newId());
    const transaction = transactionOf(state, task.transactionId);
    return transaction === null || state.opened === null ? null : { state, transaction };
  };
  const record = async (
    task: TransactionTask,
    outcome: AttemptOutcome,
    by: { holder: string | null; step: string },
  ) => {
    const { transactionId } = task;
    const data = { transactionId, holder: by.holder, outcome, now: clock.now(task.tenantId) };
    await issue(task, { type: 'RecordTransactionOutcome', data }, derivedId('outcome', transactionId, by.step));
  };
  return { issue, look, record };
};

/**
 * Carries out transactions that somebody asked for: direct payments, refunds, captures. As with attempts at invoices,
 * nothing is sent before it is on record as sent, and only the run that was granted the right sends it.
 */
export const transactionExecutor = (parts: TransactionExecutorParts) => {
  const { clock, wallNow, gatewayOf } = parts;
  const { issue, look, record } = commandsOf(parts);
  const inFlight = new Set<string>();

  const send = async (task: TransactionTask, seen: Seen, call: Call): Promise<void> => {
    const { transactionId } = task;
    const holder = newId();
    const gateway = await gatewayOf(task.tenantId, seen.state.opened?.paidBy.pluginName ?? '');
    if ('problem' in gateway) {
      if (call.after === null) await record(task, cannot(gateway.problem), { holder: null, step: holder });
      return;
    }
    const data = { transactionId, holder, ...call, dispatchedAt: wallNow(), now: clock.now(task.tenantId) };
    const command = { type: 'DispatchTransaction' as const, data };
    const { state } = await issue(task, command, derivedId('dispatch', transactionId, holder));
    if (transactionOf(state, transactionId)?.holder !== holder) return;
    inFlight.add(transactionId);
    try {
      const answer = await perform(gateway, seen);
      await record(task, answer === null ? cannot(unsupported) : outcomeOf(answer), { holder, step: holder });
    } finally {
      inFlight.delete(transactionId);
    }
  };

  const mayBeCalling = ({ state, dispatchedAt }: Transaction, { callTakesMsMax }: PaymentGateway): boolean =>
    state === 'DISPATCHED' &&
    dispatchedAt !== null &&
    epochMs(wallNow()) - epochMs(dispatchedAt) < callTakesMsMax + beforeTheCallMs;

  return {
    /** Sends a transaction for the first time. */
    execute: async (task: TransactionTask): Promise<void> => {
      const seen = await look(task);
      if (seen?.transaction.state === 'REQUESTED') await send(task, seen, { after: null, isCompletion: false });
    },

    /** The payer has done what was asked for: the provider is asked once more under the same key. */
    complete: async (task: TransactionTask): Promise<void> => {
      const seen = await look(task);
      const holder = seen?.transaction.holder ?? null;
      if (seen?.transaction.state === 'PENDING' && holder !== null)
        await send(task, seen, { after: holder, isCompletion: true });
    },

    /**
     * Finds out what became of a transaction. A charge is looked up in the provider's records; anything else is repeated
     * under its key, which moves nothing twice, as long as the provider surely remembers that key.
     */
    resolve: async (task: TransactionTask): Promise<void> => {
      const seen = await look(task);
      if (seen === null || !isSent(seen.transaction) || inFlight.has(task.transactionId)) return;
      const { transaction } = seen;
      const { holder, firstDispatchedAt, dispatchedAt } = transaction;
      if (holder === null || firstDispatchedAt === null || dispatchedAt === null) return;
      const run = { holder, step: newId() };
      const gateway = await gatewayOf(task.tenantId, seen.state.opened?.paidBy.pluginName ?? '');
      if ('problem' in gateway) return record(task, stillOpen(transaction, gateway.problem), run);
      if (!parts.isAlone && mayBeCalling(transaction, gateway)) return;
      const found = await lookedUp(gateway, transaction, { invoiceRef: task.paymentId, dispatchedAt });
      if (found !== null) return record(task, found, run);
      const ageMs = epochMs(wallNow()) - epochMs(firstDispatchedAt);
      if (ageMs >= repeatWithinMs) return record(task, tooOld(transaction), run);
      return send(task, seen, { after: holder, isCompletion: false });
    },
  };
};

export type TransactionExecutor = ReturnType<typeof transactionExecutor>;

const isSent = ({ state }: Transaction): boolean =>
  state === 'DISPATCHED' || state === 'UNKNOWN' || state === 'PENDING';

const contextOf = (task: TransactionTask, clock: Clock, commandId: string): CommandContext => {
  const at: Instant = clock.now(task.tenantId);
  const { tenantId, correlationId } = task;
  return { commandId, tenantId, actor: { createdBy: 'PaymentExecutor' }, at, correlationId };
};

/** What the provider's records say of it by now; null when they hold nothing, or are not where it would be found. */
const lookedUp = async (
  gateway: PaymentGateway,
  transaction: Transaction,
  charge: FetchByRef,
): Promise<AttemptOutcome | null> => {
  const { transactionType, state, gatewayRef } = transaction;
  const isPending = state === 'PENDING';
  if (transactionType !== 'PURCHASE') return isPending ? stillOpen(transaction, 'not-decided') : null;
  const fetched = await gateway.fetchByRef(charge);
  const finding = findingOf(fetched, { gatewayRef, status: isPending ? 'pending' : 'unknown' });
  if (finding.kind === 'outcome') return finding.outcome;
  return finding.kind === 'unsure' ? stillOpen(transaction, finding.code) : null;
};

/** Null: the provider cannot do that. */
const perform = async (gateway: PaymentGateway, seen: Seen): Promise<Outcome | null> => {
  const { transactionId, transactionType, amountMinor } = seen.transaction;
  const { opened } = seen.state;
  const credential = opened?.paidBy.credential ?? null;
  if (opened === null || credential === null) return null;
  const { paymentId, currency } = opened;
  const money: Money = { minor: amountMinor, currency };
  const description = `Payment ${paymentId}`;
  switch (transactionType) {
    case 'PURCHASE':
    case 'AUTHORIZE':
    case 'CREDIT': {
      const charge = { attemptId: transactionId, invoiceRef: paymentId, credential, money, description };
      return begin(gateway, transactionType, charge);
    }
    case 'CAPTURE':
    case 'VOID':
    case 'REFUND':
      return followUp(gateway, transactionType, seen, money);
    case 'CHARGEBACK':
      return null;
  }
};

/** What stands at the beginning of a payment. */
const begin = async (
  gateway: PaymentGateway,
  type: 'PURCHASE' | 'AUTHORIZE' | 'CREDIT',
  charge: Charge,
): Promise<Outcome | null> => {
  switch (type) {
    case 'PURCHASE':
      return gateway.charge(charge);
    case 'AUTHORIZE':
      return gateway.authorize === undefined ? null : gateway.authorize(charge);
    case 'CREDIT':
      return gateway.credit === undefined ? null : gateway.credit(charge);
  }
};

/** What refers to an earlier transaction of the payment, by the provider's name for it. */
const followUp = async (
  gateway: PaymentGateway,
  type: 'CAPTURE' | 'VOID' | 'REFUND',
  seen: Seen,
  money: Money,
): Promise<Outcome | null> => {
  const { transactionId } = seen.transaction;
  const gatewayRef = referredTo(seen.state, seen.transaction)?.gatewayRef ?? null;
  if (gatewayRef === null) return null;
  switch (type) {
    case 'CAPTURE':
      return gateway.capture === undefined ? null : gateway.capture({ captureId: transactionId, gatewayRef, money });
    case 'VOID': {
      const open = { minor: capturableMinor(seen.state), currency: money.currency };
      return gateway.void === undefined ? null : gateway.void({ voidId: transactionId, gatewayRef, money: open });
    }
    case 'REFUND':
      return gateway.refund({ refundId: transactionId, gatewayRef, ...refundOf(seen, money) });
  }
};

/** `full` where nothing of it was given back before: some providers know a whole refund by its kind, not by its amount. */
const refundOf = ({ state, transaction }: Seen, money: Money) =>
  isWholeRefund(state, transaction) ? { amount: 'full' as const, expectedRefundable: money } : { amount: money };

const unsupported = 'The payment plugin cannot do this';

const cannot = (message: string): AttemptOutcome => ({
  kind: 'not-executed',
  why: 'misconfigured',
  code: 'plugin-cannot',
  message,
});

const stillOpen = ({ state, gatewayRef }: Transaction, code: string): AttemptOutcome =>
  state === 'PENDING' ? { kind: 'pending', why: code, gatewayRef } : { kind: 'unknown', code };

/** A charge that the records do not hold has never happened; of anything else the records say nothing. */
const tooOld = ({ transactionType }: Transaction): AttemptOutcome =>
  transactionType === 'PURCHASE'
    ? { kind: 'not-executed', why: 'expired', code: 'never-executed', message: 'The provider has no record of it' }
    : { kind: 'unknown', code: 'too-old-to-repeat' };
