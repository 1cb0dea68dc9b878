import { type CommandContext, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { type Currency, type Instant, type LocalDate, epochMs, instantOfMs, newId } from '@billstream/kernel';
import {
  type ChargedMethod,
  type InvoicePayments,
  type InvoicePaymentsCommand,
  type InvoicePaymentsEvent,
  type Payment,
  type PaymentCommand,
  invoicePayments,
  invoicePaymentsSchema,
  invoicePaymentsStream,
  payPalPlugin,
  payment,
  paymentSchema,
  paymentStream,
  retryPolicyOf,
} from '@billstream/payments-domain';
import { dueChangesOf } from '@billstream/payments-read-models';
import type { DueItem } from '@billstream/postgres';
import { paymentsDueWork } from '../due-work';
import { type ExecutorParts, paymentExecutor } from '../executor/executor';
import { transactionExecutor } from '../executor/transaction-executor';
import { memoryGateway } from './memory-gateway';

const tenantId = 'tenant-1';

type ProcessParts = { readonly gatewayOf?: ExecutorParts['gatewayOf'] };

const runItem = (dueWork: ReturnType<typeof paymentsDueWork>, item: DueItem): Promise<void> =>
  dueWork[item.kind]?.(item) ?? Promise.reject(new Error(item.kind));

/**
 * The executor over a store and a provider in memory. Time stands still until somebody moves it, wall time and business
 * time together; a new process starts with an executor that knows nothing of the calls of the one before.
 */
export const paymentsInMemory = (start: Instant, manners: { readonly keepsReferences?: boolean } = {}) => {
  let nowMs = epochMs(start);
  const now = (): Instant => instantOfMs(nowMs);
  const store = memoryEventStore();
  const provider = memoryGateway(() => nowMs, manners);
  const doubleCharges: object[] = [];
  let method: ChargedMethod | null = {
    paymentMethodId: newId(),
    pluginName: payPalPlugin,
    credential: provider.credential(),
  };
  let isRetried = true;
  const newProcess = ({ gatewayOf = () => Promise.resolve(provider.gateway) }: ProcessParts = {}) => {
    const handle = commandHandler({ store, decider: invoicePayments, schema: invoicePaymentsSchema });
    const executor = paymentExecutor({
      handle,
      gatewayOf,
      payerOf: () => Promise.resolve({ method, isManualPay: false, isRetried }),
      holdBack: () => Promise.resolve(),
      retryPolicyOf: () => Promise.resolve(retryPolicyOf({})),
      clock: { now },
      wallNow: now,
      isAlone: false,
      onDoubleCharge: (facts) => void doubleCharges.push(facts),
    });
    const ofPayment = commandHandler({ store, decider: payment, schema: paymentSchema });
    const calls = { gatewayOf, clock: { now }, wallNow: now, isAlone: false };
    const transactions = transactionExecutor({ handle: ofPayment, ...calls });
    return { handle, ofPayment, dueWork: paymentsDueWork({ executor, transactions }) };
  };
  let process = newProcess();

  const contextOf = (): CommandContext => ({
    ...{ commandId: newId(), tenantId, actor: { createdBy: 'test' } },
    ...{ at: now(), correlationId: newId() },
  });
  const issue = (invoiceId: string, command: InvoicePaymentsCommand) =>
    process.handle(invoicePaymentsStream(invoiceId), command, contextOf());
  const recorded = async () =>
    (await store.readAll({ after: null, prefixes: ['invoicePayments-', 'payment-'] })).events;
  const scheduled = async (): Promise<readonly DueItem[]> => dueChangesOf(await recorded()).scheduled;

  return {
    provider,
    now,
    doubleCharges,
    setMethod: (other: ChargedMethod | null): void => void (method = other),
    /** The account is closed, and nothing of it is to happen by itself any more. */
    endRetries: (): void => void (isRetried = false),
    /** One more process on the same log, which knows nothing of the calls of the others. */
    process: (parts?: ProcessParts) => {
      const { dueWork } = newProcess(parts);
      return { run: (item: DueItem): Promise<void> => runItem(dueWork, item) };
    },
    restart: (): void => void (process = newProcess()),
    pass: (ms: number): void => void (nowMs += ms),
    issue,
    /** Asks something of a payment beyond the attempts at its invoice. */
    ask: async (paymentId: string, command: PaymentCommand): Promise<Payment> => {
      const handled = await process.ofPayment(paymentStream(paymentId), command, contextOf());
      if (handled.outcome !== 'accepted') throw new Error(`${command.type} ended as ${handled.outcome}`);
      return handled.state;
    },
    method: (): ChargedMethod | null => method,
    commit: async (invoiceId: string, balanceMinor: number): Promise<void> => {
      const invoice = {
        ...{ invoiceId, accountId: 'account-1', invoiceNumber: '1', invoiceDate: now().slice(0, 10) as LocalDate },
        ...{ currency: 'USD' as Currency, amountMinor: balanceMinor, balanceMinor, asOf: 0 },
      };
      await issue(invoiceId, {
        type: 'RecordInvoice',
        data: { invoice, method, isDelegatedToParent: false, isManualPay: false, now: now() },
      });
    },
    state: async (invoiceId: string): Promise<InvoicePayments> => {
      const handled = await issue(invoiceId, { type: 'Look' });
      if (handled.outcome !== 'accepted') throw new Error(handled.outcome);
      return handled.state;
    },
    scheduled,
    due: async (): Promise<readonly DueItem[]> => (await scheduled()).filter(({ dueAt }) => dueAt <= now()),
    run: (item: DueItem): Promise<void> => runItem(process.dueWork, item),
    events: async (invoiceId: string): Promise<readonly InvoicePaymentsEvent[]> =>
      (await recorded())
        .filter(({ stream }) => stream === invoicePaymentsStream(invoiceId))
        .flatMap((one) => invoicePaymentsSchema.decode(one) ?? []),
  };
};

export type PaymentsInMemory = ReturnType<typeof paymentsInMemory>;
