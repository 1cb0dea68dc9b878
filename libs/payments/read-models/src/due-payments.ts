import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Instant, plusMs } from '@billstream/kernel';
import {
  type InvoicePaymentsEvent,
  type PaymentEvent,
  invoicePaymentsSchema,
  paymentSchema,
} from '@billstream/payments-domain';
import type { DueItem } from '@billstream/postgres';

/** What the executor does, by kind of due work. */
export const executePayment = 'execute-payment';
export const resolvePayment = 'resolve-payment';
export const retryPayment = 'retry-payment';

export const executeTransaction = 'execute-transaction';
export const resolveTransaction = 'resolve-transaction';

/** Longer than any gateway call may take: an attempt without an outcome by then has lost its process. */
const orphanedAfterMs = 90_000;

export type DuePayment = {
  readonly invoiceId: string;
  readonly paymentId: string;
  readonly transactionId: string | null;
  /** Of the request that led here, so that whoever waits for it recognises what comes of it. */
  readonly correlationId: string;
};
export type DueTransaction = {
  readonly paymentId: string;
  readonly accountId: string;
  readonly transactionId: string;
  readonly correlationId: string;
};
export type DueChanges = {
  readonly scheduled: readonly DueItem[];
  readonly unscheduled: readonly { readonly kind: string; readonly key: string }[];
};

type Step = { readonly kind: string; readonly key: string; readonly dueAt: Instant | null };
type Heard = {
  readonly step: Step;
  readonly recorded: RecordedEvent;
  readonly payload: () => DuePayment | DueTransaction;
};

/** What becomes due, and what no longer is, after these events in log order. Pure, so a simulation can use it too. */
export const dueChangesOf = (events: readonly RecordedEvent[]): DueChanges => {
  const last = new Map<string, Heard>();
  for (const recorded of events)
    for (const heard of heardOf(recorded)) last.set(`${heard.step.kind} ${heard.step.key}`, heard);
  const scheduled: DueItem[] = [];
  const unscheduled: { readonly kind: string; readonly key: string }[] = [];
  for (const { step, recorded, payload } of last.values()) {
    const { kind, key, dueAt } = step;
    if (dueAt === null) unscheduled.push({ kind, key });
    else scheduled.push({ tenantId: recorded.metadata.tenantId, kind, key, dueAt, payload: payload() });
  }
  return { scheduled, unscheduled };
};

/** Payloads are made for what is left at the end: most of what is due within a batch is done within it. */
const heardOf = (recorded: RecordedEvent): readonly Heard[] => {
  const ofInvoice = invoicePaymentsSchema.decode(recorded);
  if (ofInvoice !== null) {
    const payload = (): DuePayment => duePayment(ofInvoice, recorded);
    return stepsOf(ofInvoice).map((step) => ({ step, recorded, payload }));
  }
  const ofPayment = paymentSchema.decode(recorded);
  if (ofPayment === null || ofPayment.type === 'PaymentOpened' || ofPayment.type === 'PurchaseFound') return [];
  const payload = (): DueTransaction => dueTransaction(ofPayment, recorded);
  return transactionStepsOf(ofPayment).map((step) => ({ step, recorded, payload }));
};

const duePayment = ({ type, data }: InvoicePaymentsEvent, { metadata }: RecordedEvent): DuePayment => {
  if (!('paymentId' in data)) throw new TypeError(`${type} is about no payment`);
  const transactionId = 'transactionId' in data ? data.transactionId : null;
  const { invoiceId, paymentId } = data;
  return { invoiceId, paymentId, transactionId, correlationId: metadata.$correlationId };
};

type TransactionEvent = Exclude<PaymentEvent, { readonly type: 'PaymentOpened' | 'PurchaseFound' }>;

const dueTransaction = ({ data }: TransactionEvent, { metadata }: RecordedEvent): DueTransaction => {
  const { paymentId, accountId, transactionId } = data;
  return { paymentId, accountId, transactionId, correlationId: metadata.$correlationId };
};

const transactionStepsOf = ({ type, data }: TransactionEvent): readonly Step[] => {
  const { transactionId } = data;
  switch (type) {
    case 'TransactionRequested':
      return data.isRecordOnly ? [] : [step(executeTransaction, transactionId, data.at)];
    case 'TransactionDispatched':
      return [
        step(executeTransaction, transactionId, null),
        step(resolveTransaction, transactionId, plusMs(data.at, orphanedAfterMs)),
      ];
    case 'TransactionPending':
    case 'TransactionUnknown':
      return [step(resolveTransaction, transactionId, data.nextLookAt)];
    case 'TransactionSucceeded':
    case 'TransactionFailed':
    case 'ChargebackReversed':
      return [step(executeTransaction, transactionId, null), step(resolveTransaction, transactionId, null)];
  }
};

const step = (kind: string, key: string, dueAt: Instant | null): Step => ({ kind, key, dueAt });
const ended = (transactionId: string): readonly Step[] => [
  step(executePayment, transactionId, null),
  step(resolvePayment, transactionId, null),
];

/** Given up between two attempts, or with one that was never sent. */
const aborted = ({ transactionId, paymentId }: { transactionId: string | null; paymentId: string }): readonly Step[] =>
  transactionId === null ? [step(retryPayment, paymentId, null)] : ended(transactionId);

const stepsOf = (event: InvoicePaymentsEvent): readonly Step[] => {
  switch (event.type) {
    case 'PaymentRequested':
      return [
        step(executePayment, event.data.transactionId, event.data.at),
        step(retryPayment, event.data.paymentId, null),
      ];
    case 'PaymentDispatched':
      return [
        step(executePayment, event.data.transactionId, null),
        step(resolvePayment, event.data.transactionId, plusMs(event.data.at, orphanedAfterMs)),
      ];
    case 'PaymentPending':
    case 'PaymentUnknown':
      return [step(resolvePayment, event.data.transactionId, event.data.nextLookAt)];
    case 'PaymentSucceeded':
      return [...ended(event.data.transactionId), step(retryPayment, event.data.paymentId, null)];
    case 'PaymentDeclined':
    case 'PaymentNotExecuted':
      return ended(event.data.transactionId);
    case 'RetryScheduled':
      return [step(retryPayment, event.data.paymentId, event.data.retryAt)];
    case 'PaymentAborted':
      return aborted(event.data);
    case 'InvoiceRecorded':
    case 'BalanceRecorded':
    case 'WriteOffChanged':
    case 'PaymentSkipped':
      return [];
  }
};
