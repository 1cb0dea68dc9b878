import type { RecordedEvent } from '@billstream/event-sourcing';
import { type AccountInvoicesEvent, accountInvoicesSchema, accountInvoicesStreams } from '@billstream/invoicing-domain';
import type { Instant } from '@billstream/kernel';
import { type DueItem, type ReadModel, dueWorkDdl, schedule, unschedule } from '@billstream/postgres';

/** The kind of due work that runs an account's next invoice; its key is the account id. */
export const invoiceDueKind = 'invoice';

/** When each account is to be invoiced next. A run that waits for usage is not due: the answer carries it on. */
export const dueInvoicesReadModel: ReadModel = {
  name: 'due-invoices',
  tables: ['due_work'],
  ddl: dueWorkDdl,
  prefixes: [accountInvoicesStreams],
  apply: async (tx, events) => {
    const next = nextOf(events);
    await schedule(
      tx,
      next.flatMap(({ item }) => (item === null ? [] : [item])),
    );
    await unschedule(
      tx,
      next.flatMap(({ key, item }) => (item === null ? [{ kind: invoiceDueKind, key }] : [])),
    );
  },
};

type Next = { readonly key: string; readonly item: DueItem | null };

/** What the last event of each account in the batch leaves standing. */
const nextOf = (events: readonly RecordedEvent[]): readonly Next[] => {
  const next = new Map<string, Next>();
  for (const recorded of events) {
    const event = accountInvoicesSchema.decode(recorded);
    if (event === null) continue;
    const at = dueAfter(event);
    if (at === undefined) continue;
    const { accountId } = event.data;
    next.set(accountId, { key: accountId, item: at === null ? null : itemOf(accountId, at, recorded) });
  }
  return [...next.values()];
};

/** Null: nothing is due after the event; undefined: it says nothing about that. */
const dueAfter = ({ type, data }: AccountInvoicesEvent): Instant | null | undefined => {
  if (type === 'NextInvoiceScheduled') return data.at;
  return type === 'UsageRequested' || type === 'InvoiceAwaited' || type === 'InvoicingParked' ? null : undefined;
};

/** The event that scheduled it makes the command's id: the same instant scheduled again is another piece of work. */
const itemOf = (accountId: string, dueAt: Instant, { metadata, id }: RecordedEvent): DueItem => ({
  tenantId: metadata.tenantId,
  kind: invoiceDueKind,
  key: accountId,
  dueAt,
  payload: { scheduledBy: id },
});
