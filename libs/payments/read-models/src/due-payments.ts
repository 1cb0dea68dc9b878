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

type Due = Step & { readonly tenantId: string; readonly payload: DuePayment | DueTransaction };
type Step = { readonly kind: string; readonly key: string; readonly dueAt: Instant | null };

/** What becomes due, and what no longer is, after these events in log order. Pure, so a simulation can use it too. */
export const dueChangesOf = (events: readonly RecordedEvent[]): DueChanges => {
  const last = new Map<string, Due>();
  for (const recorded of events)
    for (const due of [...dueOfInvoice(recorded), ...dueOfPayment(recorded)]) last.set(`${due.kind} ${due.key}`, due);
  const steps = [...last.values()];
  return {
    scheduled: steps.flatMap(({ dueAt, ...item }) => (dueAt === null ? [] : [{ ...item, dueAt }])),
    unscheduled: steps.flatMap(({ kind, key, dueAt }) => (dueAt === null ? [{ kind, key }] : [])),
  };
};

const dueOfInvoice = (recorded: RecordedEvent): readonly Due[] => {
  const event = invoicePaymentsSchema.decode(recorded);
  if (event === null || !('paymentId' in event.data)) return [];
  const { invoiceId, paymentId } = event.data;
  const transactionId = 'transactionId' in event.data ? event.data.transactionId : null;
  const { tenantId, $correlationId: correlationId } = recorded.metadata;
  const payload: DuePayment = { invoiceId, paymentId, transactionId, correlationId };
  return stepsOf(event).map((step) => ({ ...step, tenantId, payload }));
};

const dueOfPayment = (recorded: RecordedEvent): readonly Due[] => {
  const event = paymentSchema.decode(recorded);
  if (event === null || event.type === 'PaymentOpened' || event.type === 'PurchaseFound') return [];
  const { paymentId, accountId, transactionId } = event.data;
  const { tenantId, $correlationId: correlationId } = recorded.metadata;
  const payload: DueTransaction = { paymentId, accountId, transactionId, correlationId };
  return transactionStepsOf(event).map((step) => ({ ...step, tenantId, payload }));
};

const transactionStepsOf = ({
  type,
  data,
}: Exclude<PaymentEvent, { type: 'PaymentOpened' | 'PurchaseFound' }>): readonly Step[] => {
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
