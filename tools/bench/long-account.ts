import { eventStoreDb } from '@billstream/eventstoredb';
import {
  type CommandContext,
  type EventStore,
  commandHandler,
  metadataOf,
  snapshotStream,
} from '@billstream/event-sourcing';
import {
  type AccountInvoices,
  type AccountInvoicesCommand,
  type AccountInvoicesEvent,
  accountInvoices,
  accountInvoicesSchema,
  accountInvoicesSnapshots,
  accountInvoicesStream,
} from '@billstream/invoicing-domain';
import { type Currency, type Instant, decimal, derivedId, instantOfMs, parseCurrency } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { phaseOf, tenantId } from './due-accounts';
import { type Figure, samplesOf } from './measure';
import { type Ground, startStore } from './world';

const logger = pino({ level: 'warn' });
const accountId = derivedId('bench', 'an account with many invoices');
const stream = accountInvoicesStream(accountId);
const startsAt = instantOfMs(Date.UTC(2000, 0, 1, 10));
const runsMeasured = 30;
const usd = ((): Currency => {
  const currency = parseCurrency('USD');
  if (currency === null) throw new TypeError('USD is no currency');
  return currency;
})();

const contextOf = (commandId: string, at: Instant): CommandContext => ({
  commandId,
  tenantId,
  actor: { createdBy: 'bench' },
  at,
  correlationId: commandId,
});

/** A subscription that is charged every day: as many invoices as days. */
const opening = (): readonly AccountInvoicesCommand[] => {
  const phase = {
    ...phaseOf(startsAt),
    usages: [],
    recurring: { price: decimal(20), billingPeriod: 'DAILY' as const },
  };
  const transition = {
    transitionId: 'start',
    kind: 'START',
    effectiveAt: startsAt,
    phase,
    quantity: 1,
    billCycleDayLocal: null,
  } as const;
  const account = {
    accountId,
    externalKey: 'many-invoices',
    currency: usd,
    timeZone: 'UTC',
    referenceTime: startsAt,
    billCycleDayLocal: 1,
  };
  return [
    { type: 'RecordAccount', account, now: startsAt },
    {
      type: 'RecordBillingTimeline',
      now: startsAt,
      timeline: {
        accountId,
        bundleId: 'bundle',
        bundleExternalKey: 'bundle',
        subscriptionId: 'subscription',
        externalKey: 'subscription',
        productCategory: 'BASE',
        transitions: [transition],
        firstBillableAt: startsAt,
        bundleFirstBillableAt: startsAt,
      },
    },
  ];
};

/** What the deciders make of the next day: the run, and the payment of its invoice. */
const nextDay = (state: AccountInvoices, day: number): readonly AccountInvoicesCommand[] => {
  const now = state.nextAt;
  const invoiceId = derivedId('invoice', accountId, String(day));
  return now === null
    ? []
    : [
        { type: 'InvoiceDue', dueAt: now, now },
        {
          type: 'RecordPayment',
          now,
          payment: {
            accountId,
            invoiceId,
            paymentId: `payment-${day}`,
            transactionId: `transaction-${day}`,
            transactionType: 'PURCHASE',
            status: 'SUCCESS',
            amountMinor: 2_000,
            currency: usd,
            effectiveAt: now,
          },
        },
      ];
};

/** Years of invoices, all paid, as they would stand in the log. */
const seedInvoices = async (store: EventStore, invoices: number): Promise<AccountInvoices> => {
  let state = accountInvoices.initial;
  let revision: bigint | 'none' = 'none';
  let waiting: { readonly event: AccountInvoicesEvent; readonly context: CommandContext; readonly id: string }[] = [];
  const append = async (): Promise<void> => {
    const events = waiting.map(({ event, context, id }) => ({
      ...accountInvoicesSchema.encode(event),
      id,
      metadata: metadataOf(context),
    }));
    waiting = [];
    if (events.length > 0) revision = (await store.append(stream, revision, events)).revision;
  };
  const decided = (command: AccountInvoicesCommand, name: string): void => {
    const decision = accountInvoices.decide(command, state);
    if ('rejected' in decision) throw new Error(JSON.stringify(decision.rejected));
    state = decision.events.reduce(accountInvoices.evolve, state);
    const context = contextOf(derivedId('seed', name), command.now);
    waiting.push(
      ...decision.events.map((event, index) => ({ event, context, id: derivedId('seed', name, String(index)) })),
    );
  };
  for (const [index, command] of opening().entries()) decided(command, `opening ${index}`);
  for (let day = 1; day < invoices; day += 1) {
    for (const [index, command] of nextDay(state, day).entries()) decided(command, `${day} ${index}`);
    if (waiting.length >= 150) await append();
  }
  await append();
  return state;
};

type Measured = {
  readonly cold: number;
  readonly fromSnapshot: number;
  readonly runs: readonly number[];
  /** Processor time of this process for one of them, the client of the store included. */
  readonly cpuMs: number;
  /** As it is stored. */
  readonly snapshotBytes: number;
};

const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
};

const snapshotBytesIn = async (store: EventStore): Promise<number> => {
  const parts = await store.readLast(snapshotStream(stream), 64);
  const { revision } = (parts.at(-1)?.data ?? {}) as { readonly revision?: string };
  const newest = parts.filter(({ data }) => 'revision' in data && data.revision === revision);
  return newest.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
};

const handlerOn = (store: EventStore) =>
  commandHandler({
    store,
    decider: accountInvoices,
    schema: accountInvoicesSchema,
    snapshots: accountInvoicesSnapshots,
  });

const play = async (store: EventStore, seeded: AccountInvoices, invoices: number): Promise<Measured> => {
  let state = seeded;
  let day = invoices;
  const runNext = async (handle: ReturnType<typeof handlerOn>): Promise<number> => {
    const [due] = nextDay(state, day);
    if (due === undefined) throw new Error('nothing is due');
    const started = performance.now();
    const handled = await handle(stream, due, contextOf(derivedId('run', String(day)), due.now));
    const millis = performance.now() - started;
    if (handled.outcome !== 'accepted' || handled.events.length === 0) throw new Error('the run made no invoice');
    state = handled.state;
    day += 1;
    return millis;
  };
  const first = handlerOn(store);
  const cold = await runNext(first);
  await sleep(2_000); // The snapshot is written beside what goes on.
  const second = handlerOn(store);
  const fromSnapshot = await runNext(second);
  const runs: number[] = [];
  const before = process.cpuUsage();
  for (let run = 0; run < runsMeasured; run += 1) runs.push(await runNext(second));
  return { cold, fromSnapshot, runs, cpuMs: cpuMs(before) / runsMeasured, snapshotBytes: await snapshotBytesIn(store) };
};

/** What it takes to decide that an account is closed, of whose invoices none is paid; in how many decisions. */
const closing = (invoices: number): { readonly ms: number; readonly decisions: number } => {
  let state = opening().reduce(decidedOn, accountInvoices.initial);
  for (let day = 1; day < invoices && state.nextAt !== null; day += 1)
    state = decidedOn(state, { type: 'InvoiceDue', dueAt: state.nextAt, now: state.nextAt });
  const close = { type: 'RecordClosing' as const, closingId: 'closing', now: state.nextAt ?? startsAt };
  const before = process.cpuUsage();
  for (let decisions = 0; ; decisions += 1) {
    const after = decidedOn(state, close);
    if (after === state) return { ms: cpuMs(before), decisions };
    state = after;
  }
};

const decidedOn = (state: AccountInvoices, command: AccountInvoicesCommand): AccountInvoices => {
  const decision = accountInvoices.decide(command, state);
  if ('rejected' in decision) throw new Error(JSON.stringify(decision.rejected));
  return decision.events.reduce(accountInvoices.evolve, state);
};

/** One account with years of invoices: what its next run costs, from the due date to the append. */
export const longAccountBench = async (ground: Ground, counts: readonly number[]): Promise<readonly Figure[]> => {
  const server = await startStore(ground);
  const figures: Figure[] = [];
  try {
    for (const invoices of counts) {
      const store = prefixed(eventStoreDb({ connectionString: server.url, logger }), `${invoices}-`);
      const state = await seedInvoices(store, invoices);
      const { cold, fromSnapshot, runs, ...cost } = await play(store, state, invoices);
      const kib = (bytes: number): string => String(Math.round(bytes / 1024));
      const closed = closing(invoices);
      figures.push({
        name: `the next run of an account with ${invoices} invoices`,
        unit: 'ms',
        measured: samplesOf(runs),
        notes: [
          `${cold.toFixed(0)} ms when its whole stream is folded`,
          `${fromSnapshot.toFixed(0)} ms when it is read anew: from its snapshot, where it has one`,
          `${cost.cpuMs.toFixed(1)} ms of processor time`,
          `${kib(JSON.stringify(state).length)} KiB of state as JSON, ${kib(cost.snapshotBytes)} KiB of snapshot`,
          `${closed.ms.toFixed(0)} ms to decide its closing with all of them unpaid, in ${closed.decisions} decisions`,
        ],
      });
      await store.close();
    }
  } finally {
    await server.stop();
  }
  return figures;
};

/** Each count of invoices has streams of its own. */
const prefixed = <Store extends EventStore>(store: Store, prefix: string): Store => ({
  ...store,
  read: (name, ...rest) => store.read(prefix + name, ...rest),
  readLast: (name, ...rest) => store.readLast(prefix + name, ...rest),
  append: (name, ...rest) => store.append(prefix + name, ...rest),
});
