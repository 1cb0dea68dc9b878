import type { CommandContext, Handle, Handled } from '@billstream/event-sourcing';
import { type Clock, type Instant, derivedId, epochMs, newId, notBefore } from '@billstream/kernel';
import {
  type AttemptOutcome,
  type ChargedMethod,
  type InvoicePayments,
  type InvoicePaymentsCommand,
  type InvoicePaymentsEvent,
  type InvoicePaymentsRejection,
  type OpenAttempt,
  type RetryPolicy,
  invoicePaymentsStream,
} from '@billstream/payments-domain';
import type { PaymentGateway } from '@billstream/payments-gateways';
import type { DuePayment } from '@billstream/payments-read-models';
import { findingOf, outcomeOf, paidFacts } from './attempt-outcome-of';

export type ExecutorParts = {
  readonly handle: Handle<InvoicePaymentsCommand, InvoicePaymentsEvent, InvoicePayments, InvoicePaymentsRejection>;
  /** How to reach the provider now, or why that is not possible. */
  readonly gatewayOf: (tenantId: string, pluginName: string) => Promise<PaymentGateway | { readonly problem: string }>;
  /** What automatic payments of the account charge now, and whether there are any. */
  readonly payerOf: (tenantId: string, accountId: string) => Promise<Payer>;
  /** The invoice is charged when the account's payments are automatic again. */
  readonly holdBack: (task: Task, invoice: { readonly invoiceId: string; readonly accountId: string }) => Promise<void>;
  readonly retryPolicyOf: (tenantId: string) => Promise<RetryPolicy>;
  readonly clock: Clock;
  readonly wallNow: () => Instant;
  /** No other process can be calling a provider: what was sent and is not being called here has lost its process. */
  readonly isAlone: boolean;
  /** The provider holds more than one successful payment of what was asked for once. */
  readonly onDoubleCharge: (facts: { readonly paymentId: string; readonly gatewayRefs: readonly string[] }) => void;
};

export type Payer = {
  readonly method: ChargedMethod | null;
  readonly isManualPay: boolean;
  /** False: the account was closed, and what fails is not tried again. */
  readonly isRetried: boolean;
};

/** One item of due work, however it came to be run. */
export type Task = DuePayment & { readonly tenantId: string; readonly dueAt: Instant };

/** As long as a provider surely remembers a key (PayPal promises more); after that an attempt is never sent again. */
export const repeatWithinMs = 24 * 3_600_000;

/** Between the record that an attempt is sent and the start of the call, on a machine that is busy. */
export const beforeTheCallMs = 5_000;

/** Commands to the stream of an item's invoice. */
const commandsOf = ({
  handle,
  clock,
  retryPolicyOf,
  payerOf,
}: Pick<ExecutorParts, 'handle' | 'clock' | 'retryPolicyOf' | 'payerOf'>) => {
  const issue = async (
    task: Task,
    command: InvoicePaymentsCommand,
    commandId: string,
  ): Promise<Extract<Handled<InvoicePaymentsEvent, InvoicePayments, never>, { outcome: 'accepted' }>> => {
    const handled = await handle(invoicePaymentsStream(task.invoiceId), command, contextOf(task, clock, commandId));
    if (handled.outcome !== 'accepted') throw new Error(`${command.type} ended as ${handled.outcome}`);
    return handled;
  };
  const afterFailure = async (task: Task) => {
    const { state } = await issue(task, { type: 'Look' }, newId());
    const payer = state.invoice === null ? null : await payerOf(task.tenantId, state.invoice.accountId);
    return { policy: await retryPolicyOf(task.tenantId), isLast: payer?.isRetried === false };
  };
  return {
    issue,
    look: async (task: Task): Promise<OpenAttempt | null> => {
      const { state } = await issue(task, { type: 'Look' }, newId());
      return state.open?.transactionId === task.transactionId ? state.open : null;
    },
    /** `holder`: of the attempt as it was when this was found out. `step` names the finding. */
    record: async (task: Task, outcome: AttemptOutcome, by: { holder: string | null; step: string }): Promise<void> => {
      const transactionId = task.transactionId ?? '';
      const isFailure = outcome.kind === 'declined' || outcome.kind === 'not-executed';
      const whatNext = isFailure ? await afterFailure(task) : {};
      const data = { transactionId, holder: by.holder, outcome, ...whatNext, now: nowOf(task, clock) };
      await issue(task, { type: 'RecordOutcome', data }, derivedId('outcome', transactionId, by.step));
    },
  };
};

/** Opens the next attempt of a payment whose last one failed, with the method that is the default by now. */
const retry = async (parts: ExecutorParts, task: Task): Promise<void> => {
  const { issue } = commandsOf(parts);
  const { state } = await issue(task, { type: 'Look' }, newId());
  if (state.invoice === null) return;
  const payer = await parts.payerOf(task.tenantId, state.invoice.accountId);
  const data = { paymentId: task.paymentId, ...payer, now: nowOf(task, parts.clock) };
  const retried = await issue(
    task,
    { type: 'RetryPayment', data },
    derivedId('retry-payment', task.paymentId, task.dueAt),
  );
  if (retried.events.some(isHeldBack)) await parts.holdBack(task, state.invoice);
};

/**
 * Carries out what the domain decided. Each run may die at any point and be run again: before the call the attempt is
 * recorded as sent, so that nobody sends it a second time without asking the provider first.
 */
export const paymentExecutor = (parts: ExecutorParts) => {
  const { gatewayOf, clock, wallNow } = parts;
  const { issue, look, record } = commandsOf(parts);
  const inFlight = new Set<string>();

  /** Calls the provider if, and only if, the stream granted this run the right to. */
  const send = async (task: Task, open: OpenAttempt, { after }: { readonly after: string | null }): Promise<void> => {
    const { transactionId, method } = open;
    const gateway = await gatewayOf(task.tenantId, method.pluginName);
    const holder = newId();
    if ('problem' in gateway) {
      if (after === null) await record(task, misconfigured(gateway.problem), { holder: null, step: holder });
      return;
    }
    const data = { transactionId, holder, after, dispatchedAt: wallNow(), now: nowOf(task, clock) };
    const dispatched = await issue(
      task,
      { type: 'DispatchPayment', data },
      derivedId('dispatch', transactionId, holder),
    );
    if (dispatched.state.open?.holder !== holder) return;
    inFlight.add(transactionId);
    try {
      const answer = await gateway.charge({
        attemptId: transactionId,
        invoiceRef: open.paymentId,
        credential: method.credential,
        money: { minor: open.amountMinor, currency: open.currency },
        description: `Payment ${open.paymentId}`,
      });
      await record(task, outcomeOf(answer), { holder, step: holder });
    } finally {
      inFlight.delete(transactionId);
    }
  };

  const mayBeCalling = ({ status }: OpenAttempt, dispatchedAt: Instant, callTakesMsMax: number): boolean =>
    status === 'dispatched' && epochMs(wallNow()) - epochMs(dispatchedAt) < callTakesMsMax + beforeTheCallMs;

  return {
    /** Sends an attempt for the first time. One that was sent before is left to `resolve`. */
    execute: async (task: Task): Promise<void> => {
      const open = await look(task);
      if (open?.status === 'requested') await send(task, open, { after: null });
    },

    /**
     * Finds out what became of an attempt, from the provider's own records. One that a living process may be calling for
     * is left alone: its records are not complete before that call has been answered.
     */
    resolve: async (task: Task): Promise<void> => {
      const open = await look(task);
      if (open?.dispatchedAt == null || open.firstDispatchedAt === null || inFlight.has(open.transactionId)) return;
      const run = { holder: open.holder, step: newId() };
      const gateway = await gatewayOf(task.tenantId, open.method.pluginName);
      if ('problem' in gateway) return record(task, stillOpen(open, gateway.problem), run);
      const { paymentId, dispatchedAt } = open;
      if (!parts.isAlone && mayBeCalling(open, dispatchedAt, gateway.callTakesMsMax)) return;
      const fetched = await gateway.fetchByRef({ invoiceRef: paymentId, dispatchedAt });
      const successes = paidFacts(fetched);
      if (successes.length > 1)
        parts.onDoubleCharge({ paymentId, gatewayRefs: successes.map(({ gatewayRef }) => gatewayRef) });
      const finding = findingOf(fetched, open);
      if (finding.kind === 'outcome') return record(task, finding.outcome, run);
      if (finding.kind === 'unsure') return record(task, stillOpen(open, finding.code), run);
      const ageMs = epochMs(wallNow()) - epochMs(open.firstDispatchedAt);
      if (ageMs >= repeatWithinMs) return record(task, neverExecuted, run);
      return send(task, open, { after: open.holder });
    },

    retry: (task: Task): Promise<void> => retry(parts, task),
  };
};

export type PaymentExecutor = ReturnType<typeof paymentExecutor>;

/** With what made it due, if that was a moment ago: the next attempt keeps the time of day of the first. */
const nowOf = ({ dueAt, tenantId }: Task, clock: Clock): Instant => notBefore(dueAt, clock.now(tenantId));

const contextOf = (task: Task, clock: Clock, commandId: string): CommandContext => ({
  commandId,
  tenantId: task.tenantId,
  actor: { createdBy: 'PaymentExecutor' },
  at: nowOf(task, clock),
  correlationId: task.correlationId,
});

const isHeldBack = (event: InvoicePaymentsEvent): boolean =>
  event.type === 'PaymentAborted' && event.data.reason === 'manual-pay';

const stillOpen = ({ status, gatewayRef }: OpenAttempt, code: string): AttemptOutcome =>
  status === 'pending' ? { kind: 'pending', why: code, gatewayRef } : { kind: 'unknown', code };

const misconfigured = (message: string): AttemptOutcome => ({
  kind: 'not-executed',
  why: 'misconfigured',
  code: 'plugin-not-configured',
  message,
});

const neverExecuted: AttemptOutcome = {
  kind: 'not-executed',
  why: 'expired',
  code: 'never-executed',
  message: 'The provider has no record of it',
};
